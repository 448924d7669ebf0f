// Without the editor and the HTTP nodes Node-RED listens to no port.
module.exports = {
    httpAdminRoot: false,
    httpNodeRoot: false,
    uiHost: "127.0.0.1",
    telemetry: { enabled: false, updateNotification: false },
    externalModules: { autoInstall: false, palette: { allowInstall: false } },
};

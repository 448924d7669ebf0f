//! The national clouds, with their hosts and scopes.

pub(crate) struct Cloud {
    /// As `MDE_CLOUD` names it.
    pub(crate) name: &'static str,
    pub(crate) api: &'static str,
    pub(crate) authority: &'static str,
    /// The scope of a token for the API.
    pub(crate) scope: &'static str,
}

pub(crate) const COMMERCIAL: Cloud = Cloud {
    name: "commercial",
    api: "https://api.security.microsoft.com",
    authority: "https://login.microsoftonline.com",
    // The older host is the audience for the newer one too; any other audience earns a 403.
    scope: "https://api.securitycenter.microsoft.com/.default",
};

/// Every cloud. Sources: "Microsoft Defender for Endpoint APIs" and "… for US Government customers" for the hosts; the
/// government scopes are in no documentation and come from users' reports, hence `MDE_SCOPE`.
pub(crate) const CLOUDS: [Cloud; 4] = [
    COMMERCIAL,
    Cloud {
        name: "gcc",
        api: "https://api-gcc.securitycenter.microsoft.us",
        authority: "https://login.microsoftonline.com",
        scope: "https://api-gcc.securitycenter.microsoft.us/.default",
    },
    Cloud {
        name: "gcc-high",
        api: "https://api-gov.securitycenter.microsoft.us",
        authority: "https://login.microsoftonline.us",
        scope: "https://api-gov.securitycenter.microsoft.us/.default",
    },
    Cloud {
        name: "dod",
        api: "https://api-gov.securitycenter.microsoft.us",
        authority: "https://login.microsoftonline.us",
        scope: "https://api-gov.securitycenter.microsoft.us/.default",
    },
];

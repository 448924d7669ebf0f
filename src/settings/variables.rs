//! Every environment variable that is no twin of an option: the one table that the settings, the help, the schemas and the
//! manifest are made from.

use crate::auth::app_registration::FEDERATED_TOKEN_FILE as FEDERATED_TOKEN_FILE_NAME;

/// One environment variable that is no option's twin.
pub struct Setting {
    /// The variable's name.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
    /// A value that it may have.
    pub(crate) example: &'static str,
    /// Whether its value is to be kept from sight.
    pub(crate) is_secret: bool,
    /// Whether `<name>_FILE` may name a file with the value instead.
    pub has_file_twin: bool,
    /// The value if it is not set.
    pub(crate) default: Option<&'static str>,
    /// The values that it may have; empty if it is free text.
    pub(crate) values: &'static [&'static str],
}

impl Setting {
    const fn text(name: &'static str, about: &'static str, example: &'static str) -> Self {
        Self {
            name,
            about,
            example,
            is_secret: false,
            has_file_twin: false,
            default: None,
            values: &[],
        }
    }

    const fn secret(name: &'static str, about: &'static str, example: &'static str) -> Self {
        Self {
            is_secret: true,
            has_file_twin: true,
            ..Self::text(name, about, example)
        }
    }

    const fn choice(
        name: &'static str,
        about: &'static str,
        example: &'static str,
        values: &'static [&'static str],
    ) -> Self {
        Self {
            values,
            ..Self::text(name, about, example)
        }
    }

    /// The variable that may name a file with the value.
    pub(crate) fn file_twin(&self) -> String {
        format!("{}_FILE", self.name)
    }
}

pub(crate) const TENANT_ID: Setting = Setting::text(
    "AZURE_TENANT_ID",
    "directory (tenant) id of the app registration",
    "11111111-2222-3333-4444-555555555555",
);
pub(crate) const CLIENT_ID: Setting = Setting::text(
    "AZURE_CLIENT_ID",
    "application (client) id of the app registration, or of a user-assigned managed identity",
    "66666666-7777-8888-9999-000000000000",
);
pub(crate) const CLIENT_SECRET: Setting = Setting::secret(
    "AZURE_CLIENT_SECRET",
    "client secret of the app registration: its value, not its id",
    "the-secret's-value",
);
pub(crate) const CLIENT_CERTIFICATE_PATH: Setting = Setting::text(
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "PEM file with the certificate of the app registration and its private RSA key",
    "/run/secrets/client.pem",
);
pub(crate) const FEDERATED_TOKEN_FILE: Setting = Setting::text(
    FEDERATED_TOKEN_FILE_NAME,
    "file with the workload's own token, for workload identity federation; read anew for each sign-in",
    "/var/run/secrets/azure/tokens/azure-identity-token",
);
pub(crate) const IDENTITY_ENDPOINT: Setting = Setting::text(
    "IDENTITY_ENDPOINT",
    "endpoint of the managed identity, as App Service sets it",
    "http://127.0.0.1:41234/msi/token",
);
pub(crate) const IDENTITY_HEADER: Setting = Setting {
    is_secret: true,
    ..Setting::text(
        "IDENTITY_HEADER",
        "secret header for that endpoint, as App Service sets it",
        "as-the-platform-sets-it",
    )
};
pub(crate) const IMDS_HOST: Setting = Setting::text(
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "metadata host for a managed identity, instead of the virtual machine's own",
    "http://169.254.169.254",
);
pub(crate) const ACCESS_TOKEN: Setting = Setting::secret(
    "MDE_ACCESS_TOKEN",
    "an access token that the engine already has, instead of signing in",
    "header.payload.signature",
);
/// The methods to sign in, as [`AUTH`] names them.
pub(crate) const AUTH_METHODS: [&str; 5] = [
    "access-token",
    "client-secret",
    "client-certificate",
    "federated-token",
    "managed-identity",
];
pub(crate) const AUTH: Setting = Setting::choice(
    "MDE_AUTH",
    "the method to sign in with, where the settings allow several",
    "client-secret",
    &AUTH_METHODS,
);
pub(crate) const CLOUD: Setting = Setting {
    default: Some("commercial"),
    ..Setting::choice(
        "MDE_CLOUD",
        "cloud whose hosts and scope are used",
        "commercial",
        &["commercial", "gcc", "gcc-high", "dod"],
    )
};
pub(crate) const AUTHORITY_HOST: Setting = Setting::text(
    "AZURE_AUTHORITY_HOST",
    "sign-in host instead of the cloud's",
    "https://login.microsoftonline.us",
);
pub(crate) const BASE_URL: Setting = Setting::text(
    "MDE_BASE_URL",
    "API host instead of the cloud's: a geo host, a gateway, a test server",
    "https://eu.api.security.microsoft.com",
);
pub(crate) const SCOPE: Setting = Setting::text(
    "MDE_SCOPE",
    "scope of the token instead of the cloud's",
    "https://api.securitycenter.microsoft.com/.default",
);
pub(crate) const TOKEN_CACHE: Setting = Setting::text(
    "MDE_TOKEN_CACHE",
    "folder in which tokens are kept between runs, readable by its owner only; none unless set",
    "/var/lib/cancel-machine-action",
);
pub(crate) const CALLS_PER_MINUTE: Setting = Setting {
    default: Some("100"),
    ..Setting::text(
        "MDE_CALLS_PER_MINUTE",
        "most calls a minute of a batch, `list` or `mcp`; 0 is no limit",
        "50",
    )
};
pub(crate) const CALLS_PER_HOUR: Setting = Setting {
    default: Some("1500"),
    ..Setting::text(
        "MDE_CALLS_PER_HOUR",
        "most calls an hour of a batch, `list` or `mcp`; 0 is no limit",
        "750",
    )
};
pub(crate) const CERT_FILE: Setting = Setting::text(
    "SSL_CERT_FILE",
    "PEM file with the certificate authorities to trust instead of the built-in ones",
    "/etc/ssl/certs/ca-certificates.crt",
);
pub(crate) const HTTPS_PROXY: Setting = Setting {
    is_secret: true,
    ..Setting::text(
        "HTTPS_PROXY",
        "proxy for all calls but those to a managed identity's endpoint, such as http://user:password@host:port",
        "http://proxy.example:3128",
    )
};
pub(crate) const NO_PROXY: Setting = Setting::text(
    "NO_PROXY",
    "hosts that are called without the proxy, separated by commas",
    "localhost,.example.com",
);

/// Every setting.
pub const SETTINGS: [&Setting; 20] = [
    &TENANT_ID,
    &CLIENT_ID,
    &CLIENT_SECRET,
    &CLIENT_CERTIFICATE_PATH,
    &FEDERATED_TOKEN_FILE,
    &IDENTITY_ENDPOINT,
    &IDENTITY_HEADER,
    &IMDS_HOST,
    &ACCESS_TOKEN,
    &AUTH,
    &CLOUD,
    &AUTHORITY_HOST,
    &BASE_URL,
    &SCOPE,
    &TOKEN_CACHE,
    &CALLS_PER_MINUTE,
    &CALLS_PER_HOUR,
    &CERT_FILE,
    &HTTPS_PROXY,
    &NO_PROXY,
];

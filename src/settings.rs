//! What an operator sets: the only reader of the environment.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::time::Duration;

use ureq::http::Uri;
use ureq::http::uri::Scheme;
use ureq::tls::{Certificate, PemItem, parse_pem};

use crate::auth::{AccessToken, ClientSecret, Credentials};
use crate::cli::{self, Invocation, OptionSpec};
use crate::error::{Failure, FailureCode, Violation};
use crate::secret::Secret;

/// One environment variable, as help, schema and manifest list it.
pub struct Setting {
    /// The variable's name.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
    /// Whether its value is to be kept from sight.
    pub is_secret: bool,
    /// Whether `<name>_FILE` may name a file with the value instead.
    pub has_file_twin: bool,
    /// The value if it is not set.
    pub default: Option<&'static str>,
    /// The values that it may have; empty if it is free text.
    pub values: &'static [&'static str],
}

const PLAIN: Setting = Setting {
    name: "",
    about: "",
    is_secret: false,
    has_file_twin: false,
    default: None,
    values: &[],
};

/// The tenant of the app registration.
pub const TENANT_ID: Setting = Setting {
    name: "AZURE_TENANT_ID",
    about: "directory (tenant) id of the app registration",
    ..PLAIN
};
/// The client id of the app registration.
pub const CLIENT_ID: Setting = Setting {
    name: "AZURE_CLIENT_ID",
    about: "application (client) id of the app registration",
    ..PLAIN
};
/// The client secret of the app registration.
pub const CLIENT_SECRET: Setting = Setting {
    name: "AZURE_CLIENT_SECRET",
    about: "client secret of the app registration: its value, not its id",
    is_secret: true,
    has_file_twin: true,
    ..PLAIN
};
/// A token that was obtained elsewhere.
pub const ACCESS_TOKEN: Setting = Setting {
    name: "MDE_ACCESS_TOKEN",
    about: "an access token that the engine already has, instead of signing in",
    is_secret: true,
    has_file_twin: true,
    ..PLAIN
};
/// Which way to sign in.
pub const AUTH: Setting = Setting {
    name: "MDE_AUTH",
    about: "which way to sign in, where the settings allow several",
    values: &Method::NAMES,
    ..PLAIN
};
/// The sign-in host.
pub const AUTHORITY_HOST: Setting = Setting {
    name: "AZURE_AUTHORITY_HOST",
    about: "sign-in host instead of the cloud's",
    ..PLAIN
};
/// The national cloud.
pub const CLOUD: Setting = Setting {
    name: "MDE_CLOUD",
    about: "cloud whose hosts and scope are used",
    default: Some("commercial"),
    values: &["commercial", "gcc", "gcc-high", "dod"],
    ..PLAIN
};
/// The API's host.
pub const BASE_URL: Setting = Setting {
    name: "MDE_BASE_URL",
    about: "API host instead of the cloud's: a geo host, a gateway, a test server",
    ..PLAIN
};
/// The scope of the token.
pub const SCOPE: Setting = Setting {
    name: "MDE_SCOPE",
    about: "scope of the token instead of the cloud's",
    ..PLAIN
};
/// Other roots of trust.
pub const CERT_FILE: Setting = Setting {
    name: "SSL_CERT_FILE",
    about: "PEM file with the certificate authorities to trust instead of the built-in ones",
    ..PLAIN
};

/// Every setting that is no twin of an option.
pub const ALL: [&Setting; 10] = [
    &TENANT_ID,
    &CLIENT_ID,
    &CLIENT_SECRET,
    &ACCESS_TOKEN,
    &AUTH,
    &CLOUD,
    &AUTHORITY_HOST,
    &BASE_URL,
    &SCOPE,
    &CERT_FILE,
];

/// The longest time limit, in seconds: a day.
const MAX_TIMEOUT: f64 = 86_400.0;
/// The time limit if none is set.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// The largest file that a setting may name, in bytes: the trust stores of distributions have a quarter of it.
const MAX_FILE: u64 = 1 << 20;

/// A time limit in seconds, such as `60` or `2.5`.
///
/// # Errors
///
/// The rule that `text` breaks.
pub fn parse_time_limit(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .filter(|seconds| (0.001..=MAX_TIMEOUT).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| {
            format!("must be a number of seconds, greater than 0 and at most {MAX_TIMEOUT}")
        })
}

/// How the step runs: the command line, and the environment where the command line says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Answer from the embedded Defender.
    pub sandbox: bool,
    /// The time limit of the run.
    pub timeout: Duration,
    /// End with 0 instead of 1 to 6.
    pub exit_zero: bool,
    /// Say on stderr what is done.
    pub verbose: bool,
}

impl Options {
    /// What `invocation` says, or else the twins in `environment`.
    ///
    /// # Errors
    ///
    /// Every twin whose value is not allowed.
    pub fn read(invocation: &Invocation, environment: &Environment<'_>) -> Result<Self, Failure> {
        let mut reader = Reader::new(environment);
        let options = Self {
            sandbox: invocation.sandbox || reader.switch(&cli::SANDBOX),
            timeout: invocation
                .timeout
                .or_else(|| reader.time_limit(&cli::TIMEOUT))
                .unwrap_or(DEFAULT_TIMEOUT),
            exit_zero: invocation.exit_zero || reader.switch(&cli::EXIT_ZERO),
            verbose: invocation.verbose || reader.switch(&cli::VERBOSE),
        };
        reader.finish()?;
        Ok(options)
    }
}

/// Where the calls go and who makes them.
#[derive(Debug)]
pub struct Settings {
    /// The API: what `/api/machineactions/…` is appended to.
    pub base: ServiceUrl,
    /// Who calls it.
    pub credentials: Credentials,
    /// The certificate authorities to trust; `None` for those that are compiled in.
    pub roots: Option<Vec<Certificate<'static>>>,
}

impl Settings {
    /// The settings of the step, all of them checked. In the sandbox the embedded Defender's own credentials are used,
    /// and no secret is read.
    ///
    /// # Errors
    ///
    /// Everything that is missing or contradictory, by the variable's name, all at once.
    pub fn read(environment: &Environment<'_>, sandbox: bool) -> Result<Self, Failure> {
        let mut reader = Reader::new(environment);
        let cloud = reader.cloud();
        let base = reader.service_url(&BASE_URL, cloud.api);
        let authority = reader.service_url(&AUTHORITY_HOST, cloud.authority);
        let scope = reader
            .text(&SCOPE)
            .unwrap_or_else(|| cloud.scope.to_owned());
        let roots = reader.roots();
        let credentials = if sandbox {
            authority.map(crate::sandbox::credentials)
        } else {
            reader.credentials(authority, scope)
        };
        reader.finish()?;
        // `finish` fails if anything is missing: what is asked here is answered.
        match (base, credentials) {
            (Some(base), Some(credentials)) => Ok(Self {
                base,
                credentials,
                roots,
            }),
            _ => Err(unusable(Vec::new())),
        }
    }
}

/// The API's host in the commercial cloud.
pub const COMMERCIAL_API: &str = "https://api.security.microsoft.com";

/// The hosts and the scope of a cloud.
struct Cloud {
    name: &'static str,
    api: &'static str,
    authority: &'static str,
    scope: &'static str,
}

/// Sources: "Microsoft Defender for Endpoint APIs" and "… for US Government customers" for the hosts; the government
/// scopes are in no documentation and come from users' reports, hence `MDE_SCOPE`.
const CLOUDS: [Cloud; 4] = [
    Cloud {
        name: "commercial",
        api: COMMERCIAL_API,
        authority: "https://login.microsoftonline.com",
        // The older host is the audience for the newer one too; any other audience earns a 403.
        scope: "https://api.securitycenter.microsoft.com/.default",
    },
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

/// The root of a service: `https://host[:port][/prefix]`, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUrl(String);

impl ServiceUrl {
    const MAX_LENGTH: usize = 2048;

    /// Checks that a token may be sent there: HTTPS, or HTTP to this machine itself.
    fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim_end_matches('/');
        let uri: Uri = text
            .parse()
            .map_err(|_| "must be a URL such as https://host")?;
        let Some(authority) = uri.authority() else {
            return Err("must be a URL such as https://host");
        };
        if authority.as_str().contains('@') {
            return Err("must not carry a user name or password");
        }
        if uri.query().is_some() || text.contains('#') {
            return Err("must not carry a query or a fragment");
        }
        if text.len() > Self::MAX_LENGTH {
            return Err("is too long");
        }
        let is_https = uri.scheme() == Some(&Scheme::HTTPS);
        let is_http = uri.scheme() == Some(&Scheme::HTTP);
        if is_https || (is_http && is_loopback(authority.host())) {
            Ok(Self(text.to_owned()))
        } else {
            Err("must begin with https:// (http:// is accepted for loopback addresses only)")
        }
    }

    /// The URL of `path`, which begins with a slash, at this service.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl fmt::Display for ServiceUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

/// A way to sign in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    AccessToken,
    ClientSecret,
}

impl Method {
    const ALL: [Self; 2] = [Self::AccessToken, Self::ClientSecret];
    const NAMES: [&'static str; 2] = [Self::AccessToken.name(), Self::ClientSecret.name()];

    /// The variable by whose presence the settings choose this way.
    fn sign(self) -> &'static Setting {
        match self {
            Self::AccessToken => &ACCESS_TOKEN,
            Self::ClientSecret => &CLIENT_SECRET,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "access-token",
            Self::ClientSecret => "client-secret",
        }
    }
}

/// The environment, as `main` hands it in.
pub type Environment<'a> = dyn Fn(&str) -> Option<OsString> + 'a;

/// Whether the command line or the environment asks for `--exit-zero`, however wrong the rest of either is.
#[must_use]
pub fn wants_exit_zero(args: &[OsString], environment: &Environment<'_>) -> bool {
    args.iter().any(|argument| argument == cli::EXIT_ZERO.name)
        || Reader::new(environment).switch(&cli::EXIT_ZERO)
}

/// Reads the environment, and gathers everything that is wrong with it.
struct Reader<'a> {
    environment: &'a Environment<'a>,
    problems: Vec<Violation>,
}

impl<'a> Reader<'a> {
    fn new(environment: &'a Environment<'a>) -> Self {
        Self {
            environment,
            problems: Vec::new(),
        }
    }

    fn finish(self) -> Result<(), Failure> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(unusable(self.problems))
        }
    }

    fn problem(&mut self, name: &str, message: impl Into<String>) {
        self.problems.push(Violation::of_setting(name, message));
    }

    /// The variable's value; an empty one counts as not set, because engines pass on what they do not have.
    fn value(&mut self, name: &str) -> Option<String> {
        match (self.environment)(name)?.into_string() {
            Ok(text) => Some(text).filter(|text| !text.is_empty()),
            Err(_) => {
                self.problem(name, "is not UTF-8");
                None
            }
        }
    }

    fn text(&mut self, setting: &Setting) -> Option<String> {
        let text = self.value(setting.name)?;
        if setting.values.is_empty() || setting.values.contains(&text.as_str()) {
            return Some(text);
        }
        self.problem(
            setting.name,
            format!("must be one of: {}", setting.values.join(", ")),
        );
        None
    }

    fn is_set(&self, setting: &Setting) -> bool {
        let is_set = |name: &str| (self.environment)(name).is_some_and(|value| !value.is_empty());
        is_set(setting.name) || (setting.has_file_twin && is_set(&file_twin(setting)))
    }

    /// The value of the variable or of the file that its twin names, without the line break at its end.
    fn secret(&mut self, setting: &Setting) -> Option<Secret> {
        let twin = file_twin(setting);
        match (self.value(setting.name), self.value(&twin)) {
            (Some(_), Some(_)) => {
                self.problem(setting.name, format!("is set, and so is {twin}; set one"));
                None
            }
            (Some(text), None) => Some(Secret::new(text)),
            (None, Some(path)) => {
                let text = self.file(&twin, &path)?;
                let text = text.trim_end_matches(['\r', '\n']);
                if text.is_empty() {
                    self.problem(&twin, "names an empty file");
                    return None;
                }
                Some(Secret::new(text.to_owned()))
            }
            (None, None) => None,
        }
    }

    fn file(&mut self, name: &str, path: &str) -> Option<String> {
        read_file(path)
            .inspect_err(|error| {
                self.problem(name, format!("names a file that cannot be read: {error}"));
            })
            .ok()
    }

    fn switch(&mut self, option: &OptionSpec) -> bool {
        match self.value(option.setting).as_deref() {
            None | Some("0" | "false" | "no" | "off") => false,
            Some("1" | "true" | "yes" | "on") => true,
            Some(_) => {
                self.problem(option.setting, "must be 1 or 0");
                false
            }
        }
    }

    fn time_limit(&mut self, option: &OptionSpec) -> Option<Duration> {
        let text = self.value(option.setting)?;
        parse_time_limit(&text)
            .inspect_err(|rule| self.problem(option.setting, rule))
            .ok()
    }

    fn cloud(&mut self) -> &'static Cloud {
        let [commercial, ..] = &CLOUDS;
        let named = self.text(&CLOUD);
        let find = |name| CLOUDS.iter().find(|cloud| cloud.name == name);
        named.as_deref().and_then(find).unwrap_or(commercial)
    }

    fn service_url(&mut self, setting: &Setting, default: &str) -> Option<ServiceUrl> {
        let text = self.text(setting);
        ServiceUrl::parse(text.as_deref().unwrap_or(default))
            .inspect_err(|rule| self.problem(setting.name, *rule))
            .ok()
    }

    fn roots(&mut self) -> Option<Vec<Certificate<'static>>> {
        let path = self.text(&CERT_FILE)?;
        let pem = self.file(CERT_FILE.name, &path)?;
        let items: Result<Vec<PemItem<'_>>, _> = parse_pem(pem.as_bytes()).collect();
        let Ok(items) = items else {
            self.problem(CERT_FILE.name, "names a file that is not PEM");
            return None;
        };
        let certificates: Vec<_> = items
            .into_iter()
            .filter_map(|item| match item {
                PemItem::Certificate(certificate) => Some(certificate),
                _ => None,
            })
            .collect();
        if certificates.is_empty() {
            self.problem(CERT_FILE.name, "names a file without a PEM certificate");
        }
        Some(certificates)
    }

    fn credentials(&mut self, authority: Option<ServiceUrl>, scope: String) -> Option<Credentials> {
        match self.method()? {
            Method::AccessToken => {
                let token = self.required(&ACCESS_TOKEN, Self::secret)?;
                AccessToken::parse(token.expose())
                    .inspect_err(|rule| self.problem(ACCESS_TOKEN.name, *rule))
                    .map(Credentials::AccessToken)
                    .ok()
            }
            Method::ClientSecret => {
                let tenant = self.required(&TENANT_ID, Self::tenant);
                let client_id = self.required(&CLIENT_ID, Self::text);
                let secret = self.required(&CLIENT_SECRET, Self::secret);
                Some(Credentials::ClientSecret(ClientSecret {
                    authority: authority?,
                    tenant: tenant?,
                    client_id: client_id?,
                    secret: secret?,
                    scope,
                }))
            }
        }
    }

    /// What `read` gives, and a problem if it is not set at all.
    fn required<T>(
        &mut self,
        setting: &Setting,
        read: impl FnOnce(&mut Self, &Setting) -> Option<T>,
    ) -> Option<T> {
        if !self.is_set(setting) {
            self.problem(setting.name, format!("is missing: {}", setting.about));
        }
        read(self, setting)
    }

    fn tenant(&mut self, setting: &Setting) -> Option<String> {
        let text = self.text(setting)?;
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        if text.bytes().all(is_allowed) && text.starts_with(|first: char| first != '.') {
            return Some(text);
        }
        self.problem(setting.name, "must be a tenant's GUID or domain name");
        None
    }

    /// The one way to sign in that follows from the settings: never a silent choice between two.
    fn method(&mut self) -> Option<Method> {
        if self.is_set(&AUTH) {
            let name = self.text(&AUTH)?;
            return Method::ALL.into_iter().find(|method| method.name() == name);
        }
        let candidates: Vec<Method> = Method::ALL
            .into_iter()
            .filter(|method| self.is_set(method.sign()))
            .collect();
        match candidates.as_slice() {
            [only] => Some(*only),
            [] if self.is_set(&TENANT_ID) || self.is_set(&CLIENT_ID) => Some(Method::ClientSecret),
            [] => {
                self.problem(
                    AUTH.name,
                    format!(
                        "cannot be derived, because there are no credentials: set {}, {} and {} to sign in with a \
                         client secret, or {} to use a token that you have",
                        TENANT_ID.name, CLIENT_ID.name, CLIENT_SECRET.name, ACCESS_TOKEN.name
                    ),
                );
                None
            }
            several => {
                let signs: Vec<&str> = several.iter().map(|way| way.sign().name).collect();
                let names: Vec<&str> = several.iter().map(|way| way.name()).collect();
                self.problem(
                    AUTH.name,
                    format!(
                        "is needed, because {} are set: name one of {}, or unset the other",
                        signs.join(" and "),
                        names.join(", ")
                    ),
                );
                None
            }
        }
    }
}

fn file_twin(setting: &Setting) -> String {
    format!("{}_FILE", setting.name)
}

fn read_file(path: &str) -> io::Result<String> {
    let mut text = String::new();
    let count = File::open(path)?
        .take(MAX_FILE + 1)
        .read_to_string(&mut text)?;
    if count as u64 > MAX_FILE {
        return Err(io::Error::other(format!(
            "it is larger than {MAX_FILE} bytes"
        )));
    }
    Ok(text)
}

fn unusable(problems: Vec<Violation>) -> Failure {
    Failure::of_violations(
        FailureCode::InvalidSettings,
        "the settings are not usable",
        problems,
        "Nothing was sent; `cancel-machine-action --help` lists the settings.",
    )
}

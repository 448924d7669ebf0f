//! What an operator sets: where the calls go, who makes them, and by which way.

pub mod arguments;
pub mod table;
pub mod variables;
pub mod clouds;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::auth::application::{Application, Proof};
use crate::auth::certificate::ClientCertificate;
use crate::auth::managed_identity::{self, Endpoint, ManagedIdentity};
use crate::auth::secret::Secret;
use crate::auth::{Credentials, SignIn};
use crate::call::Network;
use crate::call::bearer::AccessToken;
use crate::call::proxy::ProxySettings;
use crate::call::sandbox;
use crate::call::service_url::ServiceUrl;
use crate::output::failure::Failure;
use crate::output::log::Log;
use crate::settings::arguments::Invocation;
use crate::settings::clouds::{CLOUDS, Cloud};
use crate::settings::table::{self as variable, Setting};
use crate::settings::variables::{Environment, Reader};
use crate::waiting::deadline::Deadline;

/// The time limit if none is set.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// How the step runs: the command line, and the environment where the command line says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Answer from the embedded Defender.
    pub sandbox: bool,
    /// Many requests, one a line.
    pub batch: bool,
    /// How long to wait until the action is final, if at all.
    pub wait: Option<Duration>,
    /// The time limit of a request.
    pub timeout: Duration,
    /// Say on stderr what is done.
    pub verbose: bool,
}

impl Options {
    /// What `invocation` says, or else the twins that `reader` reads; a wrong one leaves a problem there.
    #[must_use]
    pub fn read(invocation: &Invocation, reader: &mut Reader<'_>) -> Self {
        let sandbox = reader.switch(&variable::SANDBOX);
        let batch = reader.switch(&variable::BATCH);
        let wait = reader.time_limit(&variable::WAIT);
        let timeout = reader.time_limit(&variable::TIMEOUT);
        let verbose = reader.switch(&variable::VERBOSE);
        // Its value is asked for elsewhere, before anything can go wrong; here it is only checked.
        reader.switch(&variable::EXIT_ZERO);
        Self {
            sandbox: invocation.sandbox || sandbox,
            batch: invocation.batch || batch,
            wait: invocation.wait.or(wait),
            timeout: invocation.timeout.or(timeout).unwrap_or(DEFAULT_TIMEOUT),
            verbose: invocation.verbose || verbose,
        }
    }

    /// Says that nothing is real, if so it is.
    pub fn announce_sandbox(&self, log: &mut Log<'_>) {
        if self.sandbox {
            log.notice(
                "sandbox: the embedded Defender answers; nothing is sent, nothing is cancelled.",
            );
        }
    }
}

/// Where the calls go, who makes them, and by which way.
#[derive(Debug)]
pub struct Settings {
    /// The API: what `/api/machineactions/…` is appended to.
    pub base: ServiceUrl,
    /// What a token must be for.
    pub scope: String,
    /// Who calls it.
    pub credentials: Credentials,
    /// How many calls a batch makes in a minute at most; 0 is no limit.
    pub calls_per_minute: u32,
    /// How many calls a batch makes in an hour at most; 0 is no limit.
    pub calls_per_hour: u32,
    /// Where tokens are kept between runs.
    pub token_cache: Option<PathBuf>,
    /// The way to the hosts.
    pub network: Network,
}

impl Settings {
    /// The settings of the step, all of them checked. In the sandbox the embedded Defender's own credentials are used,
    /// and no secret is read. All files are read until `deadline`.
    ///
    /// # Errors
    ///
    /// Everything that is missing or contradictory, by the variable's name, all at once.
    pub fn read(
        mut reader: Reader<'_>,
        sandbox: bool,
        deadline: Deadline,
    ) -> Result<Self, Failure> {
        reader.set_deadline(deadline);
        let cloud = cloud(&mut reader);
        let base = service_url(&mut reader, &variable::BASE_URL, cloud.api);
        let authority = service_url(&mut reader, &variable::AUTHORITY_HOST, cloud.authority);
        let scope = reader
            .text(&variable::SCOPE)
            .unwrap_or_else(|| cloud.scope.to_owned());
        let calls_per_minute = count(&mut reader, &variable::CALLS_PER_MINUTE, 100);
        let calls_per_hour = count(&mut reader, &variable::CALLS_PER_HOUR, 1500);
        let token_cache = reader.text(&variable::TOKEN_CACHE).map(PathBuf::from);
        let network = Network {
            roots: roots(&mut reader),
            proxy: proxy(&mut reader),
        };
        let credentials = if sandbox {
            authority.map(|authority| sandbox_credentials(authority, &scope))
        } else {
            credentials(&mut reader, authority, &scope)
        };
        // Whatever is missing here has left a problem behind.
        let (Some(base), Some(credentials)) = (base, credentials) else {
            return Err(reader.failure());
        };
        reader.finish()?;
        Ok(Self {
            base,
            scope,
            credentials,
            calls_per_minute,
            calls_per_hour,
            token_cache: token_cache.filter(|_| !sandbox),
            network,
        })
    }

    /// What a token must be for: the scope without `/.default`.
    #[must_use]
    pub fn resource(&self) -> &str {
        resource_of(&self.scope)
    }
}

/// The embedded Defender's own app registration, at the sign-in host and for the scope that the settings give.
fn sandbox_credentials(authority: ServiceUrl, scope: &str) -> Credentials {
    Credentials::SignIn(SignIn::Application(Application {
        authority,
        tenant: sandbox::TENANT.to_owned(),
        client_id: sandbox::CLIENT.to_owned(),
        scope: scope.to_owned(),
        proof: Proof::Secret(Secret::new("sandbox".to_owned())),
    }))
}

fn resource_of(scope: &str) -> &str {
    scope.strip_suffix("/.default").unwrap_or(scope)
}

/// Whether `--exit-zero` or its twin is set, however wrong the rest of the command line and the environment is.
#[must_use]
pub fn wants_exit_zero(args: &[OsString], environment: &Environment<'_>) -> bool {
    let option = &variable::EXIT_ZERO;
    let mut options = args.iter().take_while(|argument| *argument != "--");
    options.any(|argument| argument == option.name) || Reader::new(environment).switch(option)
}

fn count(reader: &mut Reader<'_>, setting: &Setting, default: u32) -> u32 {
    let parse = |text: &str| {
        text.parse()
            .map_err(|_| "must be a whole number, 0 for no limit")
    };
    reader.parsed(setting, parse).unwrap_or(default)
}

fn cloud(reader: &mut Reader<'_>) -> &'static Cloud {
    let [commercial, ..] = &CLOUDS;
    let named = reader.text(&variable::CLOUD);
    let find = |name| CLOUDS.iter().find(|cloud| cloud.name == name);
    named.as_deref().and_then(find).unwrap_or(commercial)
}

fn service_url(reader: &mut Reader<'_>, setting: &Setting, default: &str) -> Option<ServiceUrl> {
    if reader.is_set(setting) {
        reader.parsed(setting, ServiceUrl::parse)
    } else {
        ServiceUrl::parse(default).ok()
    }
}

fn roots(reader: &mut Reader<'_>) -> Option<Vec<CertificateDer<'static>>> {
    let path = reader.text(&variable::CERT_FILE)?;
    let name = variable::CERT_FILE.name;
    let pem = reader.file(name, &path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let is_usable = |certificate: &CertificateDer<'_>| {
        let mut store = RootCertStore::empty();
        store.add(certificate.clone().into_owned()).is_ok()
    };
    match certificates {
        Err(_) => reader.problem(name, "names a file that is not PEM"),
        Ok(certificates) if certificates.is_empty() => {
            reader.problem(name, "names a file without a PEM certificate");
        }
        Ok(certificates) if !certificates.iter().any(is_usable) => {
            reader.problem(name, "names a file without a certificate that can be read");
        }
        Ok(certificates) => return Some(certificates),
    }
    None
}

/// The proxy, from the variables in upper or lower case, as other programs read them.
fn proxy(reader: &mut Reader<'_>) -> Option<ProxySettings> {
    let either = |reader: &mut Reader<'_>, setting: &Setting| {
        let lower_case = setting.name.to_ascii_lowercase();
        reader
            .value(setting.name)
            .or_else(|| reader.value(&lower_case))
    };
    let url = either(reader, &variable::HTTPS_PROXY)?;
    let exceptions = either(reader, &variable::NO_PROXY).unwrap_or_default();
    ProxySettings::parse(&url, &exceptions)
        .inspect_err(|rule| reader.problem(variable::HTTPS_PROXY.name, *rule))
        .ok()
}

/// A way to sign in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    AccessToken,
    ClientSecret,
    ClientCertificate,
    FederatedToken,
    ManagedIdentity,
}

impl Method {
    /// In the order of their names in `MDE_AUTH`.
    const ALL: [Self; 5] = [
        Self::AccessToken,
        Self::ClientSecret,
        Self::ClientCertificate,
        Self::FederatedToken,
        Self::ManagedIdentity,
    ];

    /// The variable by whose presence the settings choose this way.
    fn sign(self) -> &'static Setting {
        match self {
            Self::AccessToken => &variable::ACCESS_TOKEN,
            Self::ClientSecret => &variable::CLIENT_SECRET,
            Self::ClientCertificate => &variable::CLIENT_CERTIFICATE_PATH,
            Self::FederatedToken => &variable::FEDERATED_TOKEN_FILE,
            Self::ManagedIdentity => &variable::IDENTITY_ENDPOINT,
        }
    }

    fn name(self) -> &'static str {
        let mut named = Self::ALL.into_iter().zip(variable::AUTH_METHODS);
        let found = named.find(|(method, _)| *method == self);
        found.map_or("", |(_, name)| name)
    }
}

/// The one way to sign in that follows from the settings: never a silent choice between two.
fn method(reader: &mut Reader<'_>) -> Option<Method> {
    if reader.is_set(&variable::AUTH) {
        let name = reader.text(&variable::AUTH)?;
        return Method::ALL.into_iter().find(|method| method.name() == name);
    }
    let candidates: Vec<Method> = Method::ALL
        .into_iter()
        .filter(|method| reader.is_set(method.sign()))
        .collect();
    match candidates.as_slice() {
        [only] => Some(*only),
        [] => {
            reader.problem(
                variable::AUTH.name,
                "cannot be derived, because there are no credentials: set AZURE_TENANT_ID, AZURE_CLIENT_ID and one of \
                 AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH and AZURE_FEDERATED_TOKEN_FILE; or \
                 MDE_AUTH=managed-identity; or MDE_ACCESS_TOKEN",
            );
            None
        }
        several => {
            let signs: Vec<String> = several
                .iter()
                .map(|way| reader.name_set(way.sign()))
                .collect();
            let names: Vec<&str> = several.iter().map(|way| way.name()).collect();
            reader.problem(
                variable::AUTH.name,
                format!(
                    "is needed, because {} are set: name one of {}, or unset the others",
                    signs.join(" and "),
                    names.join(", ")
                ),
            );
            None
        }
    }
}

fn credentials(
    reader: &mut Reader<'_>,
    authority: Option<ServiceUrl>,
    scope: &str,
) -> Option<Credentials> {
    reader.reject_both(&variable::ACCESS_TOKEN);
    reader.reject_both(&variable::CLIENT_SECRET);
    let tenant = tenant(reader);
    let method = method(reader)?;
    let proof = match method {
        Method::AccessToken => {
            let token = |secret: &Secret| AccessToken::parse(secret.expose());
            reader.require(&variable::ACCESS_TOKEN);
            let token = reader.secret(&variable::ACCESS_TOKEN, token)?;
            return Some(Credentials::AccessToken(token));
        }
        Method::ManagedIdentity => {
            let identity = managed_identity(reader, scope)?;
            return Some(Credentials::SignIn(SignIn::ManagedIdentity(identity)));
        }
        Method::ClientSecret => {
            reader.require(&variable::CLIENT_SECRET);
            let secret = reader.secret(&variable::CLIENT_SECRET, |secret| Ok(secret.clone()));
            secret.map(Proof::Secret)
        }
        Method::ClientCertificate => {
            reader.require(&variable::CLIENT_CERTIFICATE_PATH);
            certificate(reader)
        }
        Method::FederatedToken => {
            reader.require(&variable::FEDERATED_TOKEN_FILE);
            let path = reader.text(&variable::FEDERATED_TOKEN_FILE);
            path.map(Proof::FederatedTokenFile)
        }
    };
    reader.require(&variable::TENANT_ID);
    reader.require(&variable::CLIENT_ID);
    let client_id = reader.text(&variable::CLIENT_ID);
    Some(Credentials::SignIn(SignIn::Application(Application {
        authority: authority?,
        tenant: tenant?,
        client_id: client_id?,
        scope: scope.to_owned(),
        proof: proof?,
    })))
}

fn certificate(reader: &mut Reader<'_>) -> Option<Proof> {
    let setting = &variable::CLIENT_CERTIFICATE_PATH;
    let path = reader.text(setting)?;
    let bytes = reader.file(setting.name, &path)?;
    ClientCertificate::parse(&bytes, SystemTime::now())
        .inspect_err(|rule| reader.problem(setting.name, *rule))
        .map(|certificate| Proof::Certificate(Box::new(certificate)))
        .ok()
}

fn tenant(reader: &mut Reader<'_>) -> Option<String> {
    reader.parsed(&variable::TENANT_ID, |text| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        if text.bytes().all(is_allowed) && !text.starts_with('.') {
            Ok(text.to_owned())
        } else {
            Err("must be a tenant's GUID or domain name")
        }
    })
}

/// The endpoint that App Service names, or else the metadata service; neither is probed.
fn managed_identity(reader: &mut Reader<'_>, scope: &str) -> Option<ManagedIdentity> {
    let endpoint = if reader.is_set(&variable::IDENTITY_ENDPOINT) {
        let url = reader.parsed(&variable::IDENTITY_ENDPOINT, ServiceUrl::parse_local);
        reader.require(&variable::IDENTITY_HEADER);
        let header = reader.secret(&variable::IDENTITY_HEADER, header_value);
        Endpoint::AppService {
            url: url?,
            header: header?,
        }
    } else if reader.is_set(&variable::IMDS_HOST) {
        let url = reader.parsed(&variable::IMDS_HOST, ServiceUrl::parse_local);
        Endpoint::Imds { url: url? }
    } else {
        let url = ServiceUrl::parse_local(managed_identity::IMDS);
        Endpoint::Imds { url: url.ok()? }
    };
    Some(ManagedIdentity {
        endpoint,
        resource: resource_of(scope).to_owned(),
        client_id: reader.text(&variable::CLIENT_ID),
    })
}

fn header_value(secret: &Secret) -> Result<Secret, &'static str> {
    if secret.expose().is_ascii() {
        Ok(secret.clone())
    } else {
        Err("must be ASCII")
    }
}

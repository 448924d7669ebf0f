//! The one method to sign in that follows from the settings.

use std::time::SystemTime;

use crate::auth::app_registration::{Application, Proof};
use crate::auth::certificate::ClientCertificate;
use crate::auth::managed_identity::{self, Endpoint, ManagedIdentity};
use crate::auth::secret::Secret;
use crate::auth::{Credentials, SignIn};
use crate::call::bearer::AccessToken;
use crate::call::sandbox;
use crate::call::service_url::ServiceUrl;
use crate::settings::environment::Reader;
use crate::settings::variables::{
    ACCESS_TOKEN, AUTH, AUTH_METHODS, CLIENT_CERTIFICATE_PATH, CLIENT_ID, CLIENT_SECRET,
    FEDERATED_TOKEN_FILE, IDENTITY_ENDPOINT, IDENTITY_HEADER, IMDS_HOST, Setting, TENANT_ID,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    AccessToken,
    ClientSecret,
    ClientCertificate,
    FederatedToken,
    ManagedIdentity,
}

/// Every method with its name in `MDE_AUTH`, and the variable whose presence selects it.
const METHODS: [(Method, &str, &Setting); 5] = {
    let [token, secret, certificate, federated, managed] = AUTH_METHODS;
    [
        (Method::AccessToken, token, &ACCESS_TOKEN),
        (Method::ClientSecret, secret, &CLIENT_SECRET),
        (
            Method::ClientCertificate,
            certificate,
            &CLIENT_CERTIFICATE_PATH,
        ),
        (Method::FederatedToken, federated, &FEDERATED_TOKEN_FILE),
        (Method::ManagedIdentity, managed, &IDENTITY_ENDPOINT),
    ]
};

/// Returns the embedded Defender's own app registration.
pub(super) fn of_sandbox(authority: ServiceUrl, scope: &str) -> Credentials {
    Credentials::SignIn(SignIn::Application(Application {
        authority,
        tenant: sandbox::TENANT.to_owned(),
        client_id: sandbox::CLIENT.to_owned(),
        scope: scope.to_owned(),
        proof: Proof::Secret(Secret::new("sandbox".to_owned())),
    }))
}

/// Returns what a token for `scope` must be for.
pub(super) fn resource_of(scope: &str) -> &str {
    scope.strip_suffix("/.default").unwrap_or(scope)
}

/// Reads the credentials; whatever is missing leaves a problem in `reader`.
pub(super) fn read(
    reader: &mut Reader<'_>,
    authority: Option<ServiceUrl>,
    scope: &str,
) -> Option<Credentials> {
    reader.reject_both(&ACCESS_TOKEN);
    reader.reject_both(&CLIENT_SECRET);
    let tenant = tenant(reader);
    let (method, _, setting) = method(reader)?;
    if method != Method::ManagedIdentity {
        reader.require(setting);
    }
    let proof = match method {
        Method::AccessToken => return access_token(reader),
        Method::ManagedIdentity => return managed_identity(reader, scope),
        Method::ClientSecret => client_secret(reader),
        Method::ClientCertificate => certificate(reader),
        Method::FederatedToken => reader.text(setting).map(Proof::FederatedTokenFile),
    };
    reader.require(&TENANT_ID);
    reader.require(&CLIENT_ID);
    let client_id = reader.text(&CLIENT_ID);
    Some(Credentials::SignIn(SignIn::Application(Application {
        authority: authority?,
        tenant: tenant?,
        client_id: client_id?,
        scope: scope.to_owned(),
        proof: proof?,
    })))
}

/// Returns the method that is named, or the only one that is possible: never a silent choice between two.
fn method(reader: &mut Reader<'_>) -> Option<(Method, &'static str, &'static Setting)> {
    if reader.is_set(&AUTH) {
        let wanted = reader.text(&AUTH)?;
        return METHODS.into_iter().find(|(_, name, _)| *name == wanted);
    }
    let mut candidates = METHODS.to_vec();
    candidates.retain(|(.., setting)| reader.is_set(setting));
    if let [only] = candidates.as_slice() {
        return Some(*only);
    }
    let settings = candidates
        .iter()
        .map(|(.., setting)| reader.name_set(setting));
    let settings: Vec<String> = settings.collect();
    let names: Vec<&str> = candidates.iter().map(|(_, name, _)| *name).collect();
    match names.is_empty() {
        true => reader.problem("", NO_CREDENTIALS),
        false => {
            let rule = format!(
                "must be set, because {} are set: set it to one of {}, or unset the others",
                settings.join(" and "),
                names.join(", ")
            );
            reader.problem(AUTH.name, rule);
        }
    }
    None
}

/// What is said of an environment from which no method follows.
const NO_CREDENTIALS: &str = "has no credentials: set AZURE_TENANT_ID, AZURE_CLIENT_ID and one of AZURE_CLIENT_SECRET \
     (or AZURE_CLIENT_SECRET_FILE), AZURE_CLIENT_CERTIFICATE_PATH and AZURE_FEDERATED_TOKEN_FILE; or set \
     MDE_AUTH=managed-identity; or set MDE_ACCESS_TOKEN (or MDE_ACCESS_TOKEN_FILE)";

fn access_token(reader: &mut Reader<'_>) -> Option<Credentials> {
    let token = |secret: &Secret| AccessToken::parse(secret.expose());
    let token = reader.secret(&ACCESS_TOKEN, token)?;
    Some(Credentials::AccessToken(token))
}

fn client_secret(reader: &mut Reader<'_>) -> Option<Proof> {
    let secret = reader.secret(&CLIENT_SECRET, |secret| Ok(secret.clone()));
    secret.map(Proof::Secret)
}

fn certificate(reader: &mut Reader<'_>) -> Option<Proof> {
    let setting = &CLIENT_CERTIFICATE_PATH;
    let path = reader.text(setting)?;
    let bytes = reader.file(setting.name, &path)?;
    ClientCertificate::parse(&bytes, SystemTime::now())
        .inspect_err(|rule| reader.problem(setting.name, *rule))
        .map(|certificate| Proof::Certificate(Box::new(certificate)))
        .ok()
}

fn tenant(reader: &mut Reader<'_>) -> Option<String> {
    reader.parsed(&TENANT_ID, |text| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        if text.bytes().all(is_allowed) && !text.starts_with('.') {
            Ok(text.to_owned())
        } else {
            Err("must be a tenant's GUID or domain name")
        }
    })
}

fn managed_identity(reader: &mut Reader<'_>, scope: &str) -> Option<Credentials> {
    let endpoint = endpoint(reader)?;
    let client_id = reader.text(&CLIENT_ID);
    Some(Credentials::SignIn(SignIn::ManagedIdentity(
        ManagedIdentity {
            endpoint,
            resource: resource_of(scope).to_owned(),
            client_id,
        },
    )))
}

/// Returns the endpoint that App Service names, or else the metadata service; neither is probed.
fn endpoint(reader: &mut Reader<'_>) -> Option<Endpoint> {
    if reader.is_set(&IDENTITY_ENDPOINT) {
        let url = reader.parsed(&IDENTITY_ENDPOINT, ServiceUrl::parse_local);
        reader.require(&IDENTITY_HEADER);
        let header = reader.secret(&IDENTITY_HEADER, header_value);
        return Some(Endpoint::AppService {
            url: url?,
            header: header?,
        });
    }
    let url = match reader.is_set(&IMDS_HOST) {
        true => reader.parsed(&IMDS_HOST, ServiceUrl::parse_local),
        false => ServiceUrl::parse_local(managed_identity::IMDS).ok(),
    };
    Some(Endpoint::Imds { url: url? })
}

fn header_value(secret: &Secret) -> Result<Secret, &'static str> {
    if secret.expose().is_ascii() {
        Ok(secret.clone())
    } else {
        Err("must have only ASCII characters")
    }
}

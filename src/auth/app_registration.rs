//! An app registration signs in with a secret, a certificate, or another provider's token.
//!
//! Sources: "Microsoft identity platform and the OAuth 2.0 client credentials flow"; "Workload identity federation".

use std::fmt;
use std::time::SystemTime;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::header::{ACCEPT, CONTENT_TYPE};
use ureq::http::{Request, StatusCode};

use crate::auth::assertion;
use crate::auth::certificate::ClientCertificate;
use crate::auth::grant::TokenRequest;
use crate::auth::secret::Secret;
use crate::auth::sign_in_refusal;
use crate::call::service_url::{ServiceUrl, not_a_url};
use crate::call::{Call, MAX_TRIES};
use crate::output::failure::{Failure, FailureCode};
use crate::output::retry_policy::may_pass;
use crate::output::violation::Violation;
use crate::waiting::deadline::Deadline;
use crate::waiting::stream::read_file;

/// The variable that names the file of a federated token.
pub(crate) const FEDERATED_TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";

/// Asks the sign-in service for a token.
pub(crate) const SIGN_IN: Call = Call {
    name: "signing in",
    host_setting: "AZURE_AUTHORITY_HOST",
    is_of_the_api: false,
    may_be_proxied: true,
    may_change_something: false,
    max_tries: MAX_TRIES,
    is_streamed: false,
    if_not_sent: "Nothing was cancelled.",
    if_lost: "Nothing was cancelled.",
    may_pass: |received| {
        may_pass(received.status.as_u16())
            || (received.status != StatusCode::OK && sign_in_refusal::is_transient(received))
    },
};

pub(crate) struct Application {
    pub(crate) authority: ServiceUrl,
    /// The tenant's GUID or domain name: one path segment.
    pub(crate) tenant: String,
    pub(crate) client_id: String,
    pub(crate) scope: String,
    pub(crate) proof: Proof,
}

/// What proves that a caller is the application.
pub(crate) enum Proof {
    Secret(Secret),
    /// A certificate, whose private key signs an assertion.
    Certificate(Box<ClientCertificate>),
    /// The file with the token of the workload's own identity provider, which replaces it before it expires.
    FederatedTokenFile(String),
}

impl Proof {
    /// The proof's name, as `MDE_AUTH` has it.
    fn name(&self) -> &'static str {
        match self {
            Self::Secret(_) => "client-secret",
            Self::Certificate(_) => "client-certificate",
            Self::FederatedTokenFile(_) => "federated-token",
        }
    }

    /// The secret, or the assertion that stands for it.
    fn secret(
        &self,
        token_url: &str,
        client_id: &str,
        now: SystemTime,
        deadline: Deadline,
    ) -> Result<Secret, Failure> {
        let assertion = match self {
            Self::Secret(secret) => return Ok(secret.clone()),
            Self::Certificate(certificate) => {
                assertion::sign(certificate, token_url, client_id, now).map_err(|_| not_signed())?
            }
            Self::FederatedTokenFile(path) => federated_token(path, deadline)?,
        };
        Ok(Secret::new(assertion))
    }

    /// What the form says of `secret`.
    fn form_fields<'a>(&self, secret: &'a Secret) -> Vec<(&'static str, &'a str)> {
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        match self {
            Self::Secret(_) => vec![("client_secret", secret.expose())],
            Self::Certificate(_) | Self::FederatedTokenFile(_) => vec![
                ("client_assertion_type", kind),
                ("client_assertion", secret.expose()),
            ],
        }
    }
}

fn not_signed() -> Failure {
    Failure::new(
        FailureCode::InvalidSettings,
        "the assertion cannot be signed, because the system has no random numbers. Nothing was sent.",
    )
}

fn federated_token(path: &str, deadline: Deadline) -> Result<String, Failure> {
    let unusable = |message: String| {
        Failure::of_violations(
            FailureCode::InvalidSettings,
            "the settings are not usable",
            vec![Violation::of_setting(FEDERATED_TOKEN_FILE, message)],
            "Nothing was sent; check that the platform provides the token, and that this user may read it.",
        )
    };
    let bytes = read_file(path, deadline)
        .map_err(|error| unusable(format!("names a file that cannot be read: {error}")))?;
    let token = str::from_utf8(&bytes).unwrap_or_default().trim();
    if token.is_empty() || token.contains(|letter: char| letter.is_whitespace()) {
        return Err(unusable("names a file without a token".to_owned()));
    }
    Ok(token.to_owned())
}

impl Application {
    /// The call that asks for a token.
    pub(super) fn request(
        &self,
        now: SystemTime,
        deadline: Deadline,
    ) -> Result<TokenRequest, Failure> {
        let url = self
            .authority
            .join(&format!("/{}/oauth2/v2.0/token", self.tenant));
        let proof = self.proof.secret(&url, &self.client_id, now, deadline)?;
        let call = Request::post(url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .body(self.form(&proof).into_bytes())
            .map_err(|error| not_a_url(&error))?;
        Ok(TokenRequest {
            call,
            proof: Some(proof),
        })
    }

    fn form(&self, proof: &Secret) -> String {
        let mut fields = vec![
            ("client_id", self.client_id.as_str()),
            ("scope", &self.scope),
        ];
        fields.extend(self.proof.form_fields(proof));
        fields.push(("grant_type", "client_credentials"));
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let fields = fields.iter();
        let form: Vec<String> = fields
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        form.join("&")
    }
}

impl fmt::Display for Application {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "application {} of tenant {} with its {} at {}",
            self.client_id,
            self.tenant,
            self.proof.name(),
            self.authority
        )
    }
}

//! Credentials become a bearer token. This file describes the calls of a sign-in; `send` makes them.

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use ureq::http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use ureq::http::{Request, StatusCode};

use crate::error::{Failure, FailureCode};
use crate::request;
use crate::response::{self, Received};
use crate::secret::Secret;
use crate::settings::ServiceUrl;

/// Who calls the API.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A token that was given; it cannot be renewed.
    AccessToken(AccessToken),
    /// An app registration with a client secret.
    ClientSecret(ClientSecret),
}

/// A bearer token (RFC 6750), ready to stand in a header; never printed.
#[derive(Clone)]
pub struct AccessToken(HeaderValue);

impl AccessToken {
    /// The token that `text` is.
    ///
    /// # Errors
    ///
    /// The rule that `text` breaks.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const RULE: &str = "must be a bearer token: letters, digits and -._~+/= alone";
        let begins_with = |word: &str| {
            text.get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        if begins_with("bearer ") {
            return Err("must be the token alone, without \"Bearer \" before it");
        }
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if text.is_empty() || !text.bytes().all(is_allowed) {
            return Err(RULE);
        }
        let mut value = HeaderValue::try_from(format!("Bearer {text}")).map_err(|_| RULE)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// The value of the `Authorization` header.
    #[must_use]
    pub fn header_value(&self) -> &HeaderValue {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AccessToken")
    }
}

/// An app registration that signs in with a client secret.
///
/// Source: "Microsoft identity platform and the OAuth 2.0 client credentials flow".
#[derive(Clone, Debug)]
pub struct ClientSecret {
    /// The sign-in host.
    pub authority: ServiceUrl,
    /// The tenant's GUID or domain name: one path segment.
    pub tenant: String,
    /// The application's id.
    pub client_id: String,
    /// The client secret.
    pub secret: Secret,
    /// What the token is for.
    pub scope: String,
}

impl ClientSecret {
    /// The call that asks for a token.
    ///
    /// # Errors
    ///
    /// The authority and the tenant do not make a URL.
    pub fn request(&self) -> Result<Request<Vec<u8>>, Failure> {
        let path = format!("/{}/oauth2/v2.0/token", self.tenant);
        let form = [
            ("client_id", self.client_id.as_str()),
            ("scope", &self.scope),
            ("client_secret", self.secret.expose()),
            ("grant_type", "client_credentials"),
        ]
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
        .join("&");
        Request::post(self.authority.join(&path))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .body(form.into_bytes())
            .map_err(|error| request::not_a_url(&error))
    }

    /// The token that the sign-in service gave.
    ///
    /// # Errors
    ///
    /// It refused, with its code and the first line of what it said; or it gave no token.
    pub fn token(&self, received: &Received) -> Result<AccessToken, Failure> {
        let body = response::decoded_body(received).unwrap_or_default();
        if received.status == StatusCode::OK {
            let granted: Option<Grant> = serde_json::from_slice(&body).ok();
            let token = granted.and_then(|grant| AccessToken::parse(&grant.access_token).ok());
            return token.ok_or_else(|| self.unavailable(received));
        }
        match serde_json::from_slice::<Refusal>(&body) {
            Ok(refusal) => Err(self.refused(received, &refusal)),
            Err(_) => Err(self.unavailable(received)),
        }
    }

    fn refused(&self, received: &Received, refusal: &Refusal) -> Failure {
        let code = if refusal.is_transient() || is_transient(received.status) {
            FailureCode::SignInUnavailable
        } else {
            FailureCode::SignInRefused
        };
        let said = self.secret.redact(&refusal.first_line());
        let hint = refusal.hint();
        let mut failure = Failure::new(
            code,
            format!(
                "sign-in at {} was refused: {said} {hint} Nothing was cancelled.",
                self.authority
            ),
        );
        failure.retry_after_seconds = response::retry_after_seconds(received);
        failure
    }

    /// The answer is neither a token nor a refusal: a proxy's page, a wrong host.
    fn unavailable(&self, received: &Received) -> Failure {
        let mut failure = Failure::new(
            FailureCode::SignInUnavailable,
            format!(
                "sign-in at {} brought no token, but an answer of status {} that is none of the sign-in service's. \
                 Check AZURE_AUTHORITY_HOST, AZURE_TENANT_ID and what stands between. Nothing was cancelled.",
                self.authority,
                received.status.as_u16()
            ),
        );
        failure.retryable = is_transient(received.status);
        failure.retry_after_seconds = response::retry_after_seconds(received);
        failure
    }
}

fn is_transient(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

#[derive(Deserialize)]
struct Grant {
    access_token: String,
}

/// A refusal of the sign-in service (RFC 6749, section 5.2). Its trace ids and times stay out of every message.
#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Refusal {
    /// The longest text of the sign-in service that a message repeats, in characters.
    const MAX_SHOWN: usize = 400;

    /// The code, and the description without the trace that follows it: `invalid_client: AADSTS7000215: …`
    fn first_line(&self) -> String {
        let description = self.error_description.lines().next().unwrap_or_default();
        let description = description.split(" Trace ID:").next().unwrap_or_default();
        let text = match description {
            "" => format!("{}.", self.error),
            _ => format!("{}: {description}", self.error),
        };
        text.chars().take(Self::MAX_SHOWN).collect()
    }

    /// The number behind `AADSTS`, which tells one reason from another.
    fn number(&self) -> Option<u32> {
        let (_, rest) = self.error_description.split_once("AADSTS")?;
        let digits = rest
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(rest.len());
        rest.get(..digits)?.parse().ok()
    }

    /// Source of the numbers: "Microsoft Entra authentication & authorization error codes".
    fn is_transient(&self) -> bool {
        matches!(self.number(), Some(90055 | 90024 | 90006 | 90033))
            || self.error == "temporarily_unavailable"
    }

    /// What helps. Source of the numbers: as above.
    fn hint(&self) -> &'static str {
        match self.number() {
            Some(7_000_215) => {
                "Set AZURE_CLIENT_SECRET to the secret's value: its id does not sign in."
            }
            Some(7_000_222) => {
                "The client secret has expired: create a new one and set AZURE_CLIENT_SECRET to its value."
            }
            Some(700_016) => {
                "The tenant has no such application: check AZURE_CLIENT_ID and AZURE_TENANT_ID."
            }
            Some(90_002) => {
                "There is no such tenant: check AZURE_TENANT_ID, and MDE_CLOUD if it is a government tenant."
            }
            Some(90_038 | 900_382 | 900_432) => {
                "The tenant is in another national cloud: set MDE_CLOUD."
            }
            Some(500_011) => {
                "The tenant does not know the API: check MDE_SCOPE and MDE_CLOUD, and that the tenant has Defender for \
                 Endpoint."
            }
            Some(70_011) => "Check MDE_SCOPE: it must be one resource followed by /.default.",
            Some(7_000_112) => {
                "The application is disabled: enable it under Enterprise applications."
            }
            Some(50_012) => {
                "Check that the certificate is uploaded to the app registration and that the key belongs to it."
            }
            Some(700_024) => "Set this machine's clock: the assertion is outside its time.",
            Some(70_021) => {
                "No federated credential of the app registration matches the token's issuer, subject and audience."
            }
            _ if self.is_transient() => "Try again shortly.",
            _ => "Check AZURE_TENANT_ID, AZURE_CLIENT_ID and the credential.",
        }
    }
}

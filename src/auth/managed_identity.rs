//! A managed identity of Azure: the platform vouches for the machine or the app that asks.
//!
//! Sources: "How to use managed identities for App Service and Azure Functions", "REST endpoint reference"; "How to use
//! managed identities for Azure resources on an Azure VM to acquire an access token".

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::Request;

use super::TokenRequest;
use super::refusal::Refusal;
use crate::auth::secret::Secret;
use crate::call::Call;
use crate::call::received::{self, Received};
use crate::call::service_url::{ServiceUrl, not_a_url};
use crate::output::failure::{Failure, FailureCode};

/// Asks the platform for a token.
///
/// Source of what may pass: "How to use managed identities for Azure resources on an Azure VM to acquire an access
/// token", "Retry guidance".
pub static ASK_THE_PLATFORM: Call = Call {
    name: "signing in",
    host_setting: "IDENTITY_ENDPOINT, MDE_AUTH",
    is_of_the_api: false,
    // What the platform itself answers is never asked through a proxy.
    may_be_proxied: false,
    may_change_something: false,
    if_not_sent: "Nothing was cancelled.",
    if_lost: "Nothing was cancelled.",
    may_pass: |received| matches!(received.status.as_u16(), 404 | 410 | 429 | 500..=599),
};

/// A managed identity.
#[derive(Debug)]
pub struct ManagedIdentity {
    /// Who is asked for the token.
    pub endpoint: Endpoint,
    /// What the token is for: the scope without `/.default`.
    pub resource: String,
    /// The client id of a user-assigned identity; the system-assigned one otherwise.
    pub client_id: Option<String>,
}

/// Who gives a managed identity its tokens.
#[derive(Debug)]
pub enum Endpoint {
    /// The endpoint that App Service, Functions and Container Apps set up for each app.
    AppService {
        /// Its URL.
        url: ServiceUrl,
        /// What proves that the caller runs in the app.
        header: Secret,
    },
    /// The instance metadata service of a virtual machine.
    Imds {
        /// Its URL.
        url: ServiceUrl,
    },
}

/// The instance metadata service of a virtual machine.
pub const IMDS: &str = "http://169.254.169.254";

impl ManagedIdentity {
    /// The call that asks for a token.
    pub(super) fn request(&self) -> Result<TokenRequest, Failure> {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let mut query = format!("resource={}", encode(&self.resource));
        if let Some(client_id) = &self.client_id {
            query += &format!("&client_id={}", encode(client_id));
        }
        let request = match &self.endpoint {
            Endpoint::AppService { url, header } => {
                Request::get(url.join(&format!("?api-version=2019-08-01&{query}")))
                    .header("X-IDENTITY-HEADER", header.expose())
            }
            Endpoint::Imds { url } => {
                let path =
                    format!("/metadata/identity/oauth2/token?api-version=2018-02-01&{query}");
                Request::get(url.join(&path)).header("Metadata", "true")
            }
        };
        let call = request.body(Vec::new());
        Ok(TokenRequest {
            call: call.map_err(|error| not_a_url(&error))?,
            proof: match &self.endpoint {
                Endpoint::AppService { header, .. } => Some(header.clone()),
                Endpoint::Imds { .. } => None,
            },
        })
    }

    /// The failure that the endpoint's answer is.
    pub(super) fn refused(&self, received: &Received, proof: Option<&Secret>) -> Failure {
        let body = received::decoded_body(received).unwrap_or_default();
        let Ok(refusal) = serde_json::from_slice::<Refusal>(&body) else {
            return self.unavailable(received);
        };
        let said = refusal.sentence(proof);
        let code = if (ASK_THE_PLATFORM.may_pass)(received) {
            FailureCode::SignInUnavailable
        } else {
            FailureCode::SignInRefused
        };
        let message = format!(
            "the managed identity's endpoint at {} refused: {said} Check that an identity is assigned to this machine or \
             app, and AZURE_CLIENT_ID if it is a user-assigned one. Nothing was cancelled.",
            self.url()
        );
        Failure {
            retry_after_seconds: received::retry_after_seconds(received),
            ..Failure::new(code, message)
        }
    }

    /// The failure of an answer that is neither a token nor a refusal.
    pub(super) fn unavailable(&self, received: &Received) -> Failure {
        let message = format!(
            "the managed identity's endpoint at {} brought no token, but an answer of status {}. Check that this machine \
             or app has a managed identity. Nothing was cancelled.",
            self.url(),
            received.status.as_u16()
        );
        Failure {
            retryable: (ASK_THE_PLATFORM.may_pass)(received),
            retry_after_seconds: received::retry_after_seconds(received),
            ..Failure::new(FailureCode::SignInUnavailable, message)
        }
    }

    fn url(&self) -> &ServiceUrl {
        match &self.endpoint {
            Endpoint::AppService { url, .. } | Endpoint::Imds { url } => url,
        }
    }
}

impl fmt::Display for ManagedIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.client_id {
            Some(id) => write!(formatter, "user-assigned managed identity {id}")?,
            None => write!(formatter, "system-assigned managed identity")?,
        }
        write!(formatter, " at {}", self.url())
    }
}

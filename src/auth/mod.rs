//! Credentials become a bearer token. `session` asks for it, by calls that `app_registration` and `managed_identity`
//! describe.

pub(crate) mod session;
mod cache;
pub(crate) mod app_registration;
pub(crate) mod certificate;
mod assertion;
pub(crate) mod managed_identity;
pub(crate) mod sign_in_refusal;
mod grant;
pub(crate) mod permissions;
pub(crate) mod claims;
pub mod secret;
mod decodings;

use std::fmt;
use std::time::SystemTime;

use ureq::http::StatusCode;

use self::app_registration::Application;
use self::grant::{Grant, TokenRequest};
use self::managed_identity::ManagedIdentity;
use self::secret::Secret;
use self::sign_in_refusal::Refusal;
use crate::call::Call;
use crate::call::bearer::AccessToken;
use crate::call::received::{self, Received};
use crate::output::failure::{Failure, FailureCode};
use crate::waiting::deadline::Deadline;

/// Who calls the API.
pub(crate) enum Credentials {
    /// A token that was given; it cannot be renewed.
    AccessToken(AccessToken),
    SignIn(SignIn),
}

/// An identity that signs in.
pub(crate) enum SignIn {
    Application(Application),
    ManagedIdentity(ManagedIdentity),
}

impl SignIn {
    fn call(&self) -> &'static Call {
        match self {
            Self::Application(_) => &app_registration::SIGN_IN,
            Self::ManagedIdentity(_) => &managed_identity::ASK_THE_PLATFORM,
        }
    }

    /// Describes the call that asks for a token. A file that it needs is read until `deadline`. Fails if the settings
    /// do not make a URL, or that file cannot be read any more.
    fn request(&self, now: SystemTime, deadline: Deadline) -> Result<TokenRequest, Failure> {
        match self {
            Self::Application(application) => application.request(now, deadline),
            Self::ManagedIdentity(identity) => identity.request(),
        }
    }

    /// Returns the token that was given, or the refusal with its code and the first line of what was said. That does
    /// not repeat `proof`.
    pub(crate) fn grant(
        &self,
        received: &Received,
        proof: Option<&Secret>,
    ) -> Result<Grant, Failure> {
        let is_granted = received.status == StatusCode::OK;
        let body = received.decoded();
        if is_granted && let Ok(grant) = serde_json::from_slice(body) {
            return Ok(grant);
        }
        // Some statuses are worth another run, but no other try in this one.
        let may_pass = (self.call().may_pass)(received) || received.status.is_server_error();
        let retry_after_seconds = received::retry_after_seconds(received);
        let again = match retry_after_seconds {
            Some(seconds) => &format!("Try again in {seconds} s."),
            None => "Try again later.",
        };
        let again = may_pass.then_some(again);
        let (code, message) = match serde_json::from_slice::<Refusal>(body) {
            Ok(refusal) if !is_granted && refusal.says_why() => {
                self.refused(&refusal, proof, again)
            }
            _ => self.no_token(received.status, again),
        };
        Err(Failure {
            retryable: may_pass,
            retry_after_seconds,
            ..Failure::new(code, format!("{message} Nothing was cancelled."))
        })
    }

    /// What is said of a refusal; `again` is the remedy if it may pass by itself.
    fn refused(
        &self,
        refusal: &Refusal,
        proof: Option<&Secret>,
        again: Option<&str>,
    ) -> (FailureCode, String) {
        let said = refusal.sentence(proof);
        let message = match self {
            Self::Application(Application { authority, .. }) => match again {
                Some(again) => {
                    format!("sign-in at {authority} is not available now: {said} {again}")
                }
                None => {
                    let hint = refusal.hint();
                    format!("sign-in at {authority} was refused: {said} {hint}")
                }
            },
            Self::ManagedIdentity(identity) => format!(
                "the managed identity endpoint at {} refused: {said} Check that a managed identity is assigned to this machine \
                 or app. For a user-assigned identity, check AZURE_CLIENT_ID.",
                identity.url()
            ),
        };
        let code = match again {
            Some(_) => FailureCode::SignInUnavailable,
            None => FailureCode::SignInRefused,
        };
        (code, message)
    }

    /// What is said of an answer that is neither a token nor a refusal: a proxy's page, a wrong host.
    fn no_token(&self, status: StatusCode, again: Option<&str>) -> (FailureCode, String) {
        let status = status.as_u16();
        let message = match self {
            Self::Application(Application { authority, .. }) => {
                let remedy = again.unwrap_or(
                    "Check AZURE_AUTHORITY_HOST and AZURE_TENANT_ID, and any proxy in between.",
                );
                format!(
                    "sign-in at {authority} failed: HTTP {status}, with neither a token nor an error of the sign-in service. \
                     {remedy}"
                )
            }
            Self::ManagedIdentity(identity) => format!(
                "the managed identity endpoint at {} failed: HTTP {status}, with neither a token nor an error. Check that this \
                 machine or app has a managed identity.",
                identity.url()
            ),
        };
        let code = match again {
            Some(_) => FailureCode::SignInUnavailable,
            None => FailureCode::InvalidAnswer,
        };
        (code, message)
    }
}

impl fmt::Display for SignIn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Application(application) => application.fmt(formatter),
            Self::ManagedIdentity(identity) => identity.fmt(formatter),
        }
    }
}

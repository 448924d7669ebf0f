//! Credentials become a bearer token. These files describe the calls of a sign-in; `send` makes them.

pub mod session;
pub mod application;
pub mod cache;
pub mod readings;
pub mod secret;
pub mod certificate;
pub mod claims;
pub mod managed_identity;
pub mod refusal;

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use ureq::http::{Request, StatusCode};

use crate::auth::secret::Secret;
use crate::call::Call;
use crate::call::bearer::AccessToken;
use crate::call::received::{self, Received};
use crate::output::failure::Failure;
use crate::output::scalar::Scalar;
use crate::waiting::deadline::Deadline;
use application::Application;
use managed_identity::ManagedIdentity;

/// Who calls the API.
#[derive(Debug)]
pub enum Credentials {
    /// A token that was given; it cannot be renewed.
    AccessToken(AccessToken),
    /// An identity that signs in to get one.
    SignIn(SignIn),
}

/// The call that asks for a token.
pub struct TokenRequest {
    /// The call itself.
    pub call: Request<Vec<u8>>,
    /// What in it proves the identity; `None` where the platform vouches for it.
    pub proof: Option<Secret>,
}

/// An identity that signs in.
#[derive(Debug)]
pub enum SignIn {
    /// An app registration.
    Application(Application),
    /// A managed identity of Azure.
    ManagedIdentity(ManagedIdentity),
}

impl SignIn {
    /// What the call for a token is, for its route and its retries.
    #[must_use]
    pub fn call(&self) -> &'static Call {
        match self {
            Self::Application(_) => &application::SIGN_IN,
            Self::ManagedIdentity(_) => &managed_identity::ASK_THE_PLATFORM,
        }
    }

    /// The call that asks for a token. A file that it needs is read until `deadline`.
    ///
    /// # Errors
    ///
    /// The settings do not make a URL, or the file that proves the identity cannot be read any more.
    pub fn request(&self, now: SystemTime, deadline: Deadline) -> Result<TokenRequest, Failure> {
        match self {
            Self::Application(application) => application.request(now, deadline),
            Self::ManagedIdentity(identity) => identity.request(),
        }
    }

    /// The token that was given. What is said of a refusal does not repeat `proof`, by which the identity was proved.
    ///
    /// # Errors
    ///
    /// Sign-in was refused, with the code and the first line of what was said; or there is no token.
    pub fn grant(&self, received: &Received, proof: Option<&Secret>) -> Result<Grant, Failure> {
        if received.status == StatusCode::OK {
            let body = received::decoded_body(received).unwrap_or_default();
            return serde_json::from_slice(&body).map_err(|_| match self {
                Self::Application(application) => application.unavailable(received),
                Self::ManagedIdentity(identity) => identity.unavailable(received),
            });
        }
        Err(match self {
            Self::Application(application) => application.refused(received, proof),
            Self::ManagedIdentity(identity) => identity.refused(received, proof),
        })
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

/// A token and how long it is good for (RFC 6749, section 5.1).
#[derive(Debug, Deserialize)]
pub struct Grant {
    /// The token.
    #[serde(rename = "access_token")]
    pub token: AccessToken,
    /// Seconds from now on; a managed identity's endpoint writes the number as a string.
    #[serde(default)]
    expires_in: Scalar,
    /// Seconds since 1970: what App Service says instead.
    #[serde(default)]
    expires_on: Scalar,
}

impl Grant {
    /// A token is renewed this long before it expires.
    pub const MARGIN: Duration = Duration::from_secs(5 * 60);
    /// No token lives longer; whoever says so is not believed.
    pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

    /// How long the token is good for; zero if that is not said.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let remaining = || Some((self.expires_on.number()? - now.as_secs_f64()).max(0.0));
        let seconds = self.expires_in.number().or_else(remaining);
        let lifetime = Duration::try_from_secs_f64(seconds.unwrap_or_default());
        match lifetime {
            Ok(lifetime) => lifetime.min(Self::LONGEST),
            // Less than nothing, or more than can be counted.
            Err(_) if seconds.is_some_and(|seconds| seconds > 0.0) => Self::LONGEST,
            Err(_) => Duration::ZERO,
        }
    }
}

//! Credentials become a bearer token. These files describe the calls of a sign-in; `send` makes them.

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
use ureq::http::header::HeaderValue;
use ureq::http::{Request, StatusCode};

use crate::auth::secret::Secret;
use crate::call::diagnosis::Call;
use crate::call::received::{self, Received};
use crate::output::failure::Failure;
use crate::output::scalar::Scalar;
use crate::waiting::deadline::Deadline;
use application::Application;
use claims::Claims;
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
    pub fn call(&self) -> Call {
        match self {
            Self::Application(_) => Call::SignIn,
            Self::ManagedIdentity(_) => Call::ManagedIdentity,
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

/// A bearer token (RFC 6750), ready to stand in a header; never printed.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct AccessToken(HeaderValue);

impl AccessToken {
    const SCHEME: &str = "Bearer ";

    /// The longest token, in bytes: no server takes a header half as long.
    pub const MAX_LENGTH: usize = 30 << 10;

    /// The token that `text` is.
    ///
    /// # Errors
    ///
    /// The rule that `text` breaks.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const RULE: &str = "must be a bearer token: letters, digits and -._~+/= alone";
        let start = text.get(..Self::SCHEME.len()).unwrap_or_default();
        if start.eq_ignore_ascii_case(Self::SCHEME) {
            return Err("must be the token alone, without \"Bearer \" before it");
        }
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if text.is_empty() || !text.bytes().all(is_allowed) {
            return Err(RULE);
        }
        if text.len() > Self::MAX_LENGTH {
            return Err("must be a bearer token: none has more than 30 KiB");
        }
        let header = format!("{}{text}", Self::SCHEME);
        let mut value = HeaderValue::try_from(header).map_err(|_| RULE)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// The value of the `Authorization` header.
    #[must_use]
    pub fn header_value(&self) -> &HeaderValue {
        &self.0
    }

    /// The token itself: for the cache, never for a message.
    #[must_use]
    pub fn expose(&self) -> &str {
        let header = self.0.to_str().unwrap_or_default();
        header.strip_prefix(Self::SCHEME).unwrap_or_default()
    }

    /// What the token says of itself; `None` if it is not a JSON Web Token. For diagnosis only: it is not verified.
    #[must_use]
    pub fn claims(&self) -> Option<Claims> {
        Claims::of(self.expose())
    }
}

impl TryFrom<String> for AccessToken {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AccessToken")
    }
}

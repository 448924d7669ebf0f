//! A sign-in's call, and the token that it brings.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use ureq::http::Request;

use crate::auth::secret::Secret;
use crate::call::bearer::AccessToken;
use crate::output::scalar::Scalar;

/// The call that asks for a token.
pub(crate) struct TokenRequest {
    pub(super) call: Request<Vec<u8>>,
    /// What in it proves the identity; `None` where the platform vouches for it.
    pub(super) proof: Option<Secret>,
}

/// A token and how long it is good for (RFC 6749, section 5.1).
#[derive(Deserialize)]
pub(crate) struct Grant {
    #[serde(rename = "access_token")]
    pub(super) token: AccessToken,
    /// Seconds from now on; a managed identity's endpoint writes the number as a string.
    #[serde(default)]
    expires_in: Scalar,
    /// Seconds since 1970: what App Service says instead.
    #[serde(default)]
    expires_on: Scalar,
}

impl Grant {
    /// A token is renewed this long before it expires.
    pub(super) const MARGIN: Duration = Duration::from_secs(5 * 60);
    /// No token lives longer; whoever says so is not believed.
    pub(super) const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

    /// Returns how long the token is good for; zero if that is not said.
    pub(super) fn lifetime(&self) -> Duration {
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

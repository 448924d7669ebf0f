//! The token that the API is called with.

use serde::Deserialize;
use ureq::http::header::HeaderValue;

/// A bearer token (RFC 6750), ready to stand in a header; never printed.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct AccessToken(HeaderValue);

impl AccessToken {
    const SCHEME: &str = "Bearer ";

    /// The longest token, in bytes: no server takes a header half as long.
    pub(crate) const MAX_LENGTH: usize = 30 << 10;

    /// Reads the token alone; the error is the rule that `text` breaks.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        const RULE: &str = "must be a bearer token: only letters, digits and -._~+/=";
        let start = text.get(..Self::SCHEME.len()).unwrap_or_default();
        if start.eq_ignore_ascii_case(Self::SCHEME) {
            return Err("must be only the token, without \"Bearer \" before it");
        }
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if text.is_empty() || !text.bytes().all(is_allowed) {
            return Err(RULE);
        }
        if text.len() > Self::MAX_LENGTH {
            return Err("must be a bearer token of at most 30 KiB");
        }
        let header = format!("{}{text}", Self::SCHEME);
        let mut value = HeaderValue::try_from(header).map_err(|_| RULE)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// The value of the `Authorization` header.
    pub(crate) fn header_value(&self) -> &HeaderValue {
        &self.0
    }

    /// The token itself: for the cache, never for a message.
    pub(crate) fn expose(&self) -> &str {
        let header = self.0.to_str().unwrap_or_default();
        header.strip_prefix(Self::SCHEME).unwrap_or_default()
    }
}

impl TryFrom<String> for AccessToken {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

//! What an access token says of itself, read for diagnosis only.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// The claims of a token of Microsoft Entra ID, as far as they say what it is good for. A claim of an unexpected type
/// counts as missing.
///
/// Source: "Access token claims reference".
pub(crate) struct Claims {
    /// The APIs that the token is for; usually one.
    pub(crate) audiences: Vec<String>,
    pub(crate) tenant: Option<String>,
    /// The application that the token was given to.
    pub(crate) application: Option<String>,
    /// From when on the token is valid, in seconds since 1970.
    pub(crate) valid_from: Option<u64>,
    /// When the token expires, in seconds since 1970.
    pub(crate) expires_at: Option<u64>,
    pub(crate) roles: Vec<String>,
    /// The delegated permissions; only in a token that acts for a user.
    pub(crate) scopes: Option<String>,
}

impl Claims {
    /// The claims of `token`, if it is a JSON Web Token (RFC 7519).
    pub(crate) fn of(token: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?;
        let json = BASE64_URL_SAFE_NO_PAD
            .decode(payload.trim_end_matches('='))
            .ok()?;
        let claims: Map<String, Value> = serde_json::from_slice(&json).ok()?;
        let text = |name: &str| Some(claims.get(name)?.as_str()?.to_owned());
        let texts = |name: &str| claims.get(name).map(texts).unwrap_or_default();
        let time = |name: &str| claims.get(name).and_then(time);
        Some(Self {
            audiences: texts("aud"),
            tenant: text("tid"),
            application: text("appid").or_else(|| text("azp")),
            valid_from: time("nbf"),
            expires_at: time("exp"),
            roles: texts("roles"),
            scopes: text("scp"),
        })
    }

    /// Whether the token is for `resource`; a slash at the end makes no difference.
    pub(crate) fn is_for(&self, resource: &str) -> bool {
        let resource = resource.trim_end_matches('/');
        let mut audiences = self.audiences.iter();
        audiences.any(|audience| audience.trim_end_matches('/') == resource)
    }

    /// The APIs that the token is for, for messages.
    pub(crate) fn audience(&self) -> String {
        match self.audiences.as_slice() {
            [] => "an unnamed API".to_owned(),
            audiences => audiences.join(" and "),
        }
    }

    /// The permissions, whether of the application or of the user that it acts for.
    pub(crate) fn permissions(&self) -> impl Iterator<Item = &str> {
        let delegated = self.scopes.as_deref().unwrap_or_default();
        let roles = self.roles.iter().map(String::as_str);
        roles.chain(delegated.split_whitespace())
    }

    /// Whether one of `roles` is among the permissions.
    pub(crate) fn has_any(&self, roles: &[&str]) -> bool {
        self.permissions().any(|held| roles.contains(&held))
    }
}

/// Returns the text that `claim` is, or the texts in it.
fn texts(claim: &Value) -> Vec<String> {
    match claim {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => {
            let items = items.iter().filter_map(Value::as_str);
            items.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns the time that `claim` is; RFC 7519 allows a fraction of a second.
fn time(claim: &Value) -> Option<u64> {
    claim
        .as_u64()
        .or_else(|| Some(claim.as_f64()?.max(0.0) as u64))
}

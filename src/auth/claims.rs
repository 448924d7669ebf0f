//! What an access token says of itself, read for diagnosis only.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// The application permissions that allow a cancel. Source: "Cancel machine action API", "Permissions".
pub const CANCEL_ROLES: [&str; 7] = [
    "Machine.CollectForensics",
    "Machine.Isolate",
    "Machine.RestrictExecution",
    "Machine.Scan",
    "Machine.Offboard",
    "Machine.StopAndQuarantine",
    "Machine.LiveResponse",
];

/// The application permissions that allow reading an action. Source: "Get machineAction API", "Permissions".
pub const READ_ROLES: [&str; 2] = ["Machine.Read.All", "Machine.ReadWrite.All"];

/// The claims of a token of Microsoft Entra ID, as far as they tell what it is good for. A claim of an unexpected type
/// counts as missing.
///
/// Source: "Access token claims reference".
#[derive(Debug)]
pub struct Claims {
    /// The APIs that the token is for; usually one.
    pub audiences: Vec<String>,
    /// The tenant.
    pub tenant: Option<String>,
    /// The application that the token was given to.
    pub application: Option<String>,
    /// From when on the token is valid, in seconds since 1970.
    pub valid_from: Option<u64>,
    /// When the token expires, in seconds since 1970.
    pub expires_at: Option<u64>,
    /// The application permissions.
    pub roles: Vec<String>,
    /// The delegated permissions; only in a token that acts for a user.
    pub scopes: Option<String>,
}

impl Claims {
    /// The claims of `token`, if it is a JSON Web Token (RFC 7519).
    #[must_use]
    pub fn of(token: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?;
        let json = BASE64_URL_SAFE_NO_PAD
            .decode(payload.trim_end_matches('='))
            .ok()?;
        let claims: Map<String, Value> = serde_json::from_slice(&json).ok()?;
        let text = |name: &str| Some(claims.get(name)?.as_str()?.to_owned());
        // RFC 7519 allows a fraction of a second.
        let time = |name: &str| {
            let value = claims.get(name)?;
            value
                .as_u64()
                .or_else(|| Some(value.as_f64()?.max(0.0) as u64))
        };
        let texts = |name: &str| match claims.get(name) {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Array(items)) => {
                let items = items.iter().filter_map(Value::as_str);
                items.map(str::to_owned).collect()
            }
            _ => Vec::new(),
        };
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
    #[must_use]
    pub fn is_for(&self, resource: &str) -> bool {
        let resource = resource.trim_end_matches('/');
        let mut audiences = self.audiences.iter();
        audiences.any(|audience| audience.trim_end_matches('/') == resource)
    }

    /// The APIs that the token is for, for messages.
    #[must_use]
    pub fn audience(&self) -> String {
        match self.audiences.as_slice() {
            [] => "nothing".to_owned(),
            audiences => audiences.join(" and "),
        }
    }

    /// The permissions, whether of the application or of the user that it acts for.
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        let delegated = self.scopes.as_deref().unwrap_or_default();
        let roles = self.roles.iter().map(String::as_str);
        roles.chain(delegated.split_whitespace())
    }

    /// Whether one of `roles` is among the permissions.
    #[must_use]
    pub fn has_any(&self, roles: &[&str]) -> bool {
        self.permissions().any(|held| roles.contains(&held))
    }

    /// What the token has, what it lacks for a cancel at `resource` at `now` (in seconds since 1970), and what to do,
    /// without names of tenants or applications.
    #[must_use]
    pub fn shortcoming(&self, resource: &str, now: u64) -> String {
        let held: Vec<&str> = self.permissions().collect();
        let held = match held.as_slice() {
            [] => "no permissions".to_owned(),
            held => format!("the permissions {}", held.join(", ")),
        };
        let audience = self.audience();
        let remedy = if self.expires_at.is_some_and(|at| at <= now) {
            "it has expired: get another one, or set this machine's clock.".to_owned()
        } else if !self.is_for(resource) {
            format!("a cancel needs a token for {resource}: check MDE_SCOPE and MDE_CLOUD.")
        } else if !self.has_any(&CANCEL_ROLES) {
            let roles = CANCEL_ROLES.join(", ");
            format!("a cancel needs one of {roles}: grant it with admin consent.")
        } else if self.scopes.is_some() {
            "it acts for a user, whose role in Defender must allow the cancel, too.".to_owned()
        } else {
            "nothing is missing in it: check the tenant, MDE_BASE_URL, and which devices the application may act on."
                .to_owned()
        };
        format!("The token is for {audience} and has {held}; {remedy}")
    }
}

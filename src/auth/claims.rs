//! What an access token says of itself, read for diagnosis only.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;

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

/// The claims of a token of Microsoft Entra ID, as far as they tell what it is good for.
///
/// Source: "Access token claims reference".
#[derive(Debug, Deserialize)]
pub struct Claims {
    /// The API that the token is for.
    #[serde(rename = "aud")]
    pub audience: Option<String>,
    /// The tenant.
    #[serde(rename = "tid")]
    pub tenant: Option<String>,
    appid: Option<String>,
    azp: Option<String>,
    /// When the token expires, in seconds since 1970.
    #[serde(rename = "exp")]
    pub expires_at: Option<u64>,
    /// The application permissions.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The delegated permissions, separated by spaces; only in a token that acts for a user.
    #[serde(rename = "scp")]
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
        serde_json::from_slice(&json).ok()
    }

    /// The application that the token was given to.
    #[must_use]
    pub fn application(&self) -> Option<&str> {
        self.appid.as_deref().or(self.azp.as_deref())
    }

    /// Whether the token is for `resource`; a slash at the end makes no difference.
    #[must_use]
    pub fn is_for(&self, resource: &str) -> bool {
        let audience = self.audience.as_deref().unwrap_or_default();
        audience.trim_end_matches('/') == resource.trim_end_matches('/')
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

    /// What the token has, what it lacks for a cancel at `resource`, and what to do, without names of tenants or
    /// applications.
    #[must_use]
    pub fn shortcoming(&self, resource: &str) -> String {
        let held: Vec<&str> = self.permissions().collect();
        let audience = self.audience.as_deref().unwrap_or("nothing");
        let held = match held.as_slice() {
            [] => "no permissions".to_owned(),
            held => format!("the permissions {}", held.join(", ")),
        };
        let remedy = match (self.has_any(&CANCEL_ROLES), self.is_for(resource)) {
            (_, false) => format!("a cancel needs a token for {resource}: check MDE_SCOPE and MDE_CLOUD."),
            (false, true) => format!(
                "a cancel needs one of {}: grant it with admin consent.",
                CANCEL_ROLES.join(", ")
            ),
            (true, true) => "that should do: check the tenant, MDE_BASE_URL, and which devices the application may act on."
                .to_owned(),
        };
        format!("The token is for {audience} and has {held}; {remedy}")
    }
}

//! Who calls the embedded Defender, and what its tokens allow.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::call::sandbox::reply::Reply;
use crate::call::sandbox::scenarios::SCENARIO_PREFIX;

/// The tenant of the embedded Defender.
pub(crate) const TENANT: &str = "00000000-0000-0000-0000-000000000000";
/// Its only application.
pub(crate) const CLIENT: &str = "00000000-0000-0000-0000-000000000001";

/// Application permissions, by name.
type Roles = &'static [&'static str];

/// What the application may do, unless a scenario says otherwise.
const USUAL_ROLES: Roles = &["Machine.Isolate", "Machine.Read.All"];
/// How long a token is good for, in seconds.
const LIFETIME: u64 = 3599;
/// The signatures of tokens: of the first, and of each later one.
const FIRST: &str = "sandbox-1";
const RENEWED: &str = "sandbox-2";

/// The application, which signs in before anybody knows which action it will ask for.
pub(super) struct Identity(Mutex<State>);

struct State {
    /// What the application may do, and what its last token says that it may.
    roles: Roles,
    has_signed_in: bool,
}

impl Default for Identity {
    fn default() -> Self {
        Self(Mutex::new(State {
            roles: USUAL_ROLES,
            has_signed_in: false,
        }))
    }
}

impl Identity {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets what the application may do where the action `id` is asked for. Returns whether its last token says the same.
    pub(super) fn set_roles_for(&self, id: &str) -> bool {
        roles_for(id).is_none_or(|roles| mem::replace(&mut self.state().roles, roles) == roles)
    }

    /// Returns a token as Microsoft Entra ID makes them, granted at `second` (since 1970) for the scope that `form` asks
    /// for.
    pub(super) fn grant(&self, form: &str, second: u64) -> Reply {
        let mut fields = form.split('&');
        let scope = fields.find_map(|field| field.strip_prefix("scope="));
        let scope = percent_decode_str(scope.unwrap_or_default()).decode_utf8_lossy();
        let mut state = self.state();
        let signature = match mem::replace(&mut state.has_signed_in, true) {
            true => RENEWED,
            false => FIRST,
        };
        let claims = json!({
            "aud": scope.strip_suffix("/.default"),
            "tid": TENANT,
            "appid": CLIENT,
            "exp": second + LIFETIME,
            "roles": state.roles,
        });
        let [header, claims] = [json!({"typ": "JWT"}), claims]
            .map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
        let token = format!("{header}.{claims}.{signature}");
        Reply::json(
            200,
            &json!({"token_type": "Bearer", "expires_in": LIFETIME, "access_token": token}),
        )
    }
}

/// Returns what the application may do where the action `id` is asked for; `None` if it makes no difference.
fn roles_for(id: &str) -> Option<Roles> {
    match id.strip_prefix(SCENARIO_PREFIX)? {
        "200005" => Some(&["Machine.Isolate"]),
        "403000" | "403001" => Some(&["Machine.Read.All"]),
        _ => None,
    }
}

/// Whether `authorization` carries a token that is not the first.
pub(super) fn is_renewed(authorization: &[u8]) -> bool {
    authorization.ends_with(RENEWED.as_bytes())
}

//! Access tokens as Microsoft Entra ID makes them, but for the signature, which only the API checks.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The API's audience in the commercial cloud.
pub const AUDIENCE: &str = "https://api.securitycenter.microsoft.com";

/// `part` of a JSON Web Token.
pub fn encode(part: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(part.to_string())
}

/// The parts of `token` that are JSON.
pub fn decode(token: &str) -> Vec<Value> {
    let parts = token.split('.').take(2);
    parts
        .map(|part| {
            let json = BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64url");
            serde_json::from_slice(&json).expect("JSON")
        })
        .collect()
}

/// A token of an application with `roles`, good for an hour.
pub fn token_with(roles: &[&str]) -> String {
    token(json!({"roles": roles}))
}

/// A token whose claims are the usual ones but for `changes`.
pub fn token(changes: Value) -> String {
    let mut claims = json!({
        "aud": AUDIENCE,
        "tid": "11111111-2222-3333-4444-555555555555",
        "appid": "66666666-7777-8888-9999-000000000000",
        "exp": now() + 3600,
    });
    for (name, value) in changes.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    format!(
        "{}.{}.c2lnbmF0dXJl",
        encode(&json!({"typ": "JWT"})),
        encode(&claims)
    )
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock")
        .as_secs()
}

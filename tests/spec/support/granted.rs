//! Services that grant one token and take one call with it.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use super::{JSON, Outcome, Reply, Server, Step, response, step};

/// As a managed identity's endpoint answers: numbers are strings.
pub const GRANTED: &str = r#"{"access_token":"granted.token","expires_in":"86399","expires_on":"1700000000","resource":"x","token_type":"Bearer"}"#;

pub fn granting() -> Server {
    Server::tls([Reply::bytes(response("200 OK", &[JSON], GRANTED))])
}

/// An API that takes one call with the token that was granted.
pub fn api() -> Server {
    Server::tls([Reply::bytes(response("200 OK", &[JSON], "{}"))])
}

pub fn assert_granted(outcome: &Outcome, api: &Server) {
    assert_eq!(outcome.status, Some(0), "{outcome}");
    assert_eq!(outcome.stderr, "");
    assert!(api.received()[0].contains("\r\nauthorization: Bearer granted.token\r\n"));
}

pub fn application(sign_in: &Server, api: &Server) -> Step {
    step()
        .api(api)
        .signing_in_at(sign_in)
        .env("AZURE_CLIENT_SECRET", "")
}

/// The fields of the form in `request`.
pub fn form(request: &str) -> BTreeMap<&str, String> {
    let body = request.split("\r\n\r\n").nth(1).unwrap();
    let fields = body.split('&').map(|field| field.split_once('=').unwrap());
    let decode = |value| {
        percent_decode_str(value)
            .decode_utf8()
            .unwrap()
            .into_owned()
    };
    fields.map(|(name, value)| (name, decode(value))).collect()
}

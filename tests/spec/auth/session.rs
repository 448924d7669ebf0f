//! A token serves a whole batch, and is renewed when it must be.

use std::time::Duration;

use crate::support::batch::{batch, documents, lines, unpaced};
use crate::support::busy::Busy;
use crate::support::token::now;
use crate::support::{Authority, JSON, Reply, Server, each, response};

#[test]
fn a_token_is_renewed_before_it_expires_and_not_for_every_line() {
    each(
        [(r#","expires_in":2"#, 2..=4), ("", 1..=1)],
        |(grant, range)| {
            let grant = format!(r#"{{"access_token":"x"{grant}}}"#);
            let sign_in = Server::tls([Reply::bytes(response("200 OK", &[JSON], grant))]);
            let api = Busy::slow(Duration::from_millis(50));
            let step = unpaced(batch()).env("MDE_BASE_URL", api.url());
            let outcome = step.signing_in_at(&sign_in).stdin(lines(50)).run();
            assert_eq!(outcome.status, Some(0), "{}", outcome.stderr);
            let signed_in = sign_in.received().len();
            assert!(range.contains(&signed_in), "{signed_in}");
        },
    );
}

#[test]
fn a_throttled_sign_in_is_not_repeated_sooner_than_asked() {
    let throttled = response("429 x", &["Retry-After: 3600"], "");
    let sign_in = Server::tls([Reply::bytes(throttled)]);
    let outcome = unpaced(batch())
        .signing_in_at(&sign_in)
        .stdin(lines(5))
        .run();
    assert_eq!(
        (outcome.status, sign_in.received().len()),
        (Some(8), 1),
        "{outcome}"
    );
    assert_eq!(documents(&outcome).len(), 5);
}

#[test]
fn a_token_that_cannot_be_renewed_is_used_until_it_expires() {
    let granted = r#"{"access_token":"x","expires_in":4}"#;
    let sign_in = Server::tls([
        Reply::bytes(response("200 OK", &[JSON], granted)),
        Reply::bytes(response("400 x", &[JSON], r#"{"error":"invalid_client"}"#)),
    ]);
    let api = Busy::slow(Duration::from_millis(250));
    let step = unpaced(batch()).env("MDE_BASE_URL", api.url());
    let outcome = step.signing_in_at(&sign_in).stdin(lines(12)).run();
    assert_eq!(outcome.status, Some(0), "{outcome}");
    assert_eq!(sign_in.received().len(), 2);
    assert!(
        outcome.stderr.contains("the token cannot be renewed"),
        "{outcome}"
    );
}

#[test]
fn app_service_tells_the_expiry_in_its_own_way() {
    let grant = format!(
        r#"{{"access_token":"x","expires_on":"{}","token_type":"Bearer"}}"#,
        now() + 86_000
    );
    let endpoint = Server::tls([Reply::bytes(response("200 OK", &[JSON], grant))]);
    let api = Busy::new(|_| Busy::OK);
    let step = unpaced(batch())
        .env("MDE_BASE_URL", api.url())
        .env("IDENTITY_ENDPOINT", endpoint.url());
    let step = step
        .env("IDENTITY_HEADER", "x")
        .env("SSL_CERT_FILE", Authority::trusted().pem_path());
    assert_eq!(step.stdin(lines(5)).run().status, Some(0));
    assert_eq!(endpoint.received().len(), 1);
}

#[test]
fn a_refused_sign_in_is_not_repeated_for_every_line() {
    let refusal = r#"{"error":"invalid_client","error_description":"AADSTS7000215: No."}"#;
    let sign_in = Server::tls([Reply::bytes(response("401 x", &[JSON], refusal))]);
    let outcome = unpaced(batch())
        .signing_in_at(&sign_in)
        .stdin(lines(5))
        .run();
    assert_eq!(
        (outcome.status, sign_in.received().len()),
        (Some(4), 1),
        "{outcome}"
    );
    assert_eq!(documents(&outcome).len(), 5);
    let outcome = batch().stdin(lines(3)).run();
    assert_eq!(
        (outcome.status, documents(&outcome).len()),
        (Some(3), 3),
        "{outcome}"
    );
}

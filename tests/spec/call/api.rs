//! The one call, as it goes over the wire.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Reply, Server, assert_snapshot, request_for, response, step};

fn accepting() -> Server {
    Server::tls([Reply::bytes(response("200 OK", &[], "{}"))])
}

#[test]
fn the_call_is_the_documented_one() {
    let server = accepting();
    step().api_with_token(&server).run();
    assert_snapshot!(server.received().join("\n---\n"), @r#"
    POST /api/machineactions/988cc94e-7a8f-4b28-ab65-54970c5d5018/cancel HTTP/1.1
    content-length: 55
    user-agent: cancel-machine-action/0.2.0
    host: {host}
    authorization: Bearer a.given-token
    content-type: application/json
    accept: application/json

    {"Comment":"Machine action was canceled by automation"}
    "#);
}

#[test]
fn a_request_without_a_comment_sends_an_empty_object() {
    let server = accepting();
    step().api_with_token(&server).stdin(request_for("a")).run();
    assert!(
        server.received()[0].ends_with("\r\n\r\n{}"),
        "{:?}",
        server.received()
    );
}

#[test]
fn a_base_url_may_have_a_path_and_a_slash_at_its_end() {
    let server = accepting();
    let base = format!("{}/gateway/mde/", server.url());
    step()
        .api_with_token(&server)
        .env("MDE_BASE_URL", base)
        .stdin(request_for("a"))
        .run();
    assert!(
        server.received()[0]
            .starts_with("POST /gateway/mde/api/machineactions/a/cancel HTTP/1.1\r\n"),
        "{:?}",
        server.received()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_id_changes_the_shape_of_the_path(id in "[A-Za-z0-9][A-Za-z0-9._~-]{0,127}", comment in any::<String>()) {
        let server = Server::plain([Reply::bytes(response("200 OK", &[], "{}"))]);
        let request = json!({"path_parameters": {"machineactionid": id}, "json_body": {"Comment": comment}});
        let outcome = step().api_with_token(&server).stdin(request.to_string()).run();
        prop_assert_eq!(outcome.status, Some(0), "{}", outcome);
        let received = server.received().remove(0);
        let (head, body) = received.split_once("\r\n\r\n").unwrap();
        prop_assert_eq!(head.lines().next().unwrap(), format!("POST /api/machineactions/{id}/cancel HTTP/1.1"));
        let body: Value = serde_json::from_str(body).unwrap();
        prop_assert_eq!(body, json!({"Comment": comment}));
    }
}

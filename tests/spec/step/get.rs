//! One action, as it is now.

use crate::contract::output_accepts;
use crate::support::pages::action;
use crate::support::{JSON, Reply, Server, Step, assert_snapshot, each, response, step};

fn get(id: &str) -> Step {
    step().args(["get", id])
}

fn sandboxed(digits: &str) -> Step {
    get(&format!("00000000-0000-0000-0000-000000{digits}")).args(["--sandbox"])
}

#[test]
fn an_action_is_the_answer_to_its_read_with_an_outcome_if_it_is_final() {
    let cases = [
        ("200000", 0, None),
        ("200001", 0, Some("already_final")),
        ("200006", 0, None),
        ("200005", 1, None),
        ("404000", 1, None),
    ];
    each(cases, |(digits, status, wanted)| {
        let outcome = sandboxed(digits).run();
        let answer = outcome.json();
        assert_eq!(outcome.status, Some(status), "{outcome}");
        assert_eq!(answer["outcome"].as_str(), wanted, "{outcome}");
        assert!(output_accepts(&answer), "{outcome}");
    });
}

#[test]
fn it_is_one_call_that_changes_nothing_and_needs_no_request() {
    let server = Server::tls([Reply::bytes(response("200 OK", &[JSON], action("a.1_~-")))]);
    let outcome = get("a.1_~-")
        .api_with_token(&server)
        .stdin("")
        .holding_stdin_open()
        .run();
    assert_snapshot!(outcome, @r#"
    status: 0
    stdout: {
      "status_code": 200,
      "reason": "OK",
      "response_headers": {
        "Content-Length": "51",
        "Content-Type": "application/json; charset=utf-8"
      },
      "json_body": {
        "id": "a.1_~-",
        "type": "Isolate",
        "status": "Pending"
      }
    }
    stderr:
    "#);
    assert_snapshot!(server.received().concat(), @"
    GET /api/machineactions/a.1_~- HTTP/1.1
    user-agent: cancel-machine-action/0.2.0
    host: {host}
    authorization: Bearer a.given-token
    accept: application/json
    ");
}

#[test]
fn an_id_that_the_input_schema_refuses_is_refused_before_any_call() {
    let server = Server::tls([]);
    for id in [
        "../x",
        "a/b",
        "a%2Fb",
        "a?b",
        "a#b",
        "",
        "-a",
        "a\n",
        "é",
        &"a".repeat(129),
    ] {
        let outcome = step().args(["get", "--", id]).api_with_token(&server).run();
        assert_eq!(outcome.status, Some(2), "{outcome}");
    }
    assert_eq!(server.connections(), 0);
    assert_snapshot!(get("a/b").run().stderr, @r#"cancel-machine-action: error: the command line is wrong: the argument of `get` must be the id of a machine action, usually a GUID: 1 to 128 letters, digits, ".", "_", "~" or "-", and the first a letter or a digit. See `cancel-machine-action get --help`."#);
    assert_snapshot!(get("").args(["x"]).run().stderr, @"cancel-machine-action: error: the command line is wrong: `get` takes one argument. See `cancel-machine-action get --help`.");
    assert_snapshot!(step().args(["get"]).run().stderr, @"cancel-machine-action: error: the command line is wrong: `get` needs the id of an action. See `cancel-machine-action get --help`.");
}

#[test]
fn a_read_that_fails_ends_as_a_cancels_does() {
    let html = "<html>Forbidden</html>";
    let replies = [
        (
            "refused",
            Reply::bytes(response(
                "403 Forbidden",
                &[JSON],
                r#"{"error":{"code":"Forbidden","message":"x"}}"#,
            )),
        ),
        (
            "a device",
            Reply::bytes(response("400 Bad Request", &[JSON], "{}")),
        ),
        ("failing", Reply::bytes(response("500 Oops", &[], ""))),
        (
            "a proxy's page",
            Reply::bytes(response("200 OK", &["Content-Type: text/html"], html)),
        ),
        (
            "another action",
            Reply::bytes(response("200 OK", &[JSON], action("b"))),
        ),
        (
            "undecodable",
            Reply::bytes(response("200 OK", &["Content-Encoding: gzip"], "no gzip")),
        ),
        ("silent", Reply::silence()),
    ];
    let outcomes = each(replies, |(name, reply)| {
        let server = Server::tls([reply]);
        let step = get("a").api_with_token(&server).args(["--timeout", "1"]);
        format!("## {name}\n{}", step.run())
    });
    assert_snapshot!(outcomes.join("\n\n"));
}

#[test]
fn a_refusal_says_what_the_token_lacks_for_reading() {
    use crate::support::token::{token, token_with};

    let tokens = [
        token_with(&["Machine.Isolate"]),
        token_with(&[]),
        token_with(&["Machine.Read.All"]),
        token_with(&["Machine.Isolate", "Machine.Read.All"]),
        token(serde_json::json!({"exp": 100, "roles": ["Machine.Read.All"]})),
        token(serde_json::json!({"nbf": u32::MAX, "roles": ["Machine.Read.All"]})),
        token(serde_json::json!({"scp": "Machine.Read.All"})),
        token(
            serde_json::json!({"aud": "https://graph.microsoft.com", "roles": ["Machine.Read.All"]}),
        ),
        "opaque".to_owned(),
    ];
    let lines = each(tokens, |token| {
        let server = Server::tls([Reply::bytes(response("403 Forbidden", &[JSON], "{}"))]);
        get("a")
            .api(&server)
            .env("MDE_ACCESS_TOKEN", &token)
            .run()
            .stderr
    });
    assert_snapshot!(lines.concat(), @"
    cancel-machine-action: error: action a: the service answered 403 Forbidden. The token is for https://api.securitycenter.microsoft.com and has the permissions Machine.Isolate; reading needs Machine.Read.All or Machine.ReadWrite.All: grant one with admin consent.
    cancel-machine-action: error: action a: the service answered 403 Forbidden. The token is for https://api.securitycenter.microsoft.com and has no permissions; reading needs Machine.Read.All or Machine.ReadWrite.All: grant one with admin consent.
    cancel-machine-action: error: action a: the service answered 403 Forbidden. The token is for https://api.securitycenter.microsoft.com and has the permissions Machine.Read.All; that is enough for reading: check the tenant and MDE_BASE_URL.
    cancel-machine-action: error: action a: the service answered 403 Forbidden. The token is for https://api.securitycenter.microsoft.com and has the permissions Machine.Isolate, Machine.Read.All; that is enough for reading: check the tenant and MDE_BASE_URL.
    cancel-machine-action: error: action a: the service answered 403 Forbidden. The token is for https://api.securitycenter.microsoft.com and has the permissions Machine.Read.All; it has expired: get another one, or correct this machine's clock.
    cancel-machine-action: error: action a: the service answered 403 Forbidden. The token is for https://api.securitycenter.microsoft.com and has the permissions Machine.Read.All; it is not valid yet: correct this machine's clock.
    cancel-machine-action: error: action a: the service answered 403 Forbidden. The token is for https://api.securitycenter.microsoft.com and has the permissions Machine.Read.All; it acts for a user: that user's role in Defender must allow reading too.
    cancel-machine-action: error: action a: the service answered 403 Forbidden. The token is for https://graph.microsoft.com and has the permissions Machine.Read.All; reading needs a token for https://api.securitycenter.microsoft.com: check MDE_SCOPE and MDE_CLOUD.
    cancel-machine-action: error: action a: the service answered 403 Forbidden. Grant the application Machine.Read.All or Machine.ReadWrite.All with admin consent, or check MDE_SCOPE.
    ");
}

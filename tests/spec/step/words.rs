//! The service's own words, in the last line of stderr: short, on one line, and harmless.

use crate::support::token;
use crate::support::{
    JSON, Outcome, Reply, Server, assert_snapshot, each, request_for, response, step,
};

/// The longest line on stderr, in bytes.
const MAX_LINE: usize = 4096;

fn refused(status: &str, body: impl AsRef<[u8]>) -> Outcome {
    let server = Server::tls([Reply::bytes(response(status, &[JSON], body))]);
    step().api_with_token(&server).run()
}

/// What of the one line on stderr follows the status.
#[track_caller]
fn said(outcome: &Outcome) -> String {
    let line = outcome.stderr.strip_suffix('\n').expect("a line");
    assert!(!line.contains('\n'), "more than one line: {line}");
    assert!(line.len() < MAX_LINE, "{} bytes", line.len());
    let (_, said) = line.split_once("the service answered ").expect("an answer");
    said.to_owned()
}

/// Envelopes as they were seen, and as a service might send them.
#[test]
fn the_services_code_and_message_stand_in_the_last_line() {
    let bodies = [
        r#"{"error":{"code":"BadRequest","message":"Action is already in a final state","target":"43f4cb08"}}"#,
        r#"{"error":{"code":"InvalidRequestBody","message":"Request body is incorrect"}}"#,
        r#"{"error":{"code":"ActiveRequestAlreadyExists","message":"Action is already in progress, active action id: b0ed2843-040f-4d40-ad12-977a9729a55d"}}"#,
        r#"{"error":{"code":"","message":"The query specified in the URI is not valid.","details":[]}}"#,
        r#"{"error":{"code":400,"source":"logic-apis.azure-apim.net","message":"The response is not in a JSON format.","innerError":"…"}}"#,
        r#"{"statusCode":400,"message":"Resource not found"}"#,
        r#"{"type":"https://tools.ietf.org/html/rfc7231","title":"Bad Request","status":400,"traceId":"00-x"}"#,
        r#"{"error":"a text"}"#,
        r#"{"error":5}"#,
        r#"{"error":["a","list"]}"#,
        r#"{"error":null,"message":null}"#,
        r#"{"error":{"code":{"a":1},"message":["b"]}}"#,
        r#"{"error":{"message":"one","message":"two"}}"#,
        r#"{"message":{"error":"x"}}"#,
        "{}",
        "[]",
        "<html>Bad Request</html>",
        "",
    ];
    let lines = each(bodies, |body| {
        let outcome = refused("400 x", body);
        assert_eq!(outcome.status, Some(1), "{outcome}");
        format!("{body}\n  {}", said(&outcome))
    });
    assert_snapshot!(lines.join("\n"));
}

#[test]
fn hostile_words_stay_on_their_line_and_command_nothing() {
    let escapes = r#"{"error":{"code":"A\nB\u001b[2J","message":"one\r\ntwo\u0000\u0007\u009b31m\u202ethree\u2028four\u2066\u200bfive\ttab"}}"#;
    let outcome = refused("400 x", escapes);
    assert_snapshot!(said(&outcome), @r#"400 Bad Request, A B [2J: "one two   31m three four  five tab". The action may have ended, and then it cannot be cancelled. Read its status with `cancel-machine-action get`."#);
    let long = format!(
        r#"{{"error":{{"code":"{}","message":"{}"}}}}"#,
        "C".repeat(1000),
        "é".repeat((5 << 20) - 1000)
    );
    let outcome = refused("400 x", long);
    let said = said(&outcome);
    assert!(said.len() < 1000, "{} bytes", said.len());
    assert!(said.contains("…"), "{said}");
    assert!(said.ends_with("`cancel-machine-action get`."), "{said}");
}

/// A token that the service, or what stands before it, repeats is not repeated on stderr.
#[test]
fn a_token_that_is_echoed_is_not_shown() {
    let jwt = token::token(serde_json::json!({"roles": ["Machine.Isolate"]}));
    let percent: String = jwt.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let parts: Vec<&str> = jwt.split('.').collect();
    let echoes = [
        jwt.clone(),
        format!("Bearer {jwt}"),
        format!("you sent \"Authorization: Bearer {jwt}\" to us"),
        percent,
        jwt.chars().rev().collect(),
        format!("{} {}", parts[0], parts[1]),
        format!("{}{jwt}", "x ".repeat(140)),
    ];
    each(echoes, |echo| {
        for body in [
            serde_json::json!({"error": {"code": "Bad", "message": echo}}),
            serde_json::json!({"error": {"code": echo, "message": "no"}}),
            serde_json::json!({"error": echo}),
            serde_json::json!({"message": echo}),
        ] {
            let body = body.to_string();
            let server = Server::tls([Reply::bytes(response("403 x", &[JSON], &body))]);
            let outcome = step().api(&server).env("MDE_ACCESS_TOKEN", &jwt).run();
            for part in &parts {
                assert!(!outcome.stderr.contains(part), "{body}: {}", outcome.stderr);
            }
        }
    });
}

/// A 401 names the application and the tenant: the answer passes them on, stderr does not.
#[test]
fn a_401_is_told_by_its_code_alone() {
    let body = r#"{"error":{"code":"Unauthorized","message":"The app 1234-abcd of tenant contoso has no token."}}"#;
    let outcome = refused("401 x", body);
    assert!(outcome.stdout.contains("contoso"), "{outcome}");
    assert_snapshot!(said(&outcome), @"401 Unauthorized. Nothing was cancelled. The token is not valid for this API, or it has expired or been revoked: check MDE_SCOPE, MDE_BASE_URL and the tenant, or get a new token.");
}

/// What to do is chosen by the service's code before the status.
#[test]
fn a_hint_never_contradicts_what_the_service_said() {
    let cases = [
        ("403 x", "DisabledFeature", "The feature is turned off."),
        ("403 x", "DisallowedOperation", "Not for this device."),
        (
            "403 x",
            "Forbidden",
            "Missing application roles. API required roles: Machine.Isolate.",
        ),
        (
            "404 x",
            "ResourceNotFound",
            "Machine action x was not found",
        ),
        ("409 x", "Conflict", "Action is being changed"),
        (
            "429 x",
            "429",
            "API calls quota exceeded! maximum allowed 1500 per 01:00:00",
        ),
        ("500 x", "InternalServerError", "Something broke"),
    ];
    let lines = each(cases, |(status, code, message)| {
        let body = serde_json::json!({"error": {"code": code, "message": message}});
        let server = Server::tls([Reply::bytes(response(status, &[JSON], body.to_string()))]);
        let outcome = step()
            .api_with_token(&server)
            .args(["--timeout", "0.5"])
            .run();
        said(&outcome).replace(" {tries}", "")
    });
    assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_device_id_is_told_from_an_action_id() {
    let server = Server::tls([Reply::bytes(response("400 Bad Request", &[JSON], "{}"))]);
    let request = request_for("7b1f4967d9728e5aa3c06a9e617a22a4a5a17378");
    assert_snapshot!(step().api_with_token(&server).stdin(request).run(), @r#"
    status: 1
    stdout: {
      "status_code": 400,
      "reason": "Bad Request",
      "response_headers": {
        "Content-Length": "2",
        "Content-Type": "application/json; charset=utf-8"
      },
      "json_body": {},
      "retryable": false
    }
    stderr: cancel-machine-action: error: action 7b1f4967d9728e5aa3c06a9e617a22a4a5a17378: the service answered 400 Bad Request. machineactionid has the form of a device id: give the id of the machine action.
    "#);
}

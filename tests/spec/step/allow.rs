//! `--allow`: the action is read first, and cancelled only if its type is listed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::batch::{batch, documents, id, lines, unpaced};
use crate::support::running::Running;
use crate::support::service::{Fate, Service};
use crate::support::{
    JSON, Outcome, Reply, Server, assert_snapshot, each, request_for, response, step,
};

const ID: &str = "988cc94e-7a8f-4b28-ab65-54970c5d5018";

fn action(kind: &Value) -> Vec<u8> {
    let body = json!({"id": ID, "type": kind, "status": "Pending"});
    response("200 OK", &[JSON], body.to_string())
}

/// A run that allows `types`, and the methods of its calls.
fn guarded(types: &str, replies: impl IntoIterator<Item = Reply>) -> (Outcome, Vec<String>) {
    let server = Server::tls(replies);
    let step = step().api_with_token(&server).args(["--allow", types]);
    let outcome = step.args(["--timeout", "1"]).run();
    let method = |request: &String| request.split(' ').next().unwrap().to_owned();
    (outcome, server.received().iter().map(method).collect())
}

/// Nothing was sent but reads, and the failure says so.
#[track_caller]
fn assert_not_allowed(outcome: &Outcome, calls: &[String]) {
    let error = &outcome.json()["error"];
    assert_eq!(error["code"], "not_allowed", "{outcome}");
    assert_eq!(error["request_sent"], "no", "{outcome}");
    assert_eq!(outcome.status, Some(2), "{outcome}");
    assert!(
        !calls.is_empty() && calls.iter().all(|call| call == "GET"),
        "{calls:?}"
    );
}

#[test]
fn an_action_of_a_listed_type_is_read_and_then_cancelled() {
    each(
        ["Isolate", "Unisolate,Isolate", "Isolate,Isolate"],
        |types| {
            let (outcome, calls) = guarded(types, [Reply::bytes(action(&json!("Isolate")))]);
            assert_eq!((outcome.status, outcome.stderr.as_str()), (Some(0), ""));
            assert_eq!(calls, ["GET", "POST"]);
            assert!(outcome.json().get("outcome").is_none());
        },
    );
}

#[test]
fn an_action_of_another_type_is_not_cancelled() {
    each(
        [
            "isolate",
            "Isolat",
            "Isolatee",
            "Unisolate,RunAntiVirusScan",
        ],
        |types| {
            let (outcome, calls) = guarded(types, [Reply::bytes(action(&json!("Isolate")))]);
            assert_not_allowed(&outcome, &calls);
            assert_eq!(calls.len(), 1);
            assert_eq!(outcome.json()["error"]["retryable"], false);
        },
    );
    let hostile = action(&json!("Isolate\u{1b}[2J\n"));
    let (outcome, calls) = guarded("Isolate", [Reply::bytes(hostile)]);
    assert_not_allowed(&outcome, &calls);
    let (known, _) = guarded("Unisolate", [Reply::bytes(action(&json!("Isolate")))]);
    let told = [known.stderr, outcome.stderr].concat();
    assert_snapshot!(told, @"
    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the action is of type Isolate, which --allow (MDE_ALLOW) does not list. The cancel was not sent.
    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the action is of a type that --allow (MDE_ALLOW) does not list. The cancel was not sent.
    ");
}

#[test]
fn an_action_whose_type_cannot_be_read_is_not_cancelled() {
    let body = |body: &str| Reply::bytes(response("200 OK", &[JSON], body));
    let status = |status: &str| Reply::bytes(response(status, &[JSON], action(&json!("Isolate"))));
    let typed = |rest: &str| body(&format!(r#"{{"id":"{ID}",{rest}}}"#));
    let rows = [
        ("not found", status("404 x"), false),
        ("not permitted", status("403 x"), false),
        ("failing", status("500 x"), true),
        ("moved", status("302 x"), false),
        ("a page", body("<html>Isolate</html>"), false),
        ("a list", body(r#"[{"type":"Isolate"}]"#), false),
        (
            "another action",
            body(r#"{"id":"x","type":"Isolate"}"#),
            false,
        ),
        ("no id", body(r#"{"type":"Isolate"}"#), false),
        ("no type", typed(r#""x":1"#), false),
        ("null", typed(r#""type":null"#), false),
        ("a number", typed(r#""type":1"#), false),
        ("a list of types", typed(r#""type":["Isolate"]"#), false),
        (
            "twice",
            typed(r#""type":"Isolate","type":"Unisolate""#),
            false,
        ),
        (
            "twice the same",
            typed(r#""type":"Isolate","type":"Isolate""#),
            false,
        ),
        (
            "the id twice",
            typed(&format!(r#""id":"{ID}","type":"Isolate""#)),
            false,
        ),
        ("another case", typed(r#""Type":"Isolate""#), false),
        ("lost", Reply::bytes(""), true),
        ("no HTTP", Reply::bytes("SSH-2.0-x\r\n\r\n"), false),
        ("slow", Reply::silence(), true),
    ];
    let told = each(rows, |(name, reply, retryable)| {
        let (outcome, calls) = guarded("Isolate", [reply]);
        assert_not_allowed(&outcome, &calls);
        assert_eq!(outcome.json()["error"]["retryable"], retryable, "{outcome}");
        let stderr = outcome.stderr.replace(" {tries}", "");
        let (_, told) = stderr.split_once(&format!("{ID}: ")).unwrap();
        let (told, _) = told.split_once(" (Cause: ").unwrap_or((told, ""));
        format!("{name}: {}", told.trim())
    });
    assert_snapshot!(told.join("\n"));
}

#[test]
fn a_read_that_is_throttled_says_when_to_come_back() {
    let throttled = response("429 x", &["Retry-After: 3600"], "");
    let (outcome, calls) = guarded("Isolate", [Reply::bytes(throttled)]);
    assert_not_allowed(&outcome, &calls);
    let error = &outcome.json()["error"];
    assert_eq!(
        (&error["retryable"], &error["retry_after_seconds"]),
        (&json!(true), &json!(3600))
    );
    let throttled = response("429 x", &["Retry-After: 0"], "");
    let replies = [throttled, action(&json!("Isolate"))].map(Reply::bytes);
    let (outcome, calls) = guarded("Isolate", replies);
    assert_eq!(outcome.status, Some(0), "{outcome}");
    assert_eq!(calls, ["GET", "GET", "POST"]);
}

#[test]
fn with_wait_the_action_is_read_before_and_after() {
    let service = Service::ending(|_| Some(Duration::from_millis(300)));
    let called = |service: &Service| service.called_by(step()).stdin(request_for(&id(0)));
    let outcome = called(&service)
        .args(["--allow", "Isolate", "--wait", "5"])
        .run();
    assert_eq!(outcome.json()["outcome"], "cancelled", "{outcome}");
    let cancels: Vec<bool> = service.calls().iter().map(|call| call.is_cancel).collect();
    assert_eq!(cancels, [false, true, false, false]);
    let service = Service::ending(|_| None);
    let outcome = called(&service)
        .args(["--allow", "Unisolate", "--wait", "5"])
        .run();
    assert!(
        outcome.json()["error"].get("outcome").is_none(),
        "{outcome}"
    );
    assert_eq!(service.calls().len(), 1);
}

/// Each line takes three calls: the pace holds for all of them. Every seventh call fails, if it is a read.
#[test]
fn in_a_batch_each_line_is_guarded_and_paced() {
    let window = Duration::from_secs(3);
    let mut limit = Service::limit(100, window);
    let service = Service::with(
        |_| Some(Duration::ZERO),
        move |number, call| match limit(number, call) {
            Fate::Answered if !call.is_cancel && number % 7 == 0 => Fate::Failed,
            fate => fate,
        },
    );
    let step = batch()
        .args(["--allow", "Isolate", "--wait", "30"])
        .patiently();
    let step = step
        .env("MDE_CALLS_PER_MINUTE", "2000")
        .env("MDE_CALLS_PER_HOUR", "0");
    let outcome = service.called_by(step).stdin(lines(40)).run();
    assert_eq!(outcome.status, Some(0), "{}", outcome.stderr);
    let outcomes = documents(&outcome)
        .into_iter()
        .map(|it| it["outcome"].clone());
    assert_eq!(outcomes.collect::<Vec<_>>(), vec![json!("cancelled"); 40]);
    let calls = service.calls();
    assert!(
        calls
            .iter()
            .all(|call| !matches!(call.fate, Fate::Throttled(_)))
    );
    let cancels = calls.iter().filter(|call| call.is_cancel);
    let cancels: Vec<String> = cancels.map(|call| call.id.clone()).collect();
    assert_eq!(cancels, (0..40).map(id).collect::<Vec<_>>());
}

#[test]
fn in_a_batch_what_is_not_allowed_fails_alone() {
    let service = Service::ending(|_| Some(Duration::ZERO));
    let step = unpaced(batch()).args(["--allow", "Unisolate"]);
    let outcome = service.called_by(step).stdin(lines(3)).run();
    assert_eq!(outcome.status, Some(2), "{}", outcome.stderr);
    let codes = documents(&outcome)
        .into_iter()
        .map(|it| it["error"]["code"].clone());
    assert_eq!(codes.collect::<Vec<_>>(), vec![json!("not_allowed"); 3]);
    assert!(service.calls().iter().all(|call| !call.is_cancel));
    assert_eq!(service.calls().len(), 3);
}

/// The turn of the cancel comes after the time limit of a line: waiting for the pace is not part of it.
#[test]
fn the_pace_is_no_reason_to_be_out_of_time() {
    let service = Service::ending(|_| Some(Duration::ZERO));
    let step = batch().args(["--allow", "Isolate", "--timeout", "1"]);
    let step = step.env("MDE_CALLS_PER_MINUTE", "19");
    let outcome = service.called_by(step).stdin(lines(1)).run();
    assert_eq!(outcome.status, Some(0), "{outcome}");
    assert!(outcome.took > Duration::from_secs(2), "{:?}", outcome.took);
}

#[test]
fn told_to_stop_before_the_type_is_known_nothing_is_cancelled_and_nothing_is_said_of_the_type() {
    let throttled = response("429 Too Many Requests", &["Retry-After: 20"], "");
    let server = Server::tls([Reply::bytes(throttled)]);
    let outcome = step()
        .api_with_token(&server)
        .args(["--allow", "Isolate", "--timeout", "60"])
        .run_until("TERM", Running::soon_after(server.heard(1)));
    assert_eq!(outcome.status, Some(143), "{outcome}");
    let error = &outcome.json()["error"];
    assert_eq!(error["code"], "interrupted", "{outcome}");
    assert_eq!(error["request_sent"], "no", "{outcome}");
    assert!(!outcome.stderr.contains("type of the action"), "{outcome}");
}

#[test]
fn what_the_service_says_of_a_refused_read_is_in_the_last_line() {
    let said = r#"{"error":{"code":"DisabledFeature","message":"The feature is off."}}"#;
    let (outcome, calls) = guarded(
        "Isolate",
        [Reply::bytes(response("403 Forbidden", &[JSON], said))],
    );
    assert_not_allowed(&outcome, &calls);
    let words = "the service answered 403 Forbidden, DisabledFeature: \"The feature is off\"";
    assert!(outcome.stderr.contains(words), "{outcome}");
}

#[test]
fn a_read_whose_answer_cannot_be_decoded_says_nothing_of_a_cancel_that_was_sent() {
    let answer = response("200 OK", &[JSON, "Content-Encoding: gzip"], "no gzip");
    let (outcome, calls) = guarded("Isolate", [Reply::bytes(answer)]);
    assert_not_allowed(&outcome, &calls);
    assert!(
        !outcome.stderr.contains("cancelled is not known"),
        "{outcome}"
    );
    assert!(
        outcome.stderr.contains("The cancel was not sent"),
        "{outcome}"
    );
}

#[test]
fn a_read_that_is_throttled_says_when_to_come_again() {
    let throttled = response("429 Too Many Requests", &["Retry-After: 20"], "");
    let (outcome, calls) = guarded("Isolate", [Reply::bytes(throttled)]);
    assert_not_allowed(&outcome, &calls);
    assert!(
        outcome.stderr.ends_with("Run the step again in 20 s.\n"),
        "{outcome}"
    );
}

#[test]
fn what_helps_after_a_refused_read_follows_from_its_status() {
    let cases = [
        ("400 Bad Request", "a GUID"),
        ("401 Unauthorized", "MDE_SCOPE"),
        ("403 Forbidden", "Machine.Read.All"),
    ];
    for (status, remedy) in cases {
        let refused = Reply::bytes(response(status, &[JSON], "{}"));
        let (outcome, calls) = guarded("Isolate", [refused]);
        assert_not_allowed(&outcome, &calls);
        assert!(outcome.stderr.contains(remedy), "{outcome}");
    }
}

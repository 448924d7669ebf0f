//! Faults to survive: for each a documented status, one JSON line, an honest `request_sent`, and the time limit plus one
//! second at most.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::token::{now, token};
use crate::support::{JSON, Outcome, REQUEST, Reply, Server, Step, each, response, step};

const SECOND: Duration = Duration::from_secs(1);
const OK: &str = r#"{"id":"x","status":"Cancelled"}"#;

fn ok() -> Vec<u8> {
    response("200 OK", &[JSON], OK)
}

/// Runs with a time limit of two seconds; the outcome is whole and in time.
#[track_caller]
fn survived(name: &str, step: Step) -> Outcome {
    let outcome = step.args(["--timeout", "2"]).run();
    assert!(outcome.took < 3 * SECOND, "{name} took {:?}", outcome.took);
    assert!(matches!(outcome.status, Some(0..=8)), "{name}: {outcome}");
    assert!(outcome.json().is_object(), "{name}: {outcome}");
    outcome
}

#[test]
fn faults_of_the_answer() {
    let head = format!("HTTP/1.1 200 OK\r\n{JSON}\r\n");
    let drip = |bytes: &[u8]| Reply::bytes("").dripping(bytes, SECOND);
    // Each with its exit status, and what is known of the request.
    let cases = [
        ("never answers", Reply::silence(), 5, "unknown"),
        ("one byte a second", drip(&ok()[..20]), 5, "unknown"),
        (
            "headers without end",
            Reply::bytes("HTTP/1.1 200 OK\r\n").then("X: y\r\n".repeat(50_000)),
            5,
            "unknown",
        ),
        (
            "interim answers without end",
            Reply::bytes("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(20)).pausing(20 * SECOND),
            5,
            "unknown",
        ),
        (
            "a header of 100 KB",
            Reply::bytes(format!(
                "HTTP/1.1 200 OK\r\nX: {}\r\n\r\n{{}}",
                "y".repeat(100_000)
            )),
            5,
            "unknown",
        ),
        (
            "a body shorter than its length",
            Reply::bytes(format!("{head}Content-Length: 50\r\n\r\n{OK}")),
            5,
            "unknown",
        ),
        (
            "a body longer than its length",
            Reply::bytes(format!("{head}Content-Length: 2\r\n\r\n{{}}{OK}")),
            0,
            "",
        ),
        (
            "a length that is none",
            Reply::bytes(format!("{head}Content-Length: x\r\n\r\n{{}}")),
            5,
            "unknown",
        ),
        (
            "two lengths",
            Reply::bytes(format!(
                "{head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}"
            )),
            5,
            "unknown",
        ),
        (
            "a bad chunk size",
            Reply::bytes(format!(
                "{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n"
            )),
            5,
            "unknown",
        ),
        (
            "a chunk that is cut",
            Reply::bytes(format!(
                "{head}Transfer-Encoding: chunked\r\n\r\nff\r\n{{}}"
            )),
            5,
            "unknown",
        ),
        (
            "a huge chunk size",
            Reply::bytes(format!(
                "{head}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{{}}"
            )),
            5,
            "unknown",
        ),
        (
            "200 with half a JSON",
            Reply::bytes(response("200 OK", &[JSON], "{\"id\":")),
            0,
            "",
        ),
        (
            "garbage instead of HTTP",
            Reply::bytes([0; 500]),
            5,
            "unknown",
        ),
        (
            "another version of HTTP",
            Reply::bytes("HTTP/2.0 200 OK\r\n\r\n"),
            5,
            "unknown",
        ),
        (
            "a status that is none",
            Reply::bytes("HTTP/1.1 099 x\r\n\r\n"),
            5,
            "unknown",
        ),
        (
            "a reset in the headers",
            Reply::bytes("HTTP/1.1 200 OK\r\nX: ").breaking_off(),
            5,
            "unknown",
        ),
        (
            "a reset in the body",
            Reply::bytes(&ok()[..ok().len() - 5]).breaking_off(),
            5,
            "unknown",
        ),
        (
            "a reset after the request",
            Reply::bytes("").breaking_off(),
            5,
            "unknown",
        ),
    ];
    each(cases, |(name, reply, status, request_sent)| {
        let server = Server::tls([reply]);
        let outcome = survived(name, step().api_with_token(&server));
        assert_eq!(outcome.status, Some(status), "{name}: {outcome}");
        if status == 5 {
            assert_eq!(
                outcome.json()["error"]["request_sent"],
                request_sent,
                "{name}: {outcome}"
            );
        }
    });
}

#[test]
fn a_body_of_100_megabytes_is_not_kept() {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 100 << 20);
    let part = vec![b'x'; 1 << 20];
    let reply = (0..30).fold(Reply::bytes(head), |reply, _| reply.then(&part));
    let server = Server::plain([reply]);
    let outcome = survived("100 MB", step().api_with_token(&server));
    assert_eq!(outcome.status, Some(5), "{outcome}");
    // In KiB: the ten megabytes that are allowed, and what their vector grew by.
    assert!(outcome.peak_memory < 64 << 10, "{}", outcome.peak_memory);
}

#[test]
fn faults_before_the_request_is_sent() {
    let garbage = Server::plain([Reply::unasked("no TLS\r\n")]);
    let url = garbage.url().replace("http:", "https:");
    let step_to = |url: &str| step().env("MDE_BASE_URL", url).env("MDE_ACCESS_TOKEN", "x");
    each(
        [
            ("garbage instead of TLS", url.as_str()),
            ("refused", "https://127.0.0.1:1"),
            (
                "no such host",
                &format!("https://{}.example", "a".repeat(64)),
            ),
        ],
        |(name, url)| {
            let outcome = survived(name, step_to(url));
            assert_eq!(outcome.status, Some(5), "{name}: {outcome}");
            assert_eq!(
                outcome.json()["error"]["request_sent"],
                "no",
                "{name}: {outcome}"
            );
        },
    );
}

#[test]
fn faults_of_sign_in() {
    let cases = [
        ("slow", Reply::bytes("").pausing(20 * SECOND), 5),
        (
            "dripping",
            Reply::bytes("").dripping(&ok()[..20], SECOND),
            5,
        ),
        (
            "down",
            Reply::bytes(response("503 x", &["Retry-After: 60"], "")),
            8,
        ),
        (
            "throttled",
            Reply::bytes(response("429 x", &["Retry-After: 60"], "")),
            8,
        ),
        ("gone", Reply::bytes(""), 5),
        (
            "too much",
            Reply::bytes(response("200 OK", &[], vec![b'x'; 11 << 20])),
            5,
        ),
    ];
    each(cases, |(name, reply, status)| {
        let sign_in = Server::tls([reply]);
        let api = Server::tls([Reply::bytes(ok())]);
        let outcome = survived(name, step().api(&api).signing_in_at(&sign_in));
        assert_eq!(outcome.status, Some(status), "{name}: {outcome}");
        assert_eq!(
            outcome.json()["error"]["request_sent"],
            "no",
            "{name}: {outcome}"
        );
        assert_eq!(api.connections(), 0);
    });
}

#[test]
fn a_clock_that_is_off_by_ten_minutes_costs_one_renewal_at_most() {
    for skew in [-600, 600] {
        let exp = now().saturating_add_signed(skew);
        let off = token(
            json!({"exp": exp, "nbf": exp.saturating_sub(300), "roles": ["Machine.Isolate"]}),
        );
        let sign_in = Server::granting(&[&off, "good.token"], 3599);
        let api = Server::answering(&["401 Unauthorized", "200 OK"]);
        let outcome = survived("clock", step().api(&api).signing_in_at(&sign_in));
        assert_eq!(outcome.status, Some(0), "{outcome}");
    }
}

#[test]
fn faults_of_stdin() {
    for (name, text) in [("closed at once", ""), ("closed early", &REQUEST[..40])] {
        let outcome = survived(name, step().args(["--sandbox"]).stdin(text));
        assert_eq!(outcome.status, Some(2), "{outcome}");
    }
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_cancel-machine-action"))
        .arg("--sandbox")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for byte in REQUEST.bytes() {
        stdin.write_all(&[byte]).unwrap();
        stdin.flush().unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test may wait")]
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    assert_eq!(output.status.code(), Some(0));
    assert!(begun.elapsed() < 5 * SECOND);
}

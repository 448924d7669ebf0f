//! A service that asks for a longer pause than a batch waits for.

use std::time::{Duration, Instant, SystemTime};

use cancel_machine_action::call::pace::{LONGEST_PAUSE, Pacer};
use serde_json::{Value, json};

use crate::support::busy::Busy;
use crate::support::{
    JSON, Outcome, Reply, Server, Step, assert_snapshot, each, request_for, response, step,
};

const ENTITY: &str =
    r#"{"id":"11111111-0000-0000-0000-000000000000","status":"Pending","commands":[]}"#;
/// The greatest whole number that every reader of JSON keeps.
const MOST: u64 = (1 << 53) - 1;

fn lines(count: usize) -> String {
    let request = |number| request_for(&format!("11111111-0000-0000-0000-{number:012}"));
    (0..count).map(|number| request(number) + "\n").collect()
}

fn batch() -> Step {
    step()
        .args(["--batch"])
        .env("MDE_CALLS_PER_MINUTE", "0")
        .env("MDE_CALLS_PER_HOUR", "0")
}

fn calling(api: &Busy) -> Step {
    batch()
        .env("MDE_BASE_URL", api.url())
        .env("MDE_ACCESS_TOKEN", "x")
}

fn documents(outcome: &Outcome) -> Vec<Value> {
    let lines = outcome.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// What each document says in short: its status, or its failure's code.
fn in_short(outcome: &Outcome) -> Vec<Value> {
    let short = |document: Value| match document.get("error") {
        Some(error) => error["code"].clone(),
        None => document["status_code"].clone(),
    };
    documents(outcome).into_iter().map(short).collect()
}

fn throttling(status: &str, retry_after: &str) -> &'static str {
    format!("HTTP/1.1 {status} x\r\nRetry-After: {retry_after}\r\nContent-Length: 0\r\n\r\n").leak()
}

fn date_in(time: Duration) -> String {
    httpdate::fmt_http_date(SystemTime::now() + time)
}

/// Each `Retry-After` that is not waited for, with the seconds that it amounts to.
fn too_long() -> Vec<(String, u64)> {
    let years = |count: u64| count * 365 * 86_400;
    let mut cases = vec![
        (date_in(Duration::from_secs(years(73))), years(73)),
        (
            "Fri, 31 Dec 9999 23:59:59 GMT".to_owned(),
            253_402_300_799 - now(),
        ),
    ];
    for seconds in [3_603, 86_400, 99_999_999_999, MOST] {
        cases.push((seconds.to_string(), seconds));
    }
    for more in [
        "18446744073709551615",
        "18446744073709551616",
        &"9".repeat(400),
    ] {
        cases.push((more.to_owned(), MOST));
    }
    cases
}

fn now() -> u64 {
    crate::support::token::now()
}

#[test]
fn the_line_that_hears_of_a_long_pause_has_its_answer_and_the_others_are_not_sent() {
    for status in ["429", "503"] {
        each(too_long(), |(retry_after, seconds)| {
            let reply = throttling(status, &retry_after);
            let api = Busy::new(move |call| if call == 2 { reply } else { Busy::OK });
            // No time limit of a line changes that.
            let outcome = calling(&api)
                .args(["--timeout", "86400"])
                .stdin(lines(5))
                .run();
            assert!(outcome.took < Duration::from_secs(4), "{:?}", outcome.took);
            assert_eq!(outcome.status, Some(8), "{retry_after}: {outcome}");
            assert_eq!(api.ids().len(), 2, "{retry_after}: {outcome}");
            let status: u16 = status.parse().unwrap();
            let expected = json!([200, status, "throttled", "throttled", "throttled"]);
            assert_eq!(json!(in_short(&outcome)), expected, "{retry_after}");
            for (document, line) in documents(&outcome)[2..].iter().zip(3..) {
                let error = &document["error"];
                assert_eq!(
                    (&error["request_sent"], &error["retryable"], &error["line"]),
                    (&json!("no"), &json!(true), &json!(line))
                );
                let left = error["retry_after_seconds"].as_u64().unwrap();
                assert!(
                    (seconds - 3..=seconds).contains(&left),
                    "{retry_after}: {left}"
                );
            }
        });
    }
}

#[test]
fn a_line_that_is_held_up_says_for_how_long_and_what_to_do() {
    let reply = throttling("429", "9007199254740991");
    let api = Busy::new(move |_| reply);
    let outcome = calling(&api).stdin(lines(2)).run();
    let last = outcome.to_string().replace("9007199254740990", "{left}");
    assert_snapshot!(last.replace("9007199254740991", "{left}"), @r#"
    status: 8
    stdout: {
      "status_code": 429,
      "reason": "Too Many Requests",
      "response_headers": {
        "Retry-After": "{left}",
        "Content-Length": "0"
      },
      "response_text": "",
      "retryable": true,
      "retry_after_seconds": {left}
    }
    {
      "error": {
        "code": "throttled",
        "message": "the service asks to wait for {left} s, and a batch waits for an hour at most. This line was not sent: run it again after that.",
        "line": 2,
        "retryable": true,
        "retry_after_seconds": {left},
        "request_sent": "no",
        "details": []
      }
    }
    stderr: cancel-machine-action: error: line 1, action 11111111-0000-0000-0000-000000000000: the service answered 429 Too Many Requests. Nothing was cancelled. The service takes no more calls for now: run the step again in {left} s.
    cancel-machine-action: error: line 2, action 11111111-0000-0000-0000-000000000001: the service asks to wait for {left} s, and a batch waits for an hour at most. This line was not sent: run it again after that.
    cancel-machine-action: 2 lines done: 2 not now. Line 1 is the first to look at: what it needs is said above.
    "#);
}

#[test]
fn exit_zero_holds_for_throttled_lines_too() {
    let reply = throttling("429", "86400");
    let api = Busy::new(move |_| reply);
    let step = calling(&api).args(["--exit-zero"]).stdin(lines(2));
    assert_eq!(step.run().status, Some(0));
}

#[test]
fn a_pause_of_an_hour_at_most_is_waited_for() {
    let reply = throttling("429", "2");
    let api = Busy::new(move |call| if call == 2 { reply } else { Busy::OK });
    let outcome = calling(&api).args(["--timeout", "1"]).stdin(lines(4)).run();
    assert_eq!(
        json!(in_short(&outcome)),
        json!([200, 429, 200, 200]),
        "{outcome}"
    );
    assert!(outcome.took >= Duration::from_secs(2), "{:?}", outcome.took);

    let reply = throttling("503", "3600");
    let api = Busy::new(move |call| if call == 2 { reply } else { Busy::OK });
    let step = calling(&api).stdin(lines(4));
    let outcome = step.run_until("TERM", |step| step.lines() == 2);
    assert_eq!(outcome.status, Some(143), "{outcome}");
    assert_eq!(json!(in_short(&outcome)), json!([200, 503]), "{outcome}");
    assert!(
        outcome.stderr.contains("pausing for the service's limits"),
        "{outcome}"
    );
}

#[test]
fn a_long_pause_after_a_short_one_is_a_long_one() {
    let (short, long) = (throttling("429", "1"), throttling("503", "99999999999"));
    let api = Busy::new(move |call| if call == 1 { short } else { long });
    let outcome = calling(&api).args(["--timeout", "9"]).stdin(lines(3)).run();
    assert_eq!(
        json!(in_short(&outcome)),
        json!([503, "throttled", "throttled"]),
        "{outcome}"
    );
    assert!(outcome.took < Duration::from_secs(3), "{:?}", outcome.took);
}

#[test]
fn a_batch_that_reads_until_the_action_is_final_does_not_wait_longer_either() {
    let read = |status: &str| response(status, &[JSON, "Retry-After: 99999999999"], "{}");
    for (status, outcome_named) in [("429 x", "unverified"), ("503 x", "unverified")] {
        let api = Server::tls([
            Reply::bytes(response("200 OK", &[JSON], ENTITY)),
            Reply::bytes(read(status)),
        ]);
        let step = batch().api_with_token(&api);
        let step = step.args(["--wait", "86400", "--timeout", "86400"]);
        let outcome = step.stdin(lines(3)).run();
        assert!(outcome.took < Duration::from_secs(3), "{:?}", outcome.took);
        assert_eq!(
            json!(in_short(&outcome)),
            json!([200, "throttled", "throttled"]),
            "{outcome}"
        );
        assert_eq!(documents(&outcome)[0]["outcome"], outcome_named);
        assert!(
            outcome.stderr.contains("the service asks to wait for"),
            "{outcome}"
        );
        assert_eq!(api.received().len(), 2);
    }
}

#[test]
fn one_request_waits_within_its_time_limit_only() {
    each(too_long(), |(retry_after, _)| {
        let header = format!("Retry-After: {retry_after}");
        let api = Server::tls([Reply::bytes(response("429 x", &[&header], ""))]);
        let outcome = step()
            .api_with_token(&api)
            .args(["--timeout", "3600", "--wait", "5"])
            .run();
        assert_eq!(outcome.json()["status_code"], 429, "{outcome}");
        assert!(outcome.took < Duration::from_secs(4), "{:?}", outcome.took);
        assert_eq!(api.received().len(), 1);
    });
}

#[test]
fn a_sign_in_that_asks_for_a_long_pause_is_not_asked_again_and_each_line_says_how_long() {
    each(too_long(), |(retry_after, seconds)| {
        let header = format!("Retry-After: {retry_after}");
        let sign_in = Server::tls([Reply::bytes(response("429 x", &[&header], ""))]);
        let step = batch().signing_in_at(&sign_in).args(["--timeout", "86400"]);
        let outcome = step.stdin(lines(4)).run();
        assert!(outcome.took < Duration::from_secs(4), "{:?}", outcome.took);
        assert_eq!(sign_in.received().len(), 1, "{retry_after}: {outcome}");
        assert_eq!(documents(&outcome).len(), 4);
        for document in documents(&outcome) {
            let error = &document["error"];
            assert_eq!(error["code"], "sign_in_unavailable");
            let left = error["retry_after_seconds"].as_u64().unwrap();
            assert!(
                (seconds - 3..=seconds).contains(&left),
                "{retry_after}: {left}"
            );
        }
    });
}

#[test]
fn a_pause_gets_shorter_with_time_and_none_is_too_long_to_count() {
    let begun = Instant::now();
    let mut pacer = Pacer::new(0, 0);
    pacer.pause(begun, LONGEST_PAUSE + Duration::from_secs(1));
    assert!(pacer.asked(begun) > LONGEST_PAUSE);
    let later = begun + Duration::from_secs(1);
    assert_eq!(pacer.asked(later), LONGEST_PAUSE);
    pacer.pause(later, Duration::from_secs(5));
    assert_eq!(pacer.wait(later), LONGEST_PAUSE);
    pacer.pause(later, Duration::MAX);
    assert_eq!(
        pacer.wait(later + Duration::from_secs(9)),
        Duration::MAX - Duration::from_secs(9)
    );
}

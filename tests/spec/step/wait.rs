//! `--wait` is as long as it says.

use std::time::Duration;

use serde_json::Value;

use crate::support::batch::{batch, documents, id, lines, unpaced};
use crate::support::service::{Call, Fate, Service};
use crate::support::{
    JSON, Outcome, Reply, Server, assert_snapshot, each, request_for, response, step,
};

/// What a run may take beyond the time that is waited: the last look, and the process. Alone it is at most 1.5 s; these
/// tests run beside others.
const MORE: Duration = Duration::from_secs(4);

fn waited(service: &Service, seconds: u64) -> Outcome {
    let step = service.called_by(step()).stdin(request_for(&id(0)));
    step.args(["--wait", &seconds.to_string()])
        .patiently()
        .run()
}

#[track_caller]
fn assert_took(outcome: &Outcome, seconds: u64) {
    let time = Duration::from_secs(seconds);
    assert!(outcome.took >= time, "{:?}", outcome.took);
    assert!(outcome.took < time + MORE, "{:?}", outcome.took);
}

fn an_action_that_stays_open_is_pending_when_the_time_is_up(seconds: u64) {
    let service = Service::ending(|_| None);
    let outcome = waited(&service, seconds);
    assert_took(&outcome, seconds);
    assert_eq!(outcome.json()["outcome"], "pending", "{outcome}");
    assert_eq!(outcome.status, Some(6), "{outcome}");
    let calls = service.calls();
    let last = calls.last().unwrap().at - calls[0].at;
    assert!(
        last >= Duration::from_secs(seconds),
        "it is read when the time is up"
    );
}

#[test]
fn an_action_that_stays_open_is_read_until_the_time_is_up() {
    each(
        [2, 5],
        an_action_that_stays_open_is_pending_when_the_time_is_up,
    );
}

#[test]
#[ignore = "takes half a minute"]
fn the_same_for_longer_times() {
    each(
        [12, 30],
        an_action_that_stays_open_is_pending_when_the_time_is_up,
    );
}

#[test]
fn an_action_that_ends_half_a_second_before_the_time_is_up_is_final() {
    each([1, 2, 3, 6], |seconds| {
        let end = Duration::from_secs(seconds) - Duration::from_millis(500);
        let service = Service::ending(move |_| Some(end));
        let outcome = waited(&service, seconds);
        assert_eq!(outcome.json()["outcome"], "cancelled", "{outcome}");
        assert_eq!((outcome.status, outcome.stderr.as_str()), (Some(0), ""));
    });
}

#[test]
fn a_last_look_that_brings_nothing_is_made_again_while_there_is_time() {
    let troubles = [Fate::Failed, Fate::Dropped, Fate::Throttled(0)];
    each(troubles, |trouble| {
        let end = Duration::from_secs(2);
        let mut begun = None;
        let mut is_late = 0;
        let service = Service::with(
            |_| Some(Duration::from_secs(1)),
            move |_, call| {
                let begun = *begun.get_or_insert(call.at);
                is_late += usize::from(call.at - begun >= end);
                match is_late {
                    0 if call.is_cancel => Fate::Answered,
                    // All looks fail but the second of those at the end.
                    0 | 1 => trouble,
                    _ => Fate::Answered,
                }
            },
        );
        let outcome = waited(&service, 2);
        assert_eq!(outcome.json()["outcome"], "cancelled", "{outcome}");
        assert_took(&outcome, 2);
    });
}

#[test]
fn what_could_not_be_read_at_the_end_is_unverified_whatever_was_read_before() {
    let service = Service::with(
        |_| None,
        |number, _| match number {
            1..=3 => Fate::Answered,
            _ => Fate::Failed,
        },
    );
    let outcome = waited(&service, 2);
    assert_took(&outcome, 2);
    assert_eq!(outcome.json()["outcome"], "unverified", "{outcome}");
    assert_eq!(
        outcome.json()["json_body"]["status"],
        "Pending",
        "{outcome}"
    );
    assert_snapshot!(outcome.stderr, @"cancel-machine-action: error: action 11111111-0000-0000-0000-000000000000: the service accepted the cancel, but whether the action was cancelled is not known: it was open when it was read last, but then: the status read returned 503. Read its status with `cancel-machine-action get`.");
}

#[test]
fn a_cancel_that_is_throttled_is_read_when_the_service_allows_it() {
    let service = Service::with(
        |_| Some(Duration::ZERO),
        |number, call| match call.is_cancel {
            // Carried out, but nobody hears of it; then throttled.
            true if number == 1 => Fate::Dropped,
            true => Fate::Throttled(2),
            false => Fate::Answered,
        },
    );
    let step = service.called_by(step()).stdin(request_for(&id(0)));
    let outcome = step.args(["--wait", "10", "--timeout", "1.5"]).run();
    assert_eq!(outcome.json()["outcome"], "cancelled", "{outcome}");
    assert_eq!(outcome.status, Some(0), "{outcome}");
    let calls = service.calls();
    let throttled = calls
        .iter()
        .position(|call| call.fate == Fate::Throttled(2));
    let throttled = throttled.unwrap();
    let pause = calls[throttled + 1].at - calls[throttled].at;
    assert!(pause >= Duration::from_secs(2), "{pause:?}");
}

#[test]
fn a_service_that_asks_for_more_than_is_left_ends_the_wait_at_once_with_the_seconds() {
    let service = Service::with(|_| None, |_, _| Fate::Throttled(3600));
    let outcome = waited(&service, 60);
    assert_eq!(outcome.status, Some(8), "{outcome}");
    assert!(outcome.took < MORE, "{:?}", outcome.took);
    assert_snapshot!(outcome, @r#"
    status: 8
    stdout: {
      "status_code": 429,
      "reason": "Too Many Requests",
      "response_headers": {
        "Retry-After": "3600",
        "Content-Length": "0"
      },
      "response_text": "",
      "outcome": "unverified",
      "retryable": true,
      "retry_after_seconds": 3600
    }
    stderr: cancel-machine-action: error: action 11111111-0000-0000-0000-000000000000: the service answered 429 Too Many Requests. Nothing was cancelled. The service takes no more calls for now: run the step again in 3600 s. The action could not be read after that: the service asks to wait for 3600 s, and only 60 s of --wait were left.
    "#);
    let service = Service::with(
        |_| None,
        |number, _| match number {
            1 | 2 => Fate::Answered,
            _ => Fate::Throttled(3600),
        },
    );
    let outcome = waited(&service, 60);
    assert_eq!(outcome.status, Some(6), "{outcome}");
    assert!(outcome.took < 2 * MORE, "{:?}", outcome.took);
    assert_snapshot!(outcome.stderr.replace("only 59 s", "only {left} s").replace("only 60 s", "only {left} s"), @"cancel-machine-action: error: action 11111111-0000-0000-0000-000000000000: the service accepted the cancel, but whether the action was cancelled is not known: it was open when it was read last, but then: the service asks to wait for 3600 s, and only {left} s of --wait were left. Read its status with `cancel-machine-action get`.");
}

#[test]
fn the_answers_that_are_in_hand_at_the_same_time_are_bounded() {
    const LINES: usize = 24;
    let open = |id: &str| {
        let text = "x".repeat(8 << 20);
        let body = format!(r#"{{"id":"{id}","status":"Pending","title":"{text}"}}"#);
        Reply::bytes(response("200 OK", &[JSON], body))
    };
    let server = Server::plain([open(&id(0))]);
    let outcome = unpaced(batch().api_with_token(&server))
        .args(["--wait", "0.3"])
        .stdin(lines(LINES))
        .patiently()
        .run();
    assert_eq!(outcome.stdout.lines().count(), LINES, "{}", outcome.stderr);
    assert!(outcome.peak_memory < 100 << 10, "{}", outcome.peak_memory);
}

#[test]
fn answers_that_grow_from_read_to_read_are_bounded_too() {
    const LINES: usize = 40;
    let open = |size| {
        let text = "x".repeat(size);
        let body = format!(
            r#"{{"id":"{}","status":"Pending","title":"{text}"}}"#,
            id(0)
        );
        Reply::bytes(response("200 OK", &[JSON], body))
    };
    let small = std::iter::repeat_n(open(0), 2 * LINES);
    let server = Server::plain(small.chain([open(4 << 20)]));
    let outcome = unpaced(batch().api_with_token(&server))
        .args(["--wait", "2"])
        .stdin(lines(1).repeat(LINES))
        .patiently()
        .run();
    let pending = |document: &Value| document["outcome"] == "pending";
    assert!(
        documents(&outcome).iter().all(pending),
        "{}",
        outcome.stderr
    );
    assert_eq!(outcome.stdout.lines().count(), LINES, "{}", outcome.stderr);
    assert!(outcome.peak_memory < 100 << 10, "{}", outcome.peak_memory);
}

#[test]
fn a_line_whose_last_read_is_throttled_is_not_read_again() {
    let throttled = Reply::bytes(response("429 x", &["Retry-After: 1"], ""));
    let open = format!(r#"{{"id":"{}","status":"Pending"}}"#, id(0));
    let open = Reply::bytes(response("200 OK", &[JSON], open));
    let server = Server::plain([open, throttled]);
    let outcome = unpaced(batch().api_with_token(&server))
        .args(["--wait", "0.5"])
        .stdin(lines(1))
        .run();
    assert_eq!(outcome.json()["outcome"], "unverified", "{outcome}");
    // The cancel, one read, and the one when the time was up.
    assert_eq!(server.received().len(), 3, "{outcome}");
}

#[test]
fn a_read_that_fails_comes_no_sooner_again_than_the_service_asks() {
    let failing = Reply::bytes(response("500 x", &["Retry-After: 2"], ""));
    let open = format!(r#"{{"id":"{}","status":"Pending"}}"#, id(0));
    let open = Reply::bytes(response("200 OK", &[JSON], open));
    let server = Server::plain([open, failing]);
    let outcome = step()
        .api_with_token(&server)
        .stdin(request_for(&id(0)))
        .args(["--wait", "3"])
        .run();
    assert_eq!(outcome.json()["outcome"], "unverified", "{outcome}");
    // The cancel, and reads after 0, 2 and at the end.
    assert!((3..=4).contains(&server.received().len()), "{outcome}");
}

#[test]
fn the_read_at_the_end_of_a_batchs_line_is_made_three_times_at_most() {
    let fate = |_, call: &Call| match call.is_cancel {
        true => Fate::Answered,
        false => Fate::Dropped,
    };
    let service = Service::with(|_| None, fate);
    let step = unpaced(batch()).args(["--wait", "0.4"]).stdin(lines(1));
    let outcome = service.called_by(step).run();
    assert!(outcome.stdout.contains(r#""unverified""#), "{outcome}");
    let reads = service.calls().into_iter().filter(|call| !call.is_cancel);
    // At once, and up to three times when the time is up.
    assert!((2..=5).contains(&reads.count()), "{outcome}");
    assert!(outcome.took < MORE, "{:?}", outcome.took);
}

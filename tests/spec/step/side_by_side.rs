//! A batch that waits: its lines wait side by side.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::support::batch::{batch, documents, id, lines, unpaced};
use crate::support::service::{Fate, Service};
use crate::support::{Outcome, Step};

const SECOND: Duration = Duration::from_secs(1);

fn waiting(seconds: &str) -> Step {
    unpaced(batch()).args(["--wait", seconds]).patiently()
}

/// The outcome of each line, which must stand in the order of the lines, each about its own action.
#[track_caller]
fn outcomes(outcome: &Outcome, count: usize) -> Vec<String> {
    let documents = documents(outcome);
    assert_eq!(documents.len(), count, "{}", outcome.stderr);
    let outcome_of = |(number, document): (usize, &Value)| {
        let read = &document["json_body"]["id"];
        let line = &document["error"]["line"];
        assert!(
            *read == id(number) || *line == number + 1 || read.is_null() && line.is_null(),
            "line {}: {document}",
            number + 1
        );
        let outcome = document.get("outcome");
        let outcome = outcome.unwrap_or(&document["error"]["outcome"]);
        outcome.as_str().unwrap_or_default().to_owned()
    };
    documents.iter().enumerate().map(outcome_of).collect()
}

#[track_caller]
fn assert_all_cancelled(outcome: &Outcome, count: usize) {
    let outcomes = outcomes(outcome, count);
    assert!(outcomes.iter().all(|it| it == "cancelled"), "{outcomes:?}");
    assert_eq!(outcome.status, Some(0), "{}", outcome.stderr);
    assert_eq!(outcome.stderr, "");
}

#[test]
fn sixty_lines_that_are_final_after_three_seconds_end_in_under_eight() {
    let service = Service::ending(|_| Some(3 * SECOND));
    let step = service.called_by(waiting("30")).stdin(lines(60));
    let outcome = step.run();
    assert_all_cancelled(&outcome, 60);
    assert!(outcome.took < 8 * SECOND, "{:?}", outcome.took);
}

#[test]
fn a_line_that_never_ends_holds_up_no_other() {
    let service = Service::ending(|number| (number != 0).then_some(2 * SECOND));
    let step = service.called_by(waiting("8")).stdin(lines(100));
    let outcome = step.run();
    let mut outcomes = outcomes(&outcome, 100);
    assert_eq!(outcomes.remove(0), "pending");
    assert!(outcomes.iter().all(|it| it == "cancelled"), "{outcomes:?}");
    assert_eq!(outcome.status, Some(6), "{}", outcome.stderr);
    assert!(outcome.took < 12 * SECOND, "{:?}", outcome.took);
    assert!(outcome.took >= 8 * SECOND, "{:?}", outcome.took);
    let never = service.calls().into_iter().filter(|call| call.id == id(0));
    let last = never.map(|call| call.at).max().unwrap();
    let first = service.calls()[0].at;
    assert!(last - first >= 8 * SECOND, "it is read when the time is up");
}

#[test]
fn three_hundred_lines_of_one_to_three_seconds_end_in_under_twenty() {
    let service = Service::ending(|number| Some(SECOND + SECOND * (number as u32 % 21) / 10));
    let step = service.called_by(waiting("60")).stdin(lines(300));
    let outcome = step.run();
    assert_all_cancelled(&outcome, 300);
    assert!(outcome.took < 20 * SECOND, "{:?}", outcome.took);
}

/// The minute is twenty times as short as the service's: so are the settings.
#[test]
fn a_batch_that_waits_keeps_the_pace_and_earns_no_429() {
    let limit = Service::limit(100, 3 * SECOND);
    let service = Service::with(|_| Some(SECOND), limit);
    let step = batch().args(["--wait", "60"]).patiently();
    let step = step
        .env("MDE_CALLS_PER_MINUTE", "2000")
        .env("MDE_CALLS_PER_HOUR", "0");
    let outcome = service.called_by(step).stdin(lines(200)).run();
    assert_all_cancelled(&outcome, 200);
    let calls = service.calls();
    let throttled = calls.iter().filter(|call| call.fate != Fate::Answered);
    assert_eq!(throttled.count(), 0);
}

#[test]
fn whatever_becomes_of_calls_each_line_has_its_true_outcome_or_none_that_is_known() {
    chaos(60);
}

#[test]
#[ignore = "takes a minute"]
fn the_same_with_three_hundred_lines() {
    chaos(300);
}

fn chaos(count: usize) {
    // Every tenth action never ends.
    let service = Service::with(
        |number| (number % 10 != 0).then_some(SECOND / 2),
        |call, _| match call {
            _ if call % 7 == 0 => Fate::Dropped,
            _ if call % 5 == 0 => Fate::Failed,
            _ if call % 3 == 0 => Fate::Throttled(0),
            _ => Fate::Answered,
        },
    );
    let step = service.called_by(waiting("4")).args(["--timeout", "30"]);
    let outcome = step.stdin(lines(count)).run();
    let outcomes = outcomes(&outcome, count);
    for (number, outcome) in outcomes.iter().enumerate() {
        let known = match number % 10 {
            0 => "pending",
            _ => "cancelled",
        };
        assert!(
            outcome == known || outcome == "unverified",
            "line {}: {outcome}",
            number + 1
        );
    }
    let unverified = outcomes.iter().filter(|it| *it == "unverified").count();
    assert!(unverified < count / 10, "{unverified}");
    let calls = service.calls();
    let done = calls
        .iter()
        .filter(|call| call.is_cancel && matches!(call.fate, Fate::Answered | Fate::Dropped));
    let done: BTreeSet<String> = done.map(|call| call.id.clone()).collect();
    assert_eq!(done, (0..count).map(id).collect());
}

#[test]
fn a_cancel_that_is_tried_for_long_holds_up_no_read() {
    let troubled = id(20);
    let service = Service::with(
        |_| Some(SECOND / 2),
        move |_, call| match call.is_cancel && call.id == troubled {
            true => Fate::Failed,
            false => Fate::Answered,
        },
    );
    let step = service.called_by(waiting("4")).args(["--timeout", "6"]);
    let outcome = step.stdin(lines(30)).run();
    let outcomes = outcomes(&outcome, 30);
    let others = outcomes.iter().enumerate().filter(|(line, _)| *line != 20);
    for (line, outcome) in others {
        assert_eq!(outcome, "cancelled", "line {}", line + 1);
    }
    let calls = service.calls();
    let tries = calls.iter().filter(|call| call.fate == Fate::Failed);
    let tries: Vec<_> = tries.map(|call| call.at).collect();
    let (first, last) = (tries[0], *tries.last().unwrap());
    assert!(tries.len() > 3 && last - first > SECOND, "{}", tries.len());
    let between = calls
        .iter()
        .filter(|call| !call.is_cancel && call.at > first && call.at < last);
    assert!(between.count() >= 20, "{calls:?}");
}

#[test]
fn lines_that_come_late_are_cancelled_while_others_are_watched() {
    let service = Service::ending(|_| Some(SECOND));
    let step = service
        .called_by(waiting("6"))
        .stdin(lines(3))
        .holding_stdin_open();
    // The input never ends: what is done is written all the same.
    let outcome = step.run_until("TERM", |step| step.lines() == 3);
    assert_eq!(outcome.status, Some(143), "{outcome}");
    assert_eq!(outcomes(&outcome, 3), ["cancelled"; 3]);
    assert!(outcome.took < 3 * SECOND, "{:?}", outcome.took);
}

#[test]
fn ten_thousand_lines_that_wait_take_no_more_memory_than_a_hundred() {
    let service = Service::ending(|_| Some(Duration::ZERO));
    let mut peaks = Vec::new();
    for count in [100, 10_000] {
        let step = service.called_by(waiting("30")).stdin(lines(count));
        let outcome = step.run();
        assert_eq!(outcome.status, Some(0), "{}", outcome.stderr);
        assert_eq!(outcome.stdout.lines().count(), count);
        peaks.push(outcome.peak_memory);
    }
    // In KiB, as the kernel counts it.
    assert!(peaks[1] <= peaks[0] + 2048, "{peaks:?}");
}

/// The pace allows ten calls a second: the first look at each is due long before.
#[test]
fn a_pace_that_is_too_slow_for_all_reads_is_named_and_each_line_is_read_at_its_end() {
    let service = Service::ending(|_| Some(5 * SECOND));
    let step = batch().args(["--wait", "2"]).patiently();
    let step = step
        .env("MDE_CALLS_PER_MINUTE", "600")
        .env("MDE_CALLS_PER_HOUR", "0");
    let outcome = service.called_by(step).stdin(lines(60)).run();
    let ends = outcomes(&outcome, 60);
    assert!(
        ends.iter()
            .all(|it| ["cancelled", "pending"].contains(&it.as_str())),
        "{ends:?}"
    );
    let said =
        "some actions are read later than --wait says: MDE_CALLS_PER_MINUTE, MDE_CALLS_PER_HOUR";
    assert_eq!(
        outcome.stderr.matches(said).count(),
        1,
        "{}",
        outcome.stderr
    );
    let calls = service.calls();
    for number in 0..60 {
        let of = |is_cancel| {
            let calls = calls.iter().filter(move |call| call.is_cancel == is_cancel);
            calls
                .filter(|call| call.id == id(number))
                .map(|call| call.at)
                .max()
                .unwrap()
        };
        assert!(of(false) - of(true) >= 2 * SECOND, "line {}", number + 1);
    }
}

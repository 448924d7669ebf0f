//! Told to stop.

use std::io::PipeReader;
use std::thread;
use std::time::Duration;

use crate::support::batch::{batch, documents, id, lines, unpaced};
use crate::support::busy::Busy;
use crate::support::{JSON, Reply, Server, Step, response};

#[test]
fn a_call_that_a_signal_breaks_off_on_a_kept_connection_may_have_been_sent() {
    let keeping = Reply::keeping_open(response("200 OK", &[JSON], "{}"));
    let server = Server::tls([keeping, Reply::silence()]);
    let step = unpaced(batch())
        .api_with_token(&server)
        .args(["--timeout", "20"])
        .stdin(lines(3));
    let outcome = step.run_until("TERM", Duration::from_millis(700));
    assert_eq!(outcome.status, Some(143), "{outcome}");
    let documents = documents(&outcome);
    assert_eq!(
        documents[1]["error"]["request_sent"], "unknown",
        "{outcome}"
    );
    assert!(
        outcome
            .stderr
            .contains("was broken off, because the step was told to stop"),
        "{outcome}"
    );
}

#[test]
fn a_signal_ends_the_batch_between_two_lines() {
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let api = Busy::slow(Duration::from_millis(100));
        let step = unpaced(batch())
            .env("MDE_BASE_URL", api.url())
            .env("MDE_ACCESS_TOKEN", "x");
        let outcome = step
            .stdin(lines(500))
            .run_until(signal, Duration::from_millis(700));
        assert_eq!(outcome.status, Some(status), "{outcome}");
        let done = outcome.stdout.lines().count();
        assert!((1..500).contains(&done), "{done}");
        assert_eq!(api.answered(), (0..done).map(id).collect::<Vec<String>>());
        assert!(
            outcome.stderr.contains(&format!(
                "told to stop: {done} done, {done} cancelled, 0 failed"
            )),
            "{outcome}"
        );
    }
}

#[test]
fn a_signal_ends_a_call_that_hangs_within_five_seconds() {
    let server = Server::tls([Reply::silence()]);
    let step = unpaced(batch())
        .api_with_token(&server)
        .args(["--timeout", "20"]);
    let step = step.stdin(lines(3)).holding_stdin_open();
    let outcome = step.run_until("TERM", Duration::from_millis(500));
    assert_eq!(outcome.status, Some(143), "{outcome}");
    assert!(outcome.took < Duration::from_secs(7), "{:?}", outcome.took);
    assert_eq!(documents(&outcome)[0]["error"]["request_sent"], "unknown");
    let idle = batch().args(["--sandbox"]).stdin("").holding_stdin_open();
    let outcome = idle.run_until("INT", Duration::from_millis(300));
    assert_eq!(outcome.status, Some(130), "{outcome}");
    assert!(outcome.took < Duration::from_secs(2), "{:?}", outcome.took);
}

const SECOND: Duration = Duration::from_secs(1);

/// Three thousand lines, each of which fails: more than a pipe takes.
fn failing() -> Step {
    batch()
        .args(["--sandbox"])
        .stdin("not JSON\n".repeat(3000))
        .holding_stdin_open()
}

/// What nobody reads; the other ends stay open as long as these are held.
struct Unread(Vec<PipeReader>);

/// A step whose `streams` nobody reads.
fn unread(streams: &[&str]) -> (Step, Unread) {
    let mut readers = Unread(Vec::new());
    let step = streams.iter().fold(failing(), |step, stream| {
        let (reader, writer) = std::io::pipe().unwrap();
        readers.0.push(reader);
        match *stream {
            "stdout" => step.stdout(writer),
            _ => step.stderr(writer),
        }
    });
    (step, readers)
}

const ALL: [&[&str]; 3] = [&["stderr"], &["stdout"], &["stdout", "stderr"]];

/// Checks a step for each choice of streams, at the same time.
fn for_each_unread(check: impl Fn(Step, &[&str]) + Sync) {
    thread::scope(|scope| {
        for streams in ALL {
            let check = &check;
            scope.spawn(move || {
                let (step, readers) = unread(streams);
                check(step, streams);
                drop(readers);
            });
        }
    });
}

#[test]
fn a_signal_ends_a_batch_within_five_seconds_whatever_nobody_reads() {
    for_each_unread(|step, streams| {
        let outcome = step.run_until("TERM", SECOND);
        assert_eq!(outcome.status, Some(143), "{streams:?}");
        let took = outcome.took;
        assert!(took < 7 * SECOND, "{streams:?}: {took:?}");
    });
}

#[test]
fn a_second_signal_ends_a_batch_at_once_whatever_nobody_reads() {
    for (first, second, status) in [("TERM", "TERM", 143), ("INT", "TERM", 130)] {
        for_each_unread(|step, streams| {
            let step = step.signalling(first, SECOND);
            let outcome = step.run_until(second, SECOND * 3 / 2);
            assert_eq!(outcome.status, Some(status), "{streams:?}");
            let took = outcome.took;
            assert!(took < 4 * SECOND, "{streams:?}: {took:?}");
        });
    }
}

#[test]
fn how_a_batch_was_ended_is_said_once_if_anybody_reads() {
    let (reader, writer) = std::io::pipe().unwrap();
    let outcome = failing().stdout(writer).run_until("TERM", SECOND);
    drop(reader);
    assert_eq!(outcome.status, Some(143), "{outcome}");
    let last = outcome.stderr.lines().last().unwrap();
    assert!(last.contains("The line in hand was abandoned"), "{last}");
    assert_eq!(outcome.stderr.matches("told to stop").count(), 1);
}

#[test]
fn a_batch_that_cannot_do_a_line_is_ended_by_a_signal_like_any_other() {
    let step = batch().stdin(lines(2)).holding_stdin_open();
    let outcome = step.run_until("TERM", SECOND / 2);
    assert_eq!(outcome.status, Some(143), "{outcome}");
    assert_eq!(documents(&outcome).len(), 2, "{outcome}");
}

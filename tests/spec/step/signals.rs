//! Told to stop.

use std::io::PipeReader;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustix::io::ioctl_fionread;

use crate::support::batch::{batch, documents, id, lines, unpaced};
use crate::support::busy::Busy;
use crate::support::running::Running;
use crate::support::{JSON, Reply, Server, Step, each, response};

#[test]
fn a_call_that_a_signal_breaks_off_on_a_kept_connection_may_have_been_sent() {
    let keeping = Reply::keeping_open(response("200 OK", &[JSON], "{}"));
    let server = Server::tls([keeping, Reply::silence()]);
    let step = unpaced(batch())
        .api_with_token(&server)
        .args(["--timeout", "20"])
        .stdin(lines(3));
    let outcome = step.run_until("TERM", server.heard(2));
    assert_eq!(outcome.status, Some(143), "{outcome}");
    let documents = documents(&outcome);
    assert_eq!(
        documents[1]["error"]["request_sent"], "unknown",
        "{outcome}"
    );
    assert!(
        outcome
            .stderr
            .contains("the step was told to stop during the cancel ("),
        "{outcome}"
    );
}

#[test]
fn a_signal_ends_the_batch_between_two_lines() {
    each([("INT", 130), ("TERM", 143)], |(signal, status)| {
        let api = Busy::slow(Duration::from_millis(100));
        let step = unpaced(batch())
            .env("MDE_BASE_URL", api.url())
            .env("MDE_ACCESS_TOKEN", "x");
        let outcome = step.stdin(lines(500)).run_until(signal, api.heard(3));
        assert_eq!(outcome.status, Some(status), "{outcome}");
        let done = outcome.stdout.lines().count();
        assert!((1..500).contains(&done), "{done}");
        assert_eq!(api.answered(), (0..done).map(id).collect::<Vec<String>>());
        assert!(
            outcome.stderr.contains(&format!(
                "told to stop: {done} lines done: {done} accepted."
            )),
            "{outcome}"
        );
    });
}

#[test]
fn a_signal_ends_a_call_that_hangs_within_five_seconds() {
    let server = Server::tls([Reply::silence()]);
    let step = unpaced(batch())
        .api_with_token(&server)
        .args(["--timeout", "20"]);
    let step = step.stdin(lines(3)).holding_stdin_open();
    let outcome = step.run_until("TERM", server.heard(1));
    assert_eq!(outcome.status, Some(143), "{outcome}");
    assert!(outcome.took < Duration::from_secs(7), "{:?}", outcome.took);
    assert_eq!(documents(&outcome)[0]["error"]["request_sent"], "unknown");
    let idle = batch().args(["--sandbox"]).stdin("").holding_stdin_open();
    let outcome = idle.run_until("INT", |step| step.catches(2));
    assert_eq!(outcome.status, Some(130), "{outcome}");
    assert!(outcome.took < Duration::from_secs(4), "{:?}", outcome.took);
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
#[derive(Clone, Debug)]
struct Unread(Vec<Arc<PipeReader>>);

impl Unread {
    /// The event that one of them is full, but for less than a line of each page: there is no room for another.
    fn is_full(&self) -> impl Fn(&Running) -> bool + Send + use<> {
        let readers = self.0.clone();
        let full_since = OnceLock::new();
        move |_| {
            let waiting = |reader: &Arc<PipeReader>| ioctl_fionread(reader).unwrap();
            readers.iter().any(|reader| waiting(reader) > 50_000)
                && full_since.get_or_init(Instant::now).elapsed() > SECOND / 5
        }
    }
}

/// A step whose `streams` nobody reads.
fn unread(streams: &[&str]) -> (Step, Unread) {
    let mut readers = Unread(Vec::new());
    let step = streams.iter().fold(failing(), |step, stream| {
        let (reader, writer) = std::io::pipe().unwrap();
        readers.0.push(Arc::new(reader));
        match *stream {
            "stdout" => step.stdout(writer),
            _ => step.stderr(writer),
        }
    });
    (step, readers)
}

const ALL: [&[&str]; 3] = [&["stderr"], &["stdout"], &["stdout", "stderr"]];

#[test]
fn a_signal_ends_a_batch_within_five_seconds_whatever_nobody_reads() {
    each(ALL, |streams| {
        let (step, readers) = unread(streams);
        let outcome = step.run_until("TERM", readers.is_full());
        assert_eq!(outcome.status, Some(143));
        assert!(outcome.took < 7 * SECOND, "{:?}", outcome.took);
    });
}

#[test]
fn a_second_signal_ends_a_batch_at_once_whatever_nobody_reads() {
    let signals = [("TERM", "TERM", 143), ("INT", "TERM", 130)];
    let rows = signals.map(|signals| ALL.map(|streams| (streams, signals)));
    each(rows.as_flattened(), |(streams, (first, second, status))| {
        let (step, readers) = unread(streams);
        let step = step.signalling(first, readers.is_full());
        let outcome = step.run_until(second, Running::attends());
        assert_eq!(outcome.status, Some(*status));
        assert!(outcome.took < 4 * SECOND, "{:?}", outcome.took);
    });
}

#[test]
fn how_a_batch_was_ended_is_said_once_if_anybody_reads() {
    let (step, readers) = unread(&["stdout"]);
    let outcome = step.run_until("TERM", readers.is_full());
    assert_eq!(outcome.status, Some(143), "{outcome}");
    let last = outcome.stderr.lines().last().unwrap();
    assert!(
        last.contains("What is known could not be written, because nobody reads stdout"),
        "{last}"
    );
    assert_eq!(outcome.stderr.matches("told to stop").count(), 1);
}

#[test]
fn a_batch_that_cannot_do_a_line_is_ended_by_a_signal_like_any_other() {
    let step = batch().stdin(lines(2)).holding_stdin_open();
    let outcome = step.run_until("TERM", |step| step.lines() == 2);
    assert_eq!(outcome.status, Some(143), "{outcome}");
    assert_eq!(documents(&outcome).len(), 2, "{outcome}");
}

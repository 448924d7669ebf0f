//! Told to stop at any moment: one line of JSON for each request that was begun, and what it says of the cancel is true.

use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::support::batch::{documents, id, lines, unpaced};
use crate::support::running::{Event, Running};
use crate::support::{JSON, Outcome, REQUEST, Reply, Server, Step, each, listen, response, step};

const SECOND: Duration = Duration::from_secs(1);
/// What nothing in hand may take: less than what is in hand gets; these tests run beside others.
const SOON: Duration = Duration::from_secs(3);
/// What a call in hand may take: alone it is less than five seconds.
const LATE: Duration = Duration::from_secs(7);

/// The ways to run, each with its arguments.
const MODES: [&[&str]; 3] = [&[], &["--wait", "30"], &["--batch"]];
const SIGNALS: [(&str, i32); 2] = [("TERM", 143), ("INT", 130)];

/// Each way to run with each signal.
fn everywhere() -> Vec<(&'static [&'static str], &'static str, i32)> {
    let with = |mode| SIGNALS.map(|(signal, status)| (mode, signal, status));
    MODES.into_iter().flat_map(with).collect()
}

fn pending(id: &str) -> Vec<u8> {
    let body = format!(r#"{{"id":"{id}","status":"Pending","commands":[]}}"#);
    response("200 OK", &[JSON], body)
}

const ID: &str = "988cc94e-7a8f-4b28-ab65-54970c5d5018";

/// Each document in a few words.
fn in_short(outcome: &Outcome) -> Vec<String> {
    let short = |document: Value| {
        let error = &document["error"];
        let words = [
            document["status_code"].to_string(),
            error["code"].as_str().unwrap_or_default().to_owned(),
            error["request_sent"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            document["outcome"].as_str().unwrap_or_default().to_owned(),
            error["outcome"].as_str().unwrap_or_default().to_owned(),
        ];
        let told = words
            .into_iter()
            .filter(|word| !word.is_empty() && word != "null");
        told.collect::<Vec<_>>().join(" ")
    };
    documents(outcome).into_iter().map(short).collect()
}

/// Ends `step` with `signal` at `event`.
#[track_caller]
fn stopped(
    step: Step,
    (signal, status): (&str, i32),
    event: impl Fn(&Running) -> bool + Send + 'static,
    limit: Duration,
) -> Outcome {
    let step = step.args(["--timeout", "60"]).holding_stdin_open();
    let outcome = step.run_until(signal, event);
    assert_eq!(outcome.status, Some(status), "{outcome}");
    assert!(
        outcome.stopped_within < limit,
        "{:?}: {outcome}",
        outcome.stopped_within
    );
    outcome
}

/// Whether the service has got a cancel.
fn has_got_one(server: &Server) -> bool {
    server
        .received()
        .iter()
        .any(|request| request.starts_with("POST "))
}

/// `what` is known of the only request; with `--wait` its outcome, too, unless the cancel was surely not sent.
#[track_caller]
fn assert_known(outcome: &Outcome, mode: &[&str], what: &str) {
    let waits = mode.contains(&"--wait") && !what.ends_with(" no");
    let what = format!("{what}{}", if waits { " unverified" } else { "" });
    assert_eq!(in_short(outcome), [what], "{outcome}");
}

#[test]
fn before_the_request() {
    each(everywhere(), |(mode, signal, status)| {
        let step = step()
            .args(["--sandbox"])
            .args(mode.iter().copied())
            .stdin("");
        let listens = |step: &Running| step.catches(2) && step.catches(15);
        let outcome = stopped(step, (signal, status), Running::soon_after(listens), SOON);
        match mode {
            ["--batch"] => assert_eq!(outcome.stdout, ""),
            _ => assert_known(&outcome, mode, "interrupted no"),
        }
    });
}

#[test]
fn during_sign_in() {
    each(everywhere(), |(mode, signal, status)| {
        let (sign_in, api) = (Server::tls([Reply::silence()]), Server::tls([]));
        let step = step()
            .api(&api)
            .signing_in_at(&sign_in)
            .args(mode.iter().copied());
        let outcome = stopped(line(step), (signal, status), sign_in.heard(1), SOON);
        assert_known(&outcome, mode, "interrupted no");
        assert_eq!(api.connections(), 0);
    });
}

/// The request as a line, which a batch needs.
fn line(step: Step) -> Step {
    step.stdin(format!("{REQUEST}\n"))
}

/// A port at which no connection is accepted any more, because those that wait to be accepted are too many.
fn crowded() -> (TcpListener, Vec<TcpStream>) {
    let listener = listen();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, SECOND / 5) {
        waiting.push(stream);
    }
    (listener, waiting)
}

/// A lookup that hangs is told to stop by the same code: neither can be broken off.
#[test]
fn connecting() {
    let (listener, _waiting) = crowded();
    let url = format!("http://{}", listener.local_addr().unwrap());
    each(everywhere(), |(mode, signal, status)| {
        let step = step()
            .env("MDE_BASE_URL", &url)
            .env("MDE_ACCESS_TOKEN", "x");
        let listens = |step: &Running| step.catches(2) && step.catches(15);
        let step = line(step.args(mode.iter().copied()));
        let outcome = stopped(step, (signal, status), Running::soon_after(listens), SOON);
        assert_known(&outcome, mode, "interrupted no");
        // Whoever heard the signal says it: the other thread hangs.
        assert!(
            outcome.stderr.contains("before there was an answer"),
            "{outcome}"
        );
    });
}

#[test]
fn in_the_handshake() {
    each(everywhere(), |(mode, signal, status)| {
        let server = Server::plain([]);
        let url = server.url().replace("http:", "https:");
        let step = step().env("MDE_BASE_URL", url).env("MDE_ACCESS_TOKEN", "x");
        let step = line(step.args(mode.iter().copied()));
        let event = Running::soon_after(server.reached(1));
        let outcome = stopped(step, (signal, status), event, SOON);
        assert_known(&outcome, mode, "interrupted no");
    });
}

#[test]
fn in_a_call_that_hangs() {
    each(everywhere(), |(mode, signal, status)| {
        let server = Server::tls([Reply::silence()]);
        let step = line(step().api_with_token(&server).args(mode.iter().copied()));
        let outcome = stopped(step, (signal, status), server.heard(1), LATE);
        assert_known(&outcome, mode, "interrupted unknown");
        assert!(has_got_one(&server));
    });
}

#[test]
fn in_a_call_that_ends_by_itself() {
    each(everywhere(), |(mode, signal, status)| {
        let slow = Reply::bytes("").pausing(SECOND).then(pending(ID));
        let server = Server::tls([slow]);
        let step = line(step().api_with_token(&server).args(mode.iter().copied()));
        let outcome = stopped(step, (signal, status), server.heard(1), SECOND + SOON);
        assert_known(&outcome, mode, "200");
        assert_eq!(server.received().len(), 1);
    });
}

#[test]
fn in_a_pause_between_tries() {
    each(everywhere(), |(mode, signal, status)| {
        let throttled = response("503 x", &["Retry-After: 20"], "");
        let server = Server::tls([Reply::bytes(throttled)]);
        let step = line(step().api_with_token(&server).args(mode.iter().copied()));
        let event = Running::soon_after(server.heard(1));
        let outcome = stopped(step, (signal, status), event, SOON);
        assert_known(&outcome, mode, "503");
    });
    each(everywhere(), |(mode, signal, status)| {
        let server = Server::plain([Reply::bytes("").closing_the_server()]);
        let step = line(step().api_with_token(&server).args(mode.iter().copied()));
        let event = Running::soon_after(server.heard(1));
        let outcome = stopped(step, (signal, status), event, SOON);
        assert_known(&outcome, mode, "interrupted unknown");
    });
}

#[test]
fn in_the_read_that_comes_before_a_guarded_cancel() {
    each(everywhere(), |(mode, signal, status)| {
        let server = Server::tls([Reply::silence()]);
        let step = step().api_with_token(&server).args(["--allow", "Isolate"]);
        let step = line(step.args(mode.iter().copied()));
        let outcome = stopped(step, (signal, status), server.heard(1), LATE);
        assert_known(&outcome, mode, "interrupted no");
        assert!(!has_got_one(&server));
    });
}

/// Ends a run that waits, of one request and as the only line of a batch.
fn while_waiting(replies: &[Reply], heard: usize, limit: Duration, what: &str) {
    let batch: &[&str] = &["--batch", "--wait", "30"];
    let modes = [MODES[1], batch].map(|mode| SIGNALS.map(|signal| (mode, signal)));
    each(modes.into_iter().flatten(), |(mode, signal)| {
        let server = Server::tls(replies.to_vec());
        let step = line(step().api_with_token(&server).args(mode.iter().copied()));
        let event: Event = Box::new(Running::soon_after(server.heard(heard)));
        let outcome = stopped(step, signal, event, limit);
        assert_eq!(in_short(&outcome), [what], "{outcome}");
        assert!(has_got_one(&server));
    });
}

#[test]
fn in_a_pause_between_looks() {
    while_waiting(&[Reply::bytes(pending(ID))], 3, SOON, "200 pending");
}

#[test]
fn in_a_look_that_hangs() {
    let hangs = [Reply::bytes(pending(ID)), Reply::silence()];
    while_waiting(&hangs, 2, LATE, "200 unverified");
}

/// That the look was cut short is no reason why the action could not be read.
#[test]
fn in_a_look_that_hangs_after_a_cancel_that_was_refused() {
    let refused = Reply::bytes(response("409 Conflict", &[JSON], "{}"));
    let server = Server::tls([refused, Reply::silence()]);
    let step = line(step().api_with_token(&server).args(["--wait", "30"]));
    let outcome = stopped(step, SIGNALS[0], server.heard(2), LATE);
    assert_eq!(in_short(&outcome), ["409 unverified"], "{outcome}");
    let said = "could not be read after that: there was no time to read it.";
    assert!(outcome.stderr.contains(said), "{outcome}");
}

#[test]
fn in_a_look_that_ends_by_itself() {
    let cancelled = format!(r#"{{"id":"{ID}","status":"Cancelled","commands":[]}}"#);
    let cancelled = response("200 OK", &[JSON], cancelled);
    let slow = Reply::bytes("").pausing(SECOND).then(cancelled);
    while_waiting(
        &[Reply::bytes(pending(ID)), slow],
        2,
        SECOND + SOON,
        "200 cancelled",
    );
}

#[test]
fn between_the_lines_of_a_batch() {
    each(SIGNALS, |signal| {
        let server = Server::tls([Reply::bytes(pending("x"))]);
        let step = unpaced(step().api_with_token(&server))
            .args(["--batch"])
            .stdin(lines(3));
        let event = Running::soon_after(|step: &Running| step.lines() == 3);
        let outcome = stopped(step, signal, event, SOON);
        assert_eq!(in_short(&outcome), ["200"; 3], "{outcome}");
    });
}

/// The line that waits for the pace is not begun.
#[test]
fn while_the_pace_is_waited_for() {
    each(SIGNALS, |signal| {
        let server = Server::tls([Reply::bytes(pending("x"))]);
        let step = step()
            .api_with_token(&server)
            .args(["--batch"])
            .stdin(lines(3));
        let step = step.env("MDE_CALLS_PER_MINUTE", "1");
        let event = Running::soon_after(|step: &Running| step.lines() == 1);
        let outcome = stopped(step, signal, event, SOON);
        assert_eq!(in_short(&outcome), ["200"], "{outcome}");
        assert_eq!(server.received().len(), 1);
    });
}

#[test]
fn while_one_line_is_watched_and_the_next_is_in_a_call_that_hangs() {
    each(SIGNALS, |signal| {
        let first = Reply::bytes(pending(&id(0)));
        let server = Server::tls([first.clone(), first, Reply::silence()]);
        let step = unpaced(step().api_with_token(&server)).stdin(lines(3));
        let step = step.args(["--batch", "--wait", "30"]);
        let outcome = stopped(step, signal, server.heard(3), LATE);
        let known = ["200 pending", "interrupted unknown unverified"];
        assert_eq!(in_short(&outcome), known, "{outcome}");
        let received = server.received();
        let methods: Vec<&str> = received.iter().map(|request| &request[..4]).collect();
        assert_eq!(methods, ["POST", "GET ", "POST"]);
    });
}

/// More than a pipe takes, which nobody reads.
#[test]
fn while_one_answer_is_written() {
    each(SIGNALS, |signal| {
        let body = format!(r#"{{"id":"{ID}","x":"{}"}}"#, "x".repeat(1 << 20));
        let server = Server::tls([Reply::bytes(response("200 OK", &[JSON], body))]);
        let (reader, writer) = std::io::pipe().unwrap();
        let step = step().api_with_token(&server).stdout(writer);
        let event = Running::soon_after(server.heard(1));
        let outcome = stopped(step, signal, event, LATE);
        let said = "What is known could not be written, because nobody reads stdout";
        assert!(outcome.stderr.contains(said), "{outcome}");
        drop(reader);
    });
}

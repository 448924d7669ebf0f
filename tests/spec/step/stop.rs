//! A command is told to stop.

use std::io::{PipeReader, PipeWriter, Write};
use std::net::TcpStream;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::support::running::Running;
use crate::support::{Reply, Server, each, listen, request_for, response, step};

const COMMANDS: [&[&str]; 2] = [&["get", "988cc94e-7a8f-4b28-ab65-54970c5d5018"], &["list"]];

/// It hears signals, and has had the time to begin to connect, which nothing shows.
fn connecting() -> impl Fn(&Running) -> bool + Send {
    let since = OnceLock::new();
    move |step: &Running| {
        step.catches(15) && since.get_or_init(Instant::now).elapsed() > Duration::from_millis(300)
    }
}

#[test]
fn a_read_that_cannot_connect_ends_at_once_with_a_failure() {
    let listener = listen();
    let address = listener.local_addr().unwrap();
    // Once its backlog is full, the kernel leaves a further connection unanswered.
    let connect = |_| TcpStream::connect_timeout(&address, Duration::from_millis(100)).ok();
    let held: Vec<TcpStream> = (0..5000).map_while(connect).collect();
    let rows =
        COMMANDS.map(|command| [("TERM", 143), ("INT", 130)].map(|signal| (command, signal)));
    each(rows.as_flattened(), |(command, (signal, status))| {
        let outcome = step()
            .env("MDE_BASE_URL", format!("http://{address}"))
            .env("MDE_ACCESS_TOKEN", "a.given-token")
            .args(command.iter().copied())
            .run_until(signal, connecting());
        assert_eq!(outcome.status, Some(*status), "{outcome}");
        assert_eq!(outcome.json()["error"]["code"], "interrupted", "{outcome}");
        assert_eq!(outcome.json()["error"]["request_sent"], "no");
        assert!(outcome.took < Duration::from_secs(3), "{:?}", outcome.took);
        assert_eq!(outcome.stderr.matches("told to stop").count(), 1);
    });
    drop(held);
}

#[test]
fn a_list_that_is_stopped_in_the_middle_has_what_was_read_and_says_that_it_is_not_whole() {
    let link = r#""@odata.nextLink":"https://elsewhere.example/api/machineactions?$skip=1""#;
    let page = format!(r#"{{"value":[{{"id":"a","status":"Pending"}}],{link}}}"#);
    let json = "Content-Type: application/json";
    let server = Server::tls([
        Reply::keeping_open(response("200 OK", &[json], &page)),
        Reply::silence(),
    ]);
    let outcome = step()
        .api_with_token(&server)
        .args(["list"])
        .run_until("TERM", server.heard(2));
    assert_eq!(outcome.status, Some(143), "{outcome}");
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{outcome}");
    assert!(lines[1].contains("interrupted"), "{outcome}");
}

/// The process is not to end at the first signal as it does at the second.
#[test]
fn one_signal_is_never_taken_for_two() {
    let pending = request_for("00000000-0000-0000-0000-000000200006");
    each(0..24, |_| {
        let outcome = step()
            .args(["--sandbox", "--wait", "20"])
            .stdin(&pending)
            .run_until("TERM", connecting());
        assert_eq!(outcome.status, Some(143), "{outcome}");
        assert_eq!(outcome.json()["outcome"], "pending", "{outcome}");
    });
}

#[test]
fn a_check_that_is_stopped_reports_that_nothing_is_known() {
    let signals = [("TERM", 143), ("INT", 130)];
    each(signals, |(signal, status)| {
        let (sign_in, api) = (Server::tls([Reply::silence()]), Server::tls([]));
        let check = step().api(&api).signing_in_at(&sign_in).args(["check"]);
        let outcome = check.run_until(signal, sign_in.heard(1));
        assert_eq!(outcome.status, Some(status), "{outcome}");
        let report = outcome.json();
        assert_eq!(report["error"]["code"], "interrupted", "{outcome}");
        assert_eq!(report["may_cancel"], false, "{outcome}");
        let last = outcome.stderr.lines().last().unwrap();
        assert!(
            last.contains("not known") && last.ends_with("Run `check` again."),
            "{outcome}"
        );
        assert_eq!(outcome.stderr.matches("told to stop").count(), 1);
    });
}

/// A pipe that takes nothing more, and its end to read from.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&[b'\n'; 65_536]).unwrap();
    (reader, writer)
}

#[test]
fn a_command_whose_document_nobody_reads_ends_within_five_seconds_of_a_signal() {
    let id = "988cc94e-7a8f-4b28-ab65-54970c5d5018";
    let commands: [&[&str]; 3] = [&["get", id], &["check"], &["list"]];
    // Done, and with settings that are wrong.
    let rows =
        commands.map(|command| [("--sandbox", ""), ("--verbose", "x")].map(|s| (command, s)));
    each(rows.as_flattened(), |(command, (option, cloud))| {
        let (reader, writer) = full_pipe();
        let step = step().args(command.iter().copied()).args([*option]);
        let step = step.env("MDE_CLOUD", *cloud).stdout(writer);
        let outcome = step.run_until("TERM", Running::soon_after(|step| step.catches(15)));
        assert_eq!(outcome.status, Some(143), "{command:?}: {outcome}");
        // Alone it is less than five seconds; these tests run beside others.
        let limit = Duration::from_secs(7);
        assert!(
            outcome.stopped_within < limit,
            "{:?}",
            outcome.stopped_within
        );
        assert!(outcome.stderr.contains("nobody reads stdout"), "{outcome}");
        drop(reader);
    });
}

#[test]
fn the_second_signal_ends_a_command_whose_document_nobody_reads_at_once() {
    for command in ["check", "list"] {
        let (reader, writer) = full_pipe();
        let step = step().args([command, "--sandbox"]).stdout(writer);
        let catches = || Running::soon_after(|step| step.catches(15));
        let outcome = step
            .signalling("TERM", catches())
            .signalling("INT", catches())
            .run();
        assert!(matches!(outcome.status, Some(130 | 143)), "{outcome}");
        let limit = Duration::from_secs(2);
        assert!(
            outcome.stopped_within < limit,
            "{:?}",
            outcome.stopped_within
        );
        drop(reader);
    }
}

#[test]
fn a_stop_while_the_answer_comes_is_said_before_what_the_answer_means() {
    let rows = [
        (
            "200 OK",
            "told to stop after this: the service answered 200 OK.",
        ),
        ("404 Not Found", "the service answered 404 Not Found."),
    ];
    each(rows, |(status, last)| {
        let answer = response(status, &["Content-Type: application/json"], "{}");
        let server = Server::tls([Reply::bytes("")
            .pausing(Duration::from_secs(1))
            .then(answer)]);
        let step = step().api_with_token(&server);
        let outcome = step.run_until("TERM", server.heard(1));
        assert_eq!(outcome.status, Some(143), "{outcome}");
        let lines: Vec<&str> = outcome.stderr.lines().collect();
        assert!(lines[0].contains("told to stop after this: "), "{outcome}");
        assert!(lines.last().unwrap().contains(last), "{outcome}");
    });
}

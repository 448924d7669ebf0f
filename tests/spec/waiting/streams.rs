//! stdout and stderr as engines hand them over: read only, not blocking, never read.

use std::fs::File;
use std::io::{PipeReader, Read, Write};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::support::batch::{batch, lines};
use crate::support::step::file_with;
use crate::support::{Reply, Server, assert_snapshot, response, step};

const SECOND: Duration = Duration::from_secs(1);

fn read_only() -> Stdio {
    Stdio::from(File::open("/dev/null").unwrap())
}

/// A pipe whose end for writing does not block.
fn impatient() -> (PipeReader, Stdio) {
    let (reader, writer) = std::io::pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    (reader, writer.into())
}

/// The same, and full.
fn full() -> (PipeReader, Stdio) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    while writer.write(b"x").is_ok() {}
    (reader, writer.into())
}

fn pause(time: Duration) {
    #[expect(clippy::disallowed_methods, reason = "a test may wait")]
    thread::sleep(time);
}

#[test]
fn a_stdout_that_is_open_for_reading_only_loses_no_answer_unnoticed() {
    let one = step().args(["--sandbox"]).stdout(read_only()).run();
    let many = batch().args(["--sandbox"]).stdin(lines(2));
    let many = many.stdout(read_only()).run();
    let text = step().args(["schema", "input"]).stdout(read_only()).run();
    assert_snapshot!(
        [one, many, text]
            .map(|outcome| outcome.to_string())
            .join("\n\n"), @"
    status: 7
    stdout: 
    stderr: cancel-machine-action: sandbox: the embedded Defender answers; nothing is sent, nothing is cancelled.
    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: stdout cannot be written: Bad file descriptor (os error 9). What it would have said: the service answered 200 OK.

    status: 7
    stdout: 
    stderr: cancel-machine-action: sandbox: the embedded Defender answers; nothing is sent, nothing is cancelled.
    cancel-machine-action: error: line 1, action 11111111-0000-0000-0000-000000000000: stdout cannot be written: Bad file descriptor (os error 9). What it would have said: the service answered 200 OK.

    status: 7
    stdout: 
    stderr: cancel-machine-action: error: stdout cannot be written: Bad file descriptor (os error 9). What it would have said: the text that was asked for.
    ");
}

#[test]
fn a_stdout_that_does_not_block_gets_all_of_a_long_answer() {
    let text = "x".repeat(1 << 20);
    let body = format!(r#"{{"text":"{text}"}}"#);
    let server = Server::tls([Reply::bytes(response("200 OK", &[], body))]);
    let (mut reader, writer) = impatient();
    let read = thread::spawn(move || {
        pause(SECOND);
        let mut read = String::new();
        reader.read_to_string(&mut read).unwrap();
        read
    });
    let outcome = step().api_with_token(&server).stdout(writer).run();
    assert_eq!(outcome.status, Some(0), "{outcome}");
    let read = read.join().unwrap();
    assert!(read.ends_with("x\"}}\n"), "{} bytes", read.len());
}

#[test]
fn a_stdout_that_does_not_block_and_is_not_read_is_waited_for_as_long_as_the_time_limit() {
    let (reader, writer) = full();
    let one = step().args(["--sandbox", "--timeout", "1.5"]);
    let one = one.stdout(writer).run();
    drop(reader);
    let (reader, writer) = full();
    let many = batch().args(["--sandbox", "--timeout", "1.5"]);
    let many = many.stdin(lines(2)).stdout(writer).run();
    drop(reader);
    for outcome in [&one, &many] {
        let took = outcome.took;
        assert!(SECOND < took && took < 4 * SECOND, "{took:?}");
    }
    assert_snapshot!([one, many].map(|outcome| outcome.to_string()).join("\n\n"), @"
    status: 7
    stdout: 
    stderr: cancel-machine-action: sandbox: the embedded Defender answers; nothing is sent, nothing is cancelled.
    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: stdout cannot be written: not everything was read within 1.5 s; its reader is slow, or has stopped. What it would have said: the service answered 200 OK.

    status: 7
    stdout: 
    stderr: cancel-machine-action: sandbox: the embedded Defender answers; nothing is sent, nothing is cancelled.
    cancel-machine-action: error: line 1, action 11111111-0000-0000-0000-000000000000: stdout cannot be written: not everything was read within 1.5 s; its reader is slow, or has stopped. What it would have said: the service answered 200 OK.
    ");
}

#[test]
fn a_stderr_that_cannot_be_written_fails_nothing_and_holds_nothing_up() {
    for stderr in [full().1, read_only()] {
        let step = batch().args(["--sandbox"]).stdin("x\n".repeat(500));
        let outcome = step.stderr(stderr).run();
        assert_eq!(outcome.status, Some(2));
        assert_eq!(outcome.stdout.lines().count(), 500);
        assert!(outcome.took < 8 * SECOND, "{:?}", outcome.took);
    }
}

#[test]
fn a_full_stderr_that_is_not_read_costs_a_second_and_no_line_of_stdout() {
    let (reader, writer) = full();
    let step = batch().args(["--sandbox"]).stdin("x\n".repeat(500));
    let outcome = step.stderr(writer).run();
    drop(reader);
    assert_eq!(
        (outcome.status, outcome.stdout.lines().count()),
        (Some(2), 500)
    );
    assert!(outcome.took < 4 * SECOND, "{:?}", outcome.took);
}

/// A pipe that blocks, and is full.
fn blocking_and_full() -> (PipeReader, Stdio) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    while writer.write(b"x").is_ok() {}
    fcntl_setfl(&writer, flags).unwrap();
    (reader, writer.into())
}

#[test]
fn a_full_stderr_that_blocks_and_is_not_read_keeps_no_document_back() {
    let (reader, writer) = blocking_and_full();
    let outcome = step().stdin("not JSON").stderr(writer).run();
    drop(reader);
    assert_eq!(outcome.json()["error"]["code"], "invalid_input");
    assert_eq!(outcome.status, Some(2));
    assert!(outcome.took < 4 * SECOND, "{:?}", outcome.took);
}

#[test]
fn a_file_that_may_not_grow_is_an_answer_that_cannot_be_written() {
    let path = file_with("");
    let stdout = File::options().write(true).open(&path).unwrap();
    let step = step().args(["--sandbox"]).limited("-f 1");
    let outcome = step.stdout(stdout).run();
    assert_eq!(outcome.status, Some(7), "{outcome}");
    assert!(
        outcome.stderr.contains("stdout cannot be written"),
        "{outcome}"
    );
}

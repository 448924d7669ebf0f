//! Everything that is read at the start shares one time limit, however many of the files are slow pipes.

use std::fs::{OpenOptions, remove_file};
use std::io::Write;
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::support::step::file_with;
use crate::support::{Authority, Outcome, REQUEST, Server, Step, each, step};

/// A pipe into which nobody writes.
fn pipe() -> String {
    let path = file_with("");
    remove_file(&path).unwrap();
    let made = Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    path.to_str().unwrap().to_owned()
}

/// A pipe into which `text` is written after `pause`, and then one byte after the other, for ten seconds, if it `drips`.
fn slow_pipe(text: &str, pause: Duration, drips: bool) -> String {
    let path = pipe();
    let (name, text) = (path.clone(), text.to_owned());
    thread::spawn(move || {
        let mut pipe = OpenOptions::new().write(true).open(name)?;
        wait(pause);
        pipe.write_all(text.as_bytes())?;
        for _ in 0..if drips { 200 } else { 0 } {
            wait(Duration::from_millis(50));
            pipe.write_all(b"x")?;
        }
        std::io::Result::Ok(())
    });
    path
}

#[expect(clippy::disallowed_methods, reason = "a test may wait")]
fn wait(time: Duration) {
    thread::sleep(time);
}

fn application() -> Step {
    step()
        .env("AZURE_TENANT_ID", "tenant.example")
        .env("AZURE_CLIENT_ID", "client-1")
        .args(["--timeout", "2"])
}

#[track_caller]
fn assert_in_time(outcome: &Outcome) {
    assert_eq!(outcome.status, Some(3), "{outcome}");
    let range = Duration::from_millis(1900)..Duration::from_millis(3500);
    assert!(range.contains(&outcome.took), "{:?}", outcome.took);
}

#[test]
fn slow_pipes_take_the_time_limit_together() {
    let runs: [&[&str]; 3] = [&[], &["--batch"], &["check"]];
    each(runs, |args| {
        let outcome = application()
            .env("SSL_CERT_FILE", pipe())
            .env("AZURE_CLIENT_SECRET_FILE", pipe())
            .args(args.iter().copied())
            .run();
        assert_in_time(&outcome);
    });
    let dripping = |start: &str| slow_pipe(start, Duration::ZERO, true);
    let outcome = application()
        .env("SSL_CERT_FILE", dripping("-----BEGIN"))
        .env("AZURE_CLIENT_CERTIFICATE_PATH", dripping(""))
        .run();
    assert_in_time(&outcome);
}

#[test]
fn every_file_that_was_not_read_in_time_is_named_with_what_to_do() {
    let outcome = application()
        .env("SSL_CERT_FILE", pipe())
        .env("AZURE_CLIENT_SECRET_FILE", pipe())
        .run();
    for named in [
        "SSL_CERT_FILE",
        "AZURE_CLIENT_SECRET_FILE",
        "its end did not come within 2 s",
    ] {
        assert!(outcome.stderr.contains(named), "{outcome}");
    }
}

#[test]
fn a_request_that_comes_late_leaves_the_files_what_is_left() {
    let late = slow_pipe(REQUEST, Duration::from_millis(1500), false);
    let outcome = application()
        .env("SSL_CERT_FILE", pipe())
        .env("AZURE_CLIENT_SECRET_FILE", pipe())
        .args([late.as_str()])
        .run();
    assert_in_time(&outcome);
}

#[test]
fn a_federated_token_is_waited_for_until_the_same_deadline() {
    let sign_in = Server::tls([]);
    let late = slow_pipe(REQUEST, Duration::from_millis(1500), false);
    let federated = || {
        application()
            .env("AZURE_AUTHORITY_HOST", sign_in.url())
            .env("AZURE_FEDERATED_TOKEN_FILE", pipe())
    };
    let roots = std::fs::read_to_string(Authority::trusted().pem_path()).unwrap();
    let roots = || slow_pipe(&roots, Duration::from_millis(1200), false);
    assert_in_time(&federated().args([late.as_str()]).run());
    assert_in_time(&federated().env("SSL_CERT_FILE", roots()).run());
    assert_in_time(
        &federated()
            .env("SSL_CERT_FILE", roots())
            .args(["check"])
            .run(),
    );
    assert_eq!(sign_in.connections(), 0);
}

/// In a batch the limit is that of each line; what was refused once is not waited for again.
#[test]
fn the_lines_of_a_batch_do_not_wait_for_a_federated_token_one_after_the_other() {
    let sign_in = Server::tls([]);
    let lines = format!("{REQUEST}\n").repeat(4);
    let outcome = application()
        .env("AZURE_AUTHORITY_HOST", sign_in.url())
        .env("AZURE_FEDERATED_TOKEN_FILE", pipe())
        .args(["--batch"])
        .stdin(lines)
        .run();
    assert_in_time(&outcome);
    let codes = outcome.stdout.lines().map(|line| {
        let document: Value = serde_json::from_str(line).unwrap();
        document["error"]["code"].clone()
    });
    assert_eq!(codes.collect::<Vec<Value>>(), vec!["invalid_settings"; 4]);
}

#[test]
fn a_pipe_that_comes_in_time_is_read_to_its_end() {
    let late = |text: &str| slow_pipe(text, Duration::from_millis(400), false);
    let api = Server::answering(&["200 OK"]);
    let roots = std::fs::read_to_string(Authority::trusted().pem_path()).unwrap();
    let outcome = step()
        .api(&api)
        .env("SSL_CERT_FILE", late(&roots))
        .env("MDE_ACCESS_TOKEN_FILE", late("a.token\n"))
        .args(["--timeout", "5", late(REQUEST).as_str()])
        .run();
    assert_eq!(outcome.status, Some(0), "{outcome}");
}

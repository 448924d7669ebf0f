//! Of many steps that need a token, one signs in.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use serde_json::json;

use crate::support::cache::{
    assert_used, at_once, cached, fresh_folder, lock, mode, set_mode, tokens,
};
use crate::support::running::users_of_locks;
use crate::support::{JSON, Outcome, Reply, Server, Step, assert_snapshot, each, response};

/// Long enough for all steps of a test to begin, and for the one that signs in to be waited for.
const LIMIT: &str = "30";

/// An answer that comes after `pause`.
fn late(pause: Duration, status: &str, body: &str) -> Reply {
    let reply = Reply::bytes("").pausing(pause);
    reply.then(response(status, &[JSON], body))
}

fn grant(token: &str, expires_in: u64) -> String {
    json!({"token_type": "Bearer", "expires_in": expires_in, "access_token": token}).to_string()
}

/// A sign-in service that takes a while to grant each of `tokens` once.
fn granting_slowly(tokens: &[&str]) -> Server {
    let pause = Duration::from_millis(500);
    let grants = tokens.iter().map(|token| grant(token, 3600));
    Server::tls(grants.map(|grant| late(pause, "200 OK", &grant)))
}

fn patient(folder: &Path, sign_in: &Server, api: &Server) -> Step {
    cached(folder, sign_in, api).env("MDE_TIMEOUT", LIMIT)
}

#[track_caller]
fn assert_all_succeeded(outcomes: &[Outcome]) {
    for outcome in outcomes {
        let ended = (outcome.status, outcome.stderr.as_str());
        assert_eq!(ended, (Some(0), ""), "{outcome}");
    }
}

/// Leaves a lock that is held until it is dropped, and no token.
fn held_lock(folder: &Path, sign_in: &Server, api: &Server) -> File {
    // Its name follows from the application.
    assert_eq!(cached(folder, sign_in, api).run().status, Some(0));
    let [token] = tokens(folder).try_into().unwrap();
    fs::remove_file(token).unwrap();
    let file = File::open(lock(folder)).unwrap();
    flock(&file, FlockOperation::NonBlockingLockExclusive).unwrap();
    file
}

fn lock_name(folder: &Path) -> String {
    let name = lock(folder).file_name().unwrap().to_owned();
    name.into_string().unwrap()
}

#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(10), "{what}");
        #[expect(clippy::disallowed_methods, reason = "a test may wait")]
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn thirty_steps_at_once_sign_in_once_and_a_second_round_touches_no_lock() {
    let folder = fresh_folder();
    let (sign_in, api) = (
        granting_slowly(&["same", "other"]),
        Server::answering(&["200 OK"]),
    );
    let round = || assert_all_succeeded(&at_once(30, || patient(&folder, &sign_in, &api)));
    round();
    assert_eq!(sign_in.received().len(), 1);
    assert!(
        api.received()
            .iter()
            .all(|call| call.contains("Bearer same\r\n"))
    );
    let lock = lock(&folder);
    assert_eq!((mode(&lock), fs::read(&lock).unwrap().len()), (0o600, 0));
    fs::remove_file(&lock).unwrap();
    round();
    assert_eq!(sign_in.received().len(), 1);
    assert_eq!((tokens(&folder).len(), lock.exists()), (1, false));
}

#[test]
fn when_the_step_that_signs_in_is_killed_another_one_does_for_all() {
    let folder = fresh_folder();
    let sign_in = Server::tls([
        Reply::silence(),
        late(Duration::from_millis(500), "200 OK", &grant("same", 3600)),
    ]);
    let api = Server::answering(&["200 OK"]);
    thread::scope(|scope| {
        let killed = scope.spawn(|| {
            let (step, folder) = (patient(&folder, &sign_in, &api), folder.clone());
            // All others wait for it.
            step.run_until("KILL", move |_| users_of_locks(&folder) == 30)
        });
        wait_until("it signs in", || sign_in.received().len() == 1);
        let others = at_once(29, || patient(&folder, &sign_in, &api));
        assert_eq!(killed.join().unwrap().status, None);
        assert_all_succeeded(&others);
    });
    assert_eq!(sign_in.received().len(), 2);
    assert_eq!(api.received().len(), 29);
}

#[test]
fn a_lock_that_nobody_gives_back_is_not_waited_for_longer_than_half_the_time() {
    let folder = fresh_folder();
    let (sign_in, api) = (
        Server::granting(&["first", "second"], 3600),
        Server::answering(&["200 OK"]),
    );
    let held = held_lock(&folder, &sign_in, &api);
    let step = cached(&folder, &sign_in, &api).naming(lock_name(&folder), "{lock}");
    let outcome = step.run();
    assert_used(&outcome, &api, "second");
    let parts = outcome
        .stderr
        .split_once(" for 1.")
        .or(outcome.stderr.split_once(" for 2."))
        .unwrap();
    assert_snapshot!(format!("{} for {{seconds}}{}", parts.0, &parts.1[1..]), @"cancel-machine-action: warning: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: another process has held {folder}/{lock} for {seconds} s and has left no token. This step signs in itself. If that process hangs, end it.");
    assert!((1..4).contains(&outcome.took.as_secs()), "{outcome}");
    drop(held);
    assert_eq!(tokens(&folder).len(), 1);
}

#[test]
fn a_lock_that_cannot_be_had_is_a_warning_and_a_sign_in() {
    type Preparation = fn(&Path);
    let prepare: [(&str, Preparation); 4] = [
        ("a folder", |lock| fs::create_dir(lock).unwrap()),
        ("a link", |lock| {
            symlink(lock.with_extension("elsewhere"), lock).unwrap();
        }),
        ("a pipe", |lock| {
            let mut mkfifo = Command::new("mkfifo");
            assert!(
                mkfifo
                    .args(["-m", "600"])
                    .arg(lock)
                    .status()
                    .unwrap()
                    .success()
            );
        }),
        ("open to others", |lock| {
            fs::write(lock, "").unwrap();
            set_mode(lock, 0o640);
        }),
    ];
    let outcomes = each(prepare, |(what, prepare)| {
        let folder = fresh_folder();
        let (sign_in, api) = (
            Server::granting(&["first", "second"], 3600),
            Server::answering(&["200 OK"]),
        );
        cached(&folder, &sign_in, &api).run();
        let name = lock_name(&folder);
        let (lock, [token]) = (lock(&folder), tokens(&folder).try_into().unwrap());
        fs::remove_file(&lock).unwrap();
        fs::remove_file(&token).unwrap();
        prepare(&lock);
        let step = cached(&folder, &sign_in, &api).naming(name, "{lock}");
        let outcome = step.run();
        assert_used(&outcome, &api, "second");
        // The link leads nowhere still, and the token is kept all the same.
        assert!(!lock.with_extension("elsewhere").exists());
        assert!(token.exists());
        format!("## {what}\n{}", outcome.stderr)
    });
    assert_snapshot!(outcomes.join("\n"), @"
    ## a folder
    cancel-machine-action: warning: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: cannot wait for the token of another step: {folder}/{lock} is not a regular file. This step signs in itself. Check MDE_TOKEN_CACHE.

    ## a link
    cancel-machine-action: warning: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: cannot wait for the token of another step: {folder}/{lock} is not a regular file. This step signs in itself. Check MDE_TOKEN_CACHE.

    ## a pipe
    cancel-machine-action: warning: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: cannot wait for the token of another step: {folder}/{lock} is not a regular file. This step signs in itself. Check MDE_TOKEN_CACHE.

    ## open to others
    cancel-machine-action: warning: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: cannot wait for the token of another step: {folder}/{lock} has the mode 640, which lets other users in. This step signs in itself. Check MDE_TOKEN_CACHE.
    ");
}

#[test]
fn a_sign_in_that_leaves_no_token_ends_the_waiting_of_all() {
    let pause = Duration::from_secs(1);
    let refusal =
        json!({"error": "invalid_client", "error_description": "AADSTS7000215: Invalid."});
    let replies = [
        ("400 Bad Request", refusal.to_string(), 4),
        // It is not kept.
        ("200 OK", grant("short", 60), 0),
    ];
    each(replies, |(status, body, exit_status)| {
        let folder = fresh_folder();
        let sign_in = Server::tls([late(pause, status, &body)]);
        let api = Server::answering(&["200 OK"]);
        for outcome in at_once(14, || patient(&folder, &sign_in, &api)) {
            assert_eq!(outcome.status, Some(exit_status), "{outcome}");
            // One after the other, the last would have waited for fourteen seconds.
            assert!(outcome.took < Duration::from_secs(9), "{:?}", outcome.took);
            assert!(!outcome.stderr.contains("warning"), "{outcome}");
        }
    });
}

#[test]
fn steps_whose_token_the_api_refuses_sign_in_once_too() {
    let folder = fresh_folder();
    let sign_in = granting_slowly(&["old", "new", "third"]);
    let first = Server::answering(&["200 OK"]);
    assert_used(&patient(&folder, &sign_in, &first).run(), &first, "old");
    // All first calls come before the first of the answers.
    let refused = Reply::bytes("").awaiting(6);
    let refused = refused.then(response("401 Unauthorized", &[JSON], "{}"));
    let granted = Reply::bytes(response("200 OK", &[JSON], "{}"));
    let api = Server::tls([vec![refused; 6], vec![granted; 6]].concat());
    assert_all_succeeded(&at_once(6, || patient(&folder, &sign_in, &api)));
    assert_eq!(sign_in.received().len(), 2);
    assert_eq!(api.received().len(), 12);
}

#[test]
fn a_damaged_token_is_replaced_by_one_step_for_all() {
    let folder = fresh_folder();
    let (sign_in, api) = (
        granting_slowly(&["old", "new", "third"]),
        Server::answering(&["200 OK"]),
    );
    patient(&folder, &sign_in, &api).run();
    let [token] = tokens(&folder).try_into().unwrap();
    fs::write(token, "{").unwrap();
    for outcome in at_once(6, || patient(&folder, &sign_in, &api)) {
        assert_used(&outcome, &api, "new");
    }
    assert_eq!(sign_in.received().len(), 2);
}

#[test]
fn a_signal_ends_the_waiting_of_a_batch() {
    let folder = fresh_folder();
    let (sign_in, api) = (
        Server::granting(&["first", "second"], 3600),
        Server::answering(&["200 OK"]),
    );
    let held = held_lock(&folder, &sign_in, &api);
    let path = folder.clone();
    let step = patient(&folder, &sign_in, &api).args(["--batch"]);
    let outcome = step.run_until("TERM", move |step| step.uses_lock(&path));
    drop(held);
    let error = &outcome.json()["error"];
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("the step was told to stop. No cancel was sent."),
        "{outcome}"
    );
    assert_eq!(
        (outcome.status, &error["request_sent"]),
        (Some(143), &json!("no"))
    );
    assert!(outcome.took < Duration::from_secs(4), "{:?}", outcome.took);
    assert_eq!((sign_in.received().len(), api.received().len()), (1, 1));
}

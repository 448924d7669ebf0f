//! The true outcome.

use std::time::Duration;

use crate::support::batch::id;
use crate::support::service::{Fate, Service};
use crate::support::{
    JSON, Outcome, Reply, Server, assert_snapshot, each, request_for, response, step,
};

const ID: &str = "988cc94e-7a8f-4b28-ab65-54970c5d5018";

fn entity(status: &str, commands: &str) -> Reply {
    let body = format!(r#"{{"id":"{ID}","status":"{status}","commands":[{commands}]}}"#);
    Reply::bytes(response("200 OK", &[JSON], body))
}

fn answering(status: &str) -> Reply {
    Reply::bytes(response(status, &[JSON], r#"{"error":{}}"#))
}

fn waited(replies: impl IntoIterator<Item = Reply>, seconds: &str) -> (Outcome, Vec<String>) {
    let server = Server::tls(replies);
    let outcome = step()
        .api_with_token(&server)
        .args(["--wait", seconds])
        .run();
    let lines = server.received();
    let lines = lines
        .iter()
        .map(|request| request.lines().next().unwrap().to_owned());
    (outcome, lines.collect())
}

#[track_caller]
fn assert_outcome(outcome: &Outcome, name: &str, status: i32) {
    assert_eq!(outcome.json()["outcome"], name, "{outcome}");
    assert_eq!(outcome.status, Some(status), "{outcome}");
}

#[test]
fn a_cancel_is_cancelled_when_a_later_read_says_so() {
    let (outcome, calls) = waited(
        [
            entity("Pending", ""),
            entity("InProgress", ""),
            entity("Cancelled", ""),
        ],
        "10",
    );
    assert_outcome(&outcome, "cancelled", 0);
    assert_eq!(outcome.json()["json_body"]["status"], "Cancelled");
    assert_snapshot!(calls.join("\n"), @"
    POST /api/machineactions/988cc94e-7a8f-4b28-ab65-54970c5d5018/cancel HTTP/1.1
    GET /api/machineactions/988cc94e-7a8f-4b28-ab65-54970c5d5018 HTTP/1.1
    GET /api/machineactions/988cc94e-7a8f-4b28-ab65-54970c5d5018 HTTP/1.1
    ");
}

#[test]
fn every_outcome_is_told() {
    let completed =
        r#"{"index":0,"endTime":"2025-07-07T18:50:21.811356Z","commandStatus":"Completed"}"#;
    let failed = r#"{"index":0,"commandStatus":"Failed"}"#;
    let cases = [
        ("Cancelled", "", "cancelled", 0),
        ("Cancelled", failed, "cancelled", 0),
        ("Cancelled", r#""PutFile""#, "cancelled", 0),
        ("Cancelled", completed, "cancelled_too_late", 6),
        ("Succeeded", "", "already_final", 6),
        ("Failed", "", "already_final", 6),
        ("TimeOut", "", "already_final", 6),
        ("Pending", "", "pending", 6),
        ("InProgress", completed, "pending", 6),
        ("Sleeping", "", "pending", 6),
    ];
    let mut outcomes = each(cases, |(status, commands, name, exit)| {
        let (outcome, _) = waited([entity("Pending", ""), entity(status, commands)], "0.3");
        assert_outcome(&outcome, name, exit);
        assert_eq!(outcome.json()["json_body"]["status"], status);
        outcome.stderr
    });
    outcomes.dedup();
    assert_snapshot!(outcomes.join(""), @"
    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the action was cancelled too late: one of its commands had completed. See json_body.commands, and reverse it with a separate action (for an isolation: release the device).
    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the action was not cancelled, because it had already finished (status Succeeded). If need be, reverse it with a separate action (for an isolation: release the device).
    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the action was not cancelled, because it had already finished (status Failed). There is nothing left to cancel.
    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the action was not cancelled, because it had already finished (status TimeOut). There is nothing left to cancel.
    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the service accepted the cancel, but the action was still open when the time of --wait was up (status Pending); an offline device keeps it open. Read its status with `cancel-machine-action get` later, or raise --wait.
    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the service accepted the cancel, but the action was still open when the time of --wait was up (status InProgress); an offline device keeps it open. Read its status with `cancel-machine-action get` later, or raise --wait.
    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the service accepted the cancel, but the action was still open when the time of --wait was up (status Sleeping, which this step does not know); an offline device keeps it open. Read its status with `cancel-machine-action get` later, or raise --wait.
    ");
}

#[test]
fn what_cannot_be_read_is_unverified_and_the_cancels_answer_stands() {
    let (outcome, _) = waited([entity("Pending", ""), answering("403 Forbidden")], "5");
    assert_outcome(&outcome, "unverified", 6);
    assert_eq!(outcome.json()["json_body"]["status"], "Pending");
    assert!(outcome.took < Duration::from_secs(3), "{:?}", outcome.took);
    assert_snapshot!(outcome.stderr, @"cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the service accepted the cancel, but whether the action was cancelled is not known: when the status was read, the service answered 403 Forbidden. Grant the application Machine.Read.All or Machine.ReadWrite.All with admin consent, or check MDE_SCOPE. Read its status with `cancel-machine-action get`.");
    let (outcome, _) = waited([entity("Pending", ""), answering("404 Not Found")], "1");
    assert_outcome(&outcome, "unverified", 6);
}

#[test]
fn an_action_that_is_not_found_at_first_is_read_again() {
    let (outcome, calls) = waited(
        [
            entity("Pending", ""),
            answering("404 Not Found"),
            entity("Cancelled", ""),
        ],
        "10",
    );
    assert_outcome(&outcome, "cancelled", 0);
    assert_eq!(calls.len(), 3);
}

#[test]
fn what_was_lost_or_refused_as_final_is_settled_by_what_is_read() {
    for status in ["400 Bad Request", "409 Conflict"] {
        let (outcome, _) = waited([answering(status), entity("Succeeded", "")], "5");
        assert_outcome(&outcome, "already_final", 6);
        assert_eq!(outcome.json()["status_code"], 200);
    }
    let lost = Reply::bytes("SSH-2.0-x\r\n\r\n");
    let (outcome, _) = waited([lost.clone(), entity("Cancelled", "")], "5");
    assert_outcome(&outcome, "cancelled", 0);
    let (outcome, _) = waited([lost], "0.5");
    assert_eq!(outcome.status, Some(5), "{outcome}");
    assert_eq!(outcome.json()["error"]["request_sent"], "unknown");
}

#[test]
fn a_refused_cancel_is_read_once_and_not_waited_for() {
    let refusals = [
        "302 Found",
        "401 Unauthorized",
        "403 Forbidden",
        "404 Not Found",
        "410 Gone",
        "425 Too Early",
    ];
    each(refusals, |refusal| {
        let reads = [
            (answering(refusal), "unverified", 1),
            (entity("Pending", ""), "pending", 1),
            (entity("Succeeded", ""), "already_final", 6),
            (entity("Cancelled", ""), "cancelled", 0),
        ];
        for (read, name, status) in reads {
            let (outcome, calls) = waited([answering(refusal), read], "10");
            assert_outcome(&outcome, name, status);
            assert_eq!(calls.len(), 2, "{outcome}");
            assert!(outcome.took < Duration::from_secs(3), "{:?}", outcome.took);
            let stands = outcome.json()["status_code"].as_u64().unwrap();
            assert_eq!(stands == 200, status != 1, "{outcome}");
        }
    });
}

/// What is read must be the action that was cancelled, in a form that tells its status.
#[test]
fn what_is_not_the_action_tells_nothing_of_it() {
    let bodies = [
        r#"{"id":"other","status":"Cancelled","commands":[]}"#.to_owned(),
        r#"{"status":"Cancelled"}"#.to_owned(),
        format!(r#"{{"id":"{ID}","status":5}}"#),
        format!(r#"{{"id":"{ID}"}}"#),
        "<html>Log in</html>".to_owned(),
        "{}".to_owned(),
    ];
    each(bodies, |body| {
        let read = Reply::bytes(response("200 OK", &[JSON], &body));
        let (outcome, _) = waited([entity("Pending", ""), read], "0.3");
        assert_outcome(&outcome, "unverified", 6);
        assert_eq!(outcome.json()["json_body"]["status"], "Pending", "{body}");
    });
    each(["{}", "\"x\"", "null", "5"], |commands| {
        let body = format!(
            r#"{{"id":"{}","status":"Cancelled","commands":{commands}}}"#,
            ID.to_uppercase()
        );
        let read = Reply::bytes(response("200 OK", &[JSON], body));
        let (outcome, _) = waited([entity("Pending", ""), read], "3");
        assert_outcome(&outcome, "cancelled", 0);
    });
}

#[test]
fn a_token_that_the_read_refuses_is_renewed_once() {
    let sign_in = Server::granting(&["a", "b"], 3599);
    let api = Server::tls([
        entity("Pending", ""),
        answering("401 Unauthorized"),
        entity("Cancelled", ""),
    ]);
    let outcome = step()
        .api(&api)
        .signing_in_at(&sign_in)
        .args(["--wait", "5"])
        .run();
    assert_outcome(&outcome, "cancelled", 0);
    assert_eq!(sign_in.received().len(), 2);
}

#[test]
fn a_read_that_is_throttled_comes_no_sooner_than_asked() {
    let throttled = Reply::bytes(response("429 x", &["Retry-After: 30"], ""));
    let (outcome, calls) = waited([entity("Pending", ""), throttled], "9");
    assert_outcome(&outcome, "unverified", 6);
    assert_eq!(calls.len(), 2);
    let told = "the service asks to wait for 30 s, and only 9 s of --wait were left";
    assert!(outcome.stderr.contains(told), "{outcome}");
    assert!(outcome.took < Duration::from_secs(5), "{:?}", outcome.took);
}

#[test]
fn a_cancel_that_was_lost_and_then_throttled_for_longer_than_there_is_time_is_unverified() {
    let throttled = Reply::bytes(response("429 x", &["Retry-After: 9999"], ""));
    let (outcome, _) = waited([Reply::bytes(""), throttled, entity("Cancelled", "")], "2");
    assert_eq!(outcome.json()["outcome"], "unverified", "{outcome}");
}

#[test]
fn the_sandbox_knows_every_outcome() {
    let cases = [
        ("200000", "cancelled", 0),
        ("200001", "already_final", 6),
        ("200003", "cancelled", 0),
        ("200004", "cancelled_too_late", 6),
        ("200005", "unverified", 6),
        ("200006", "pending", 6),
        ("400000", "already_final", 6),
    ];
    each(cases, |(digits, name, exit)| {
        let request = request_for(&format!("00000000-0000-0000-0000-000000{digits}"));
        let outcome = step()
            .args(["--sandbox", "--wait", "4"])
            .stdin(request)
            .run();
        assert_outcome(&outcome, name, exit);
    });
}

#[test]
fn without_wait_there_is_no_outcome_and_no_read() {
    let server = Server::tls([entity("Pending", "")]);
    let outcome = step().api_with_token(&server).run();
    assert!(outcome.json().get("outcome").is_none());
    assert_eq!(server.received().len(), 1);
}

#[test]
fn an_end_that_the_cancels_own_answer_shows_stands_though_it_cannot_be_read() {
    for (ended, name, status) in [
        ("Succeeded", "already_final", 6),
        ("TimeOut", "already_final", 6),
        ("Cancelled", "unverified", 6),
    ] {
        let replies = [entity(ended, ""), answering("403 Forbidden")];
        let (outcome, calls) = waited(replies, "1");
        assert_outcome(&outcome, name, status);
        assert_eq!(calls.len(), 2);
        let says = format!("it had already finished (status {ended})");
        assert_eq!(
            outcome.stderr.contains(&says),
            name == "already_final",
            "{outcome}"
        );
    }
    let replies = [entity("Succeeded", ""), entity("Pending", "")];
    assert_outcome(&waited(replies, "0.3").0, "pending", 6);
}

/// What was read last is what holds: no hint doubts it, or sends people to read it again.
#[test]
fn a_cancel_that_was_refused_or_lost_says_that_the_action_is_open_and_no_more() {
    let statuses = ["400", "404", "409", "429", "500", "501", "503"];
    let lines = each(statuses, |status| {
        // The pause is too long for another try, and short enough for a look.
        let refusal = response(&format!("{status} x"), &[JSON, "Retry-After: 1"], "{}");
        let server = Server::tls([Reply::bytes(refusal), entity("Pending", "")]);
        let step = step().api_with_token(&server).args(["--timeout", "0.9"]);
        last_line(&step.args(["--wait", "2"]).run())
    });
    let lost = Service::with(
        |_| None,
        |_, call| match call.is_cancel {
            true => Fate::Dropped,
            false => Fate::Answered,
        },
    );
    let step = lost
        .called_by(step())
        .args(["--timeout", "1", "--wait", "1"]);
    let lost = last_line(&step.stdin(request_for(&id(0))).run());
    let end = "The action was read after that, and is still open. Cancel it again.";
    assert!(lost.ends_with(end), "{lost}");
    assert_snapshot!(lines.join("\n"));
}

#[track_caller]
fn last_line(outcome: &Outcome) -> String {
    assert!(
        outcome.stdout.contains(r#""outcome":"pending""#),
        "{outcome}"
    );
    let last = outcome.stderr.lines().last().unwrap();
    for doubt in ["not known", "may have ended", "no such", "ead its status"] {
        assert!(!last.contains(doubt), "{last}");
    }
    let (_, behind_id) = last.split_at(last.find("action ").unwrap() + 45);
    behind_id.to_owned()
}

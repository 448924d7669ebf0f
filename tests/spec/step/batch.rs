//! Many requests, one a line.

use std::collections::BTreeSet;

use cancel_machine_action::Process;
use serde_json::Value;

use crate::support::batch::{batch, documents, id, lines, unpaced};
use crate::support::busy::Busy;
use crate::support::{JSON, REQUEST, Reply, Server, assert_snapshot, request_for, response};

#[test]
fn each_line_gets_a_line_in_its_order_and_a_bad_one_fails_alone() {
    let input = format!(
        "\u{feff}{REQUEST}\n\n   \nnot JSON\r\n{{}}\n{}\r\n{}\n[1]\n{}",
        request_for("00000000-0000-0000-0000-000000404000"),
        "x".repeat((1 << 20) + 5),
        request_for("00000000-0000-0000-0000-000000200001"),
    );
    let outcome = batch().args(["--sandbox", "--verbose"]).stdin(input).run();
    let codes = documents(&outcome)
        .into_iter()
        .map(|document| match document.get("error") {
            Some(error) => format!("line {}: {}", error["line"], error["code"]),
            None => document["status_code"].to_string(),
        });
    assert_eq!(outcome.status, Some(2), "{outcome}");
    let errors = outcome
        .stderr
        .lines()
        .filter(|line| line.contains("error: line") || line.contains(" done, "));
    let errors: Vec<&str> = errors.collect();
    assert_snapshot!(format!(
        "{}\n{}",
        codes.collect::<Vec<String>>().join("\n"),
        errors.join("\n")
    ), @r#"
    200
    line 4: "invalid_input"
    line 5: "invalid_input"
    404
    line 7: "invalid_input"
    line 8: "invalid_input"
    200
    cancel-machine-action: error: line 4: the request is not valid JSON near column 2 (expected ident). `cancel-machine-action sample` prints a valid one.
    cancel-machine-action: error: line 5: the request is not valid: the request lacks the property "path_parameters"; the request lacks the property "json_body". Nothing was sent; `cancel-machine-action schema input` describes a valid request.
    cancel-machine-action: error: line 6, action 00000000-0000-0000-0000-000000404000: the service answered 404 Not Found, ResourceNotFound: "Machine action 00000000-0000-0000-0000-000000404000 was not found". Nothing was cancelled. There is no such machine action in this tenant; one that was just created may take a while to show.
    cancel-machine-action: error: line 7: the request is larger than 1048576 bytes. Send a shorter one.
    cancel-machine-action: error: line 8: the request is not valid: the request must be of type object, not array. Nothing was sent; `cancel-machine-action schema input` describes a valid request.
    "#);
}

#[test]
fn the_status_is_the_worst_and_nothing_to_do_is_well_done() {
    let run = |ids: &[&str]| {
        let input: String = ids
            .iter()
            .map(|digits| request_for(&format!("00000000-0000-0000-0000-000000{digits}")) + "\n")
            .collect();
        batch().args(["--sandbox"]).stdin(input).run().status
    };
    assert_eq!(run(&[]), Some(0));
    assert_eq!(run(&["200000", "200001"]), Some(0));
    assert_eq!(run(&["200000", "404000", "200000"]), Some(1));
    assert_eq!(run(&["404000", "x"]), Some(1));
}

#[test]
fn ten_thousand_lines_take_one_sign_in_and_one_connection() {
    let sign_in = Server::granting(&["a.token"], 3599);
    let api = Busy::new(|_| Busy::OK);
    let mut peaks = Vec::new();
    for count in [100, 10_000] {
        let (connections, calls) = (api.connections(), api.ids().len());
        let step = unpaced(batch()).env("MDE_BASE_URL", api.url()).patiently();
        let outcome = step.signing_in_at(&sign_in).stdin(lines(count)).run();
        assert_eq!((outcome.status, outcome.stderr.as_str()), (Some(0), ""));
        assert_eq!(outcome.stdout.lines().count(), count);
        let ids: Vec<String> = api.ids().split_off(calls);
        assert_eq!(ids, (0..count).map(id).collect::<Vec<String>>());
        assert_eq!(api.connections() - connections, 1);
        peaks.push(outcome.peak_memory);
    }
    assert_eq!(sign_in.received().len(), 2);
    // In KiB, as the kernel counts it.
    assert!(peaks[1] <= peaks[0] + 2048, "{peaks:?}");
}

#[test]
fn a_kept_connection_that_closes_as_the_next_request_goes_out_is_no_failure() {
    let keeping = Reply::keeping_open(response("200 OK", &[JSON], "{}"));
    let closing = Reply::bytes(response("200 OK", &[JSON], "{}"));
    let server = Server::tls([keeping.clone(), closing, keeping]);
    let outcome = unpaced(batch())
        .api_with_token(&server)
        .stdin(lines(6))
        .run();
    assert_eq!(
        (outcome.status, outcome.stderr.as_str()),
        (Some(0), ""),
        "{outcome}"
    );
    assert_eq!(outcome.retries, Vec::<String>::new());
}

/// Every third call is throttled, every fifth fails, every seventh is dropped.
#[test]
fn everything_is_cancelled_in_the_end_and_nothing_that_was_not_asked_for() {
    let count = 150;
    let api = Busy::new(|call| match call {
        _ if call % 7 == 0 => "",
        _ if call % 5 == 0 => "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
        _ if call % 3 == 0 => "HTTP/1.1 429 x\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n",
        _ => Busy::OK,
    });
    let step = unpaced(batch())
        .env("MDE_BASE_URL", api.url())
        .env("MDE_ACCESS_TOKEN", "x");
    let outcome = step
        .args(["--timeout", "30"])
        .patiently()
        .stdin(lines(count))
        .run();
    assert_eq!(outcome.status, Some(0), "{}", outcome.stderr);
    assert_eq!(outcome.stdout.lines().count(), count);
    let cancelled: BTreeSet<String> = api.answered().into_iter().collect();
    assert_eq!(cancelled, (0..count).map(id).collect());
    assert!(api.ids().into_iter().all(|id| cancelled.contains(&id)));
}

#[test]
fn a_cancel_that_is_lost_on_a_kept_connection_may_have_been_sent() {
    let keeping = Reply::keeping_open(response("200 OK", &[JSON], "{}"));
    let server = Server::tls([keeping, Reply::bytes("").closing_the_server()]);
    let outcome = unpaced(batch())
        .api_with_token(&server)
        .stdin(lines(2))
        .run();
    let documents = documents(&outcome);
    assert_eq!(
        documents[1]["error"]["request_sent"], "unknown",
        "{outcome}"
    );
}

#[test]
fn a_line_of_a_mebibyte_is_taken_whatever_ends_it_and_nothing_is_cut_off() {
    let mut request = REQUEST.to_owned();
    let padding = (1 << 20) - request.len();
    request.insert_str(request.len() - 3, &"x".repeat(padding));
    let hidden = format!("{REQUEST}{}{REQUEST}", " ".repeat(1 << 20));
    let input = format!("\u{feff}{request}\r\n{request}x\n{request}\n\u{feff}{hidden}\n{request}");
    let outcome = batch().args(["--sandbox"]).stdin(input).run();
    let documents = documents(&outcome);
    let is_answer: Vec<bool> = documents
        .iter()
        .map(|document| document.get("error").is_none())
        .collect();
    assert_eq!(is_answer, [true, false, true, false, true]);
}

#[test]
fn a_stdout_that_closes_in_the_middle_ends_the_batch() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let outcome = batch()
        .args(["--sandbox"])
        .stdin(lines(3))
        .stdout(writer)
        .run();
    assert_eq!(outcome.status, Some(7), "{outcome}");
    let last = outcome.stderr.lines().last().unwrap();
    assert!(last.contains("error: line 1, action 11111111"), "{outcome}");
    assert!(
        last.ends_with("What it would have said: the service answered 200 OK."),
        "{outcome}"
    );
}

#[test]
fn a_batch_can_wait_for_each_action() {
    let input = format!(
        "{}\n{}\n",
        request_for("00000000-0000-0000-0000-000000200003"),
        request_for("00000000-0000-0000-0000-000000200001")
    );
    let outcome = batch()
        .args(["--sandbox", "--wait", "5"])
        .stdin(input)
        .run();
    let outcomes: Vec<Value> = documents(&outcome)
        .into_iter()
        .map(|answer| answer["outcome"].clone())
        .collect();
    assert_eq!(
        (outcomes, outcome.status),
        (vec!["cancelled".into(), "already_final".into()], Some(6))
    );
}

#[test]
fn a_person_at_a_terminal_sees_how_far_the_batch_is() {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let input = format!("{}\nx\n", lines(2));
    let status = cancel_machine_action::run(Process {
        args: ["--sandbox", "--batch"].map(Into::into).into(),
        environment: &|name| (name == "MDE_CALLS_PER_MINUTE").then(|| "40".into()),
        stdin: Box::new(std::io::Cursor::new(input)),
        stdin_is_terminal: false,
        stdout: &mut stdout,
        stdout_is_terminal: false,
        stderr: &mut stderr,
        stderr_is_terminal: true,
    });
    assert_eq!(status.number(), 2);
    let stderr = String::from_utf8(stderr).unwrap();
    for seen in [
        "\r\u{1b}[K1 line done: 1 accepted",
        "3 lines done: 2 accepted, 1 failed. Line 4 is the first to look at: what it needs is said above.\n",
    ] {
        assert!(stderr.contains(seen), "{stderr:?}");
    }
}

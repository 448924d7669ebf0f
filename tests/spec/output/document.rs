//! One JSON document on one line, or the status that says that it could not be written.

use std::fs::OpenOptions;
use std::process::Stdio;

use crate::support::{Reply, Server, assert_snapshot, request_for, response, step};

#[test]
fn an_answer_that_cannot_be_written_is_told_on_stderr() {
    let full = || Stdio::from(OpenOptions::new().write(true).open("/dev/full").unwrap());
    let request = request_for("00000000-0000-0000-0000-000000404000");
    let outcomes = [
        step().args(["--sandbox"]).stdout(full()).run(),
        step()
            .args(["--sandbox", "--exit-zero"])
            .stdin(request)
            .stdout(full())
            .run(),
        step().stdin("").stdout(full()).run(),
        step().args(["manifest"]).stdout(full()).run(),
    ];
    assert_snapshot!(outcomes.map(|outcome| outcome.to_string()).join("\n\n"));
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_snapshot!(step().args(["--sandbox"]).stdout(writer).run(), @"
    status: 7
    stdout: 
    stderr: cancel-machine-action: sandbox: the embedded Defender answers; nothing is sent, nothing is cancelled.
    cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: stdout cannot be written: Broken pipe (os error 32). What it would have said: the service answered 200 OK.
    ");
}

#[test]
fn nothing_in_the_answer_commands_a_terminal_or_breaks_the_line() {
    let text = "\u{7f}\u{80}\u{9b}31m\u{85}\u{2028}\u{2029}\u{a0}";
    let body = format!("{{\"text\":\"{text}\"}}");
    let server = Server::tls([Reply::bytes(response("200 OK", &["X-A: \u{9b}31m"], body))]);
    let outcome = step().api_with_token(&server).run();
    assert_eq!(outcome.json()["json_body"]["text"], text);
    assert_snapshot!(outcome, @r#"
    status: 0
    stdout: {
      "status_code": 200,
      "reason": "OK",
      "response_headers": {
        "Content-Length": "29",
        "X-A": "\u009b31m"
      },
      "json_body": {
        "text": "\u007f\u0080\u009b31m\u0085\u2028\u2029 "
      }
    }
    stderr:
    "#);
}

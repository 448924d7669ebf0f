//! One JSON document on one line, or the status that says that it could not be written.

use std::fs::OpenOptions;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::support::{request_for, step};

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
    assert_snapshot!(step().args(["--sandbox"]).stdout(writer).run());
}

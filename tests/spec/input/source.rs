//! One value comes in, then the step stops reading.

use std::io::{self, Cursor, Read};
use std::time::{Duration, Instant};

use cancel_machine_action::Process;
use cancel_machine_action::waiting::stream::Stream;

use crate::support::step::file_with;
use crate::support::{Outcome, REQUEST, Step, assert_snapshot, each, step};

fn sandbox() -> Step {
    step().args(["--sandbox"])
}

/// Whether the run accepted the request.
fn accepted(outcome: &Outcome) -> bool {
    outcome.status == Some(0) && outcome.json()["status_code"] == 200
}

#[test]
fn the_answer_comes_while_stdin_is_still_open() {
    let outcome = sandbox().holding_stdin_open().run();
    assert!(accepted(&outcome), "{outcome}");
    assert!(outcome.took < Duration::from_secs(5), "{:?}", outcome.took);
}

/// A request, and then line breaks without end.
struct Endless(Cursor<&'static str>);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => {
                buffer.fill(b'\n');
                Ok(buffer.len())
            }
            count => Ok(count),
        }
    }
}

impl Stream for Endless {
    fn wait(&self, _: Option<Duration>) -> io::Result<bool> {
        Ok(true)
    }
}

#[test]
fn white_space_without_end_is_not_read_beyond_the_time_limit() {
    let (mut stdout, began) = (Vec::new(), Instant::now());
    let status = cancel_machine_action::run(Process {
        args: ["--sandbox", "--timeout", "0.5"].map(Into::into).into(),
        environment: &|_| None,
        stdin: Box::new(Endless(Cursor::new(REQUEST))),
        stdin_is_terminal: false,
        stdout: &mut stdout,
        stdout_is_terminal: false,
        stderr: &mut io::sink(),
        stderr_is_terminal: false,
    });
    assert_eq!(status.number(), 2);
    assert!(began.elapsed() < Duration::from_secs(5), "{began:?}");
    assert!(String::from_utf8(stdout).unwrap().contains("\"no_input\""));
}

#[test]
fn no_request_within_the_time_limit_is_a_failure() {
    for beginning in ["", "   ", r#"{"path_parameters":{"#] {
        let step = sandbox().args(["--timeout", "0.5"]).stdin(beginning);
        let outcome = step.holding_stdin_open().run();
        assert!(outcome.took < Duration::from_secs(4), "{:?}", outcome.took);
        insta::allow_duplicates!(assert_snapshot!(outcome, @r#"
        status: 2
        stdout: {
          "error": {
            "code": "no_input",
            "message": "the request on stdin was not complete within 0.5 s. Write one JSON object to stdin, or name a file that has it.",
            "retryable": false,
            "request_sent": "no",
            "details": []
          }
        }
        stderr: cancel-machine-action: error: the request on stdin was not complete within 0.5 s. Write one JSON object to stdin, or name a file that has it.
        "#));
    }
}

#[test]
fn white_space_and_a_byte_order_mark_are_no_hindrance() {
    each(
        [
            format!("\u{feff}{REQUEST}"),
            format!(" \r\n\t{REQUEST}\r\n \n"),
            REQUEST.replace(',', ",\n"),
        ],
        |request| {
            let outcome = sandbox().stdin(request).run();
            assert!(accepted(&outcome), "{outcome}");
        },
    );
}

#[test]
fn the_request_may_be_in_a_file() {
    let file = file_with(REQUEST);
    let outcome = sandbox()
        .args([file.to_str().unwrap()])
        .stdin("")
        .holding_stdin_open()
        .run();
    assert!(accepted(&outcome), "{outcome}");
    let by_convention = sandbox().args(["-"]).run();
    assert!(accepted(&by_convention), "{by_convention}");
    let missing = sandbox().args(["/no/such/file.json"]).run();
    let folder = sandbox().args(["/"]).run();
    assert_snapshot!(format!("{missing}\n\n{folder}"));
}

#[test]
fn a_file_that_cannot_be_read_is_named_unless_it_may_be_a_secret() {
    let refused = |path: &str| sandbox().args([path]).run().stderr;
    let shown = [
        "requests/no.json",
        "/tmp/no-such-file",
        "evil\u{1b}[2K\u{202e}.json",
    ];
    assert_snapshot!(shown.map(refused).concat(), @"
    cancel-machine-action: error: the request in the file requests/no.json cannot be read. Check its path and its permissions. (Cause: No such file or directory (os error 2))
    cancel-machine-action: error: the request in the file /tmp/no-such-file cannot be read. Check its path and its permissions. (Cause: No such file or directory (os error 2))
    cancel-machine-action: error: the request in the file evil [2K .json cannot be read. Check its path and its permissions. (Cause: No such file or directory (os error 2))
    ");
    for secret in ["Xy8Q~s3cret.Value_0123456789", "s3cret/Value+1=="] {
        assert!(!refused(secret).contains("s3cret"));
    }
}

#[test]
fn what_is_not_one_json_value_is_refused_with_its_place() {
    let utf16: Vec<u8> = "\u{feff}{}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let cases: [(&str, Vec<u8>); 13] = [
        ("nothing", b"".into()),
        ("white space", b" \n ".into()),
        ("a word", b"hello".into()),
        (
            "cut short",
            b"{\"path_parameters\":\n {\"machineactionid\": \"x\"".into(),
        ),
        ("a comma too many", b"{\n  \"json_body\": {},\n}".into()),
        ("two values", format!("{REQUEST}\n{REQUEST}\n").into()),
        ("a value and a rest", format!("{REQUEST} x").into()),
        ("UTF-16", utf16),
        (
            "not UTF-8",
            b"{\"json_body\":{\"Comment\":\"\xff\"}}".into(),
        ),
        ("binary", b"\x1f\x8b\x08\0\0".into()),
        ("half a byte order mark", b"\xef\xbb{}".into()),
        (
            "a lone surrogate",
            br#"{"json_body":{"Comment":"\ud800"}}"#.into(),
        ),
        (
            "too deep",
            format!("{}{}", "[".repeat(1000), "]".repeat(1000)).into(),
        ),
    ];
    let outcomes = cases.map(|(name, text)| format!("## {name}\n{}", sandbox().stdin(text).run()));
    assert_snapshot!(outcomes.join("\n\n"));
}

#[test]
fn a_request_of_a_mebibyte_is_taken_and_one_byte_more_is_not() {
    const LIMIT: usize = 1 << 20;
    let mut request = REQUEST.to_owned();
    let padding = LIMIT - request.len();
    request.insert_str(request.len() - 3, &"x".repeat(padding));
    let taken = sandbox().stdin(format!("{request}\n")).run();
    assert!(accepted(&taken), "{}", taken.stderr);
    request.insert(request.len() - 3, 'x');
    assert_snapshot!(sandbox().stdin(&request).run(), @r#"
    status: 2
    stdout: {
      "error": {
        "code": "invalid_input",
        "message": "the request on stdin is larger than 1048576 bytes. Send a shorter one.",
        "retryable": false,
        "request_sent": "no",
        "details": []
      }
    }
    stderr: cancel-machine-action: error: the request on stdin is larger than 1048576 bytes. Send a shorter one.
    "#);
    let marked = sandbox().stdin(format!("\u{feff}{request}")).run();
    assert!(
        marked.stderr.contains("is larger than"),
        "{}",
        marked.stderr
    );
    let file = file_with(&request);
    let refused = sandbox().args([file.to_str().unwrap()]).run();
    assert_eq!(refused.status, Some(2));
}

#[test]
fn a_second_request_in_a_file_is_found_however_far_behind() {
    let file = file_with(format!("{REQUEST}{}{REQUEST}", " ".repeat(3 << 20)));
    let outcome = sandbox().args([file.to_str().unwrap()]).run();
    assert!(
        outcome
            .stderr
            .contains("more input follows the request in the file"),
        "{outcome}"
    );
    let file = file_with(format!("{REQUEST}{}", " ".repeat(3 << 20)));
    assert!(accepted(&sandbox().args([file.to_str().unwrap()]).run()));
}

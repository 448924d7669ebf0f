//! What was typed on the command line is not repeated: it may be a secret.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use cancel_machine_action::Process;

use crate::support::{assert_snapshot, step};

const SECRET: &str = "Xy8Q~s3cret.Value_0123456789";

#[test]
fn nothing_that_may_be_a_secret_is_repeated() {
    let long = format!("--{}", "a".repeat(41));
    let guid = "--853b9a84-5bfa-4b22-a3f3-0b9a43d9ad8a";
    let value = |option: &str| format!("{option}={SECRET}");
    let cases: Vec<Vec<String>> = vec![
        vec![value("--sandbox")],
        vec![value("--exit-zero")],
        vec![value("--client-secret")],
        vec!["--client-secret".to_owned(), SECRET.to_owned()],
        vec![format!("--{SECRET}")],
        vec![format!("-{SECRET}")],
        vec![value("--wait")],
        vec!["--wait".to_owned(), SECRET.to_owned()],
        vec![value("--timeout")],
        vec!["request.json".to_owned(), SECRET.to_owned()],
        vec!["check".to_owned(), SECRET.to_owned()],
        vec!["sample".to_owned(), SECRET.to_owned()],
        vec!["sample".to_owned(), value("--token")],
        vec!["schema".to_owned(), SECRET.to_owned()],
        vec![value("--allow")],
        vec!["list".to_owned(), SECRET.to_owned()],
        vec!["list".to_owned(), value("--status")],
        vec!["list".to_owned(), value("--since")],
        vec!["get".to_owned(), format!("{SECRET}/")],
        vec!["help".to_owned(), SECRET.to_owned()],
        vec!["manifest".to_owned(), format!("-p{SECRET}")],
        vec![long],
        vec![guid.to_owned()],
        vec![format!("--{SECRET}={SECRET}")],
    ];
    let outcomes = cases.iter().map(|args| {
        let outcome = step().args(args.iter().map(String::as_str)).run();
        assert_eq!(outcome.status, Some(2), "{outcome}");
        for part in [SECRET, "s3cret", "aaaaaaaa", "853b9a84"] {
            assert!(!outcome.to_string().contains(part), "{outcome}");
        }
        let message = outcome.json()["error"]["message"].to_string();
        let args = args.join(" ").replace(SECRET, "SECRET");
        format!("{args}\n  {message}")
    });
    assert_snapshot!(outcomes.collect::<Vec<String>>().join("\n"));
}

#[test]
fn an_option_that_is_nearly_right_is_told() {
    let cases = [
        ("--timout", "--timeout"),
        ("--Wait=30", "--wait"),
        ("--exit_zero", "--exit-zero"),
        ("--batc", "--batch"),
        ("--verboes", "--verbose"),
        ("--versions", "--version"),
        ("--waits", "--wait"),
    ];
    for (typed, meant) in cases {
        let outcome = step().args([typed]).run();
        let hint = format!("did you mean `{meant}`?");
        assert!(outcome.stderr.contains(&hint), "{outcome}");
    }
    for typed in ["--bogus", "-x", "--", "--client-secret", "--w"] {
        let outcome = step().args([typed]).run();
        assert!(!outcome.stderr.contains("did you mean"), "{outcome}");
    }
}

#[test]
fn what_is_not_utf_8_is_not_repeated_either() {
    let bytes = |text: &[u8]| OsString::from_vec(text.to_vec());
    for args in [
        vec![bytes(b"--wait=s3cret\xff")],
        vec![bytes(b"--wait"), bytes(b"s3cret\xff")],
        vec![bytes(b"--s3cret\xff")],
        vec![bytes(b"--sandbox=s3cret\xff")],
        vec![bytes(b"-\xffs3cret")],
        vec![bytes(b"sample"), bytes(b"s3cret\xff")],
        vec![bytes(b"schema"), bytes(b"s3cret\xff")],
    ] {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let status = cancel_machine_action::run(Process {
            args,
            environment: &|_| None,
            stdin: Box::new(std::io::Cursor::new("")),
            stdin_is_terminal: false,
            stdout: &mut stdout,
            stdout_is_terminal: false,
            stderr: &mut stderr,
            stderr_is_terminal: false,
        });
        assert_eq!(status.number(), 2);
        for shown in [stdout, stderr] {
            let shown = String::from_utf8(shown).unwrap();
            assert!(!shown.contains("s3cret"), "{shown}");
        }
    }
}

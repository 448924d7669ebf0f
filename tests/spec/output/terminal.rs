//! What a person sees at a terminal: an indentation that ends, and no letter that deceives.

use std::io::{Cursor, Write};
use std::time::{Duration, Instant};

use cancel_machine_action::Process;
use cancel_machine_action::output::harmful_letters;
use cancel_machine_action::output::layout::Layout;
use serde_json::Value;

use crate::support::{REQUEST, Reply, Server, assert_snapshot, response, step};

/// The whole of stdout, at a terminal, when the service answers with `body`; and how long that took.
fn at_a_terminal(body: impl AsRef<[u8]>) -> (String, Duration) {
    let server = Server::plain([Reply::bytes(response("200 OK", &[], body))]);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let url = server.url();
    let begun = Instant::now();
    let status = cancel_machine_action::run(Process {
        args: Vec::new(),
        environment: &|name| match name {
            "MDE_BASE_URL" => Some(url.clone().into()),
            "MDE_ACCESS_TOKEN" => Some("x".into()),
            _ => None,
        },
        stdin: Box::new(Cursor::new(REQUEST)),
        stdin_is_terminal: false,
        stdout: &mut stdout,
        stdout_is_terminal: true,
        stderr: &mut stderr,
        stderr_is_terminal: true,
    });
    assert_eq!(status.number(), 0, "{}", String::from_utf8_lossy(&stderr));
    (String::from_utf8(stdout).unwrap(), begun.elapsed())
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

/// What costs most: deep, or wide where the indentation is deepest, and as much as the service may send.
#[test]
fn no_answer_grows_beyond_bounds_at_a_terminal() {
    let wide = |depth: usize, count: usize| {
        let items = "0,".repeat(count);
        format!("{}{items}0{}", "[".repeat(depth), "]".repeat(depth))
    };
    for value in [
        nested(100_000),
        nested((5 << 20) - 10),
        wide(30, 400_000),
        wide(31, 500),
        wide(90_000, 400_000),
        wide(31, 5_200_000),
    ] {
        let body = format!(r#"{{"a":{value}}}"#);
        let (stdout, took) = at_a_terminal(&body);
        // Not much more than a mebibyte is indented.
        assert!(
            stdout.len() < 2 * body.len() + (2 << 20),
            "{} became {}",
            body.len(),
            stdout.len()
        );
        assert!(took < Duration::from_secs(20), "{took:?}");
        let shown: String = stdout.split_ascii_whitespace().collect();
        assert!(shown.contains(&body));
    }
}

/// `json` as it is written.
fn lay_out(json: &str, indents: bool) -> String {
    let mut written = Vec::new();
    let mut layout = Layout::new(&mut written, indents);
    layout.write_all(json.as_bytes()).unwrap();
    layout.end().unwrap();
    let line = String::from_utf8(written).unwrap();
    line.strip_suffix('\n').unwrap().to_owned()
}

#[test]
fn an_answer_is_indented_to_a_depth_and_compact_below() {
    let json = format!(
        r#"{{"a":[],"b":{{}},"c":[1,{{"d":"x, \"y\": [\\"}}],"e":{}}}"#,
        nested(40)
    );
    let shown = lay_out(&json, true);
    assert_eq!(
        serde_json::from_str::<Value>(&shown).unwrap(),
        serde_json::from_str::<Value>(&json).unwrap()
    );
    let again = lay_out(&shown, false);
    assert_eq!(again, json);
    assert_snapshot!(shown);
}

/// Every letter there is, in a string and in a line of stderr.
#[test]
fn no_letter_that_is_harmful_is_shown_and_all_others_are() {
    let is_raw = |letter: char| {
        let json = serde_json::to_string(&letter.to_string()).unwrap();
        let shown = lay_out(&json, false);
        let back: String = serde_json::from_str(&shown).unwrap();
        assert_eq!(back, letter.to_string());
        shown.contains(letter)
    };
    for letter in '\0'..=char::MAX {
        assert_eq!(
            is_raw(letter),
            !harmful_letters::is_harmful(letter),
            "{letter:?}"
        );
    }
    let harmful = "\u{61c}\u{200b}\u{200e}\u{200f}\u{202a}\u{202e}\u{2028}\u{2066}\u{2069}\u{feff}\u{e0041}\u{9b}\u{7f}";
    assert!(harmful.chars().all(harmful_letters::is_harmful));
    assert!(
        "aé\u{a0}中😀\u{10fffd}ع"
            .chars()
            .all(|letter| !harmful_letters::is_harmful(letter))
    );
}

#[test]
fn letters_that_turn_the_writing_or_hide_are_escaped_on_stdout_and_gone_on_stderr() {
    let text = "\u{202e}gpj.exe\u{2066}\u{61c}\u{200f}\u{feff}\u{e0049}\u{200b}";
    let body = format!(r#"{{"text":"{text}"}}"#);
    let server = Server::tls([Reply::bytes(response("200 OK", &[], body))]);
    let answer = step().api_with_token(&server).run();
    assert_eq!(answer.json()["json_body"]["text"], text);
    let body = format!(r#"{{"error":"invalid_client","error_description":"No {text}."}}"#);
    let server = Server::tls([Reply::bytes(response("401 x", &[], body))]);
    let failure = step().api(&server).signing_in_at(&server).run();
    assert!(
        failure.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains('\u{202e}')
    );
    let outcomes = [answer, failure].map(|outcome| outcome.to_string());
    assert!(outcomes.concat().is_ascii());
    assert_snapshot!(outcomes.join("\n\n"));
}

//! No request and no answer costs much more than its bytes.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde::de::IgnoredAny;

use crate::support::{JSON, Reply, Server, each, response, step};

const MEBIBYTE: usize = 1 << 20;

/// The most data and address space that a request may take: what is resident is less.
const FOR_REQUESTS: &str = "-d 65536; ulimit -v 262144";
const FOR_ANSWERS: &str = "-d 163840; ulimit -v 524288";

/// How long it may work; in a debug build some times as long as in a release build.
const IN_TIME: Duration = Duration::from_secs(if cfg!(debug_assertions) { 8 } else { 1 });

/// `start`, as many units as fit into `size` with a comma between them, `end`; a `#` is the number of the unit.
fn filled(size: usize, start: &str, unit: &str, end: &str) -> String {
    let room = size - start.len() - end.len();
    let mut units = String::with_capacity(size);
    if unit.contains('#') {
        let (before, after) = unit.split_once('#').unwrap();
        for number in 0.. {
            if units.len() + unit.len() + 8 >= room {
                break;
            }
            write!(units, "{before}{number}{after},").unwrap();
        }
    } else {
        units = format!("{unit},").repeat(room / (unit.len() + 1));
    }
    format!("{start}{}{end}", units.trim_end_matches(','))
}

/// Values that would cost many times their text, if they were built.
fn costly_values(size: usize) -> Vec<String> {
    vec![
        format!("\"{}\"", "x".repeat(size - 2)),
        filled(size, "\"", "\\u00e9", "\""),
        "[".repeat(size / 2) + &"]".repeat(size / 2),
        "{\"\":".repeat(size / 6) + "1" + &"}".repeat(size / 6),
        filled(size, "[", "[]", "]"),
        filled(size, "[", "0", "]"),
        filled(size, "{", "\"#\":0", "}"),
        filled(size, "{", "\"#\":{\"a\":0,\"b\":0}", "}"),
        filled(size, "{", "\"\":0", "}"),
    ]
}

/// Values whose violations would cost many times their text, if the place of each were written down.
fn costly_places(size: usize) -> Vec<String> {
    let long = "k".repeat(size / 2);
    let below = |start: &str, unit: &str, end: &str| {
        filled(size, &format!("{{\"{long}\":{start}"), unit, end)
    };
    vec![
        filled(size, "[", "{\"a\":0,\"a\":0}", "]"),
        below("{", "\"a\":0", "}}"),
        below("[", "{\"a\":0,\"a\":0}", "]}"),
        below("[", "0", "]}"),
        format!("{{\"{0}\":0,\"{0}\":0}}", "~".repeat(size / 2 - 10)),
    ]
}

/// Each value in one place after the other, so that each place has some, and each of them that of the comment, which is
/// kept. `tests/fuzz/run` looks at many more.
fn costly_requests() -> Vec<String> {
    let places = [
        ("", ""),
        (r#"{"x":"#, "}"),
        (r#"{"path_parameters":"#, r#","json_body":{}}"#),
        (
            r#"{"path_parameters":{"machineactionid":"#,
            r#"},"json_body":{}}"#,
        ),
        (
            r#"{"path_parameters":{"machineactionid":"a"},"json_body":"#,
            "}",
        ),
    ];
    let comment = (
        r#"{"path_parameters":{"machineactionid":"a"},"json_body":{"Comment":"#,
        "}}",
    );
    let size = MEBIBYTE - 100;
    let values = [costly_values(size), costly_places(size)].concat();
    let places = places.iter().cycle().zip(&values);
    let around = |(start, end), value: &String| format!("{start}{value}{end}");
    let kept = values.iter().map(|value| around(comment, value));
    places
        .map(|(place, value)| around(*place, value))
        .chain(kept)
        .collect()
}

#[test]
fn a_costly_request_is_accepted_or_refused_in_time_and_in_64_mebibytes() {
    each(costly_requests(), |request| {
        let step = step().args(["--sandbox"]).limited(FOR_REQUESTS).patiently();
        let outcome = step.stdin(request).run();
        assert!(matches!(outcome.status, Some(1 | 2)), "{outcome}");
        outcome.json();
        assert!(outcome.worked < IN_TIME, "{:?}", outcome.worked);
    });
}

#[test]
fn a_costly_line_spoils_itself_alone() {
    let plain = crate::support::request_for("00000000-0000-0000-0000-000000200000");
    let lines = costly_requests().join(&format!("\n{plain}\n"));
    let outcome = step()
        .args(["--sandbox", "--batch"])
        .env("MDE_CALLS_PER_MINUTE", "0")
        .limited(FOR_REQUESTS)
        .stdin(format!("{lines}\n{plain}"))
        .patiently()
        .run();
    let count = costly_requests().len();
    assert_eq!(
        outcome.stdout.lines().count(),
        2 * count,
        "{}",
        outcome.stderr
    );
    for line in outcome.stdout.lines().skip(1).step_by(2) {
        assert!(line.starts_with(r#"{"status_code":200"#), "{line}");
    }
}

/// The body, compressed.
fn deflated(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_costly_answer_is_passed_on_in_time_and_in_160_mebibytes() {
    let size = 10 * MEBIBYTE - 100;
    let id = "988cc94e-7a8f-4b28-ab65-54970c5d5018";
    let entity =
        |commands: &str| format!(r#"{{"id":"{id}","status":"Cancelled","commands":{commands}}}"#);
    let bodies: Vec<String> = costly_values(size)
        .iter()
        .map(|value| entity(value))
        // What JSON has to escape, and what we escape.
        .chain(["\u{1}", "\u{85}", "\u{2028}"].map(|letter| letter.repeat(size / letter.len())))
        .collect();
    each(&bodies, |body| assert_is_passed_on(body));
}

fn assert_is_passed_on(body: &str) {
    let start: String = body.chars().take(120).collect();
    let headers = [JSON, "Content-Encoding: deflate"];
    let answer = Reply::bytes(response("200 OK", &headers, deflated(body.as_bytes())));
    let server = Server::plain([answer.clone(), answer]);
    let outcome = step()
        .api_with_token(&server)
        .env("MDE_TIMEOUT", "60")
        .args(["--wait", "0.1"])
        .limited(FOR_ANSWERS)
        .patiently()
        .run();
    assert!(
        matches!(outcome.status, Some(0 | 6)),
        "{start}: {} {}",
        outcome.stderr,
        outcome.stdout.len()
    );
    let document: Result<IgnoredAny, _> = serde_json::from_str(&outcome.stdout);
    assert!(document.is_ok(), "{start}");
    assert!(outcome.worked < IN_TIME, "{start}: {:?}", outcome.worked);
}

//! Hostile bytes, made from good ones: the request's text, the answer's bytes, `Retry-After`. Runs on stable Rust;
//! `FUZZ_CASES=100000 cargo test --release --test fuzz` runs long.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use cancel_machine_action::call::received::{Received, retry_after_seconds};
use cancel_machine_action::output::harmful_letters::is_harmful;
use cancel_machine_action::{Process, run};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::Value;

const REQUESTS: [&str; 3] = [
    r#"{"path_parameters":{"machineactionid":"988cc94e-7a8f-4b28-ab65-54970c5d5018"},"json_body":{"Comment":"Grüße \u00e9 \ud83d\ude00"}}"#,
    "\u{feff} {\"json_body\" : {}, \"path_parameters\":\n{\"machineactionid\":\"a\", \"machineactionid\":\"b\"}} ",
    r#"[{"a":[[[{"b":1e999}]]]},"\ud800",-0.0,null]"#,
];

const ANSWERS: [&str; 6] = [
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"id\":\"x\\\\\"}\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n3;x=y\r\n 1}\r\n0\r\nT: z\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.0 429 Too Many\r\nRetry-After: 9999\r\nX: \u{e9}\r\nX: b\r\n\r\n{\"error\":{\"code\":\"\"}}",
    "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\nx\u{1}\u{1}\u{2}\0\u{fd}{}\u{1}\u{2}\0\u{f8}",
    "HTTP/1.1 301 Moved\r\nLocation: https://elsewhere.example/\r\nContent-Length: 1\r\n\r\nx",
];

fn cases(usual: u32) -> Config {
    let asked = std::env::vars_os().find(|(name, _)| name == "FUZZ_CASES");
    let asked = asked.and_then(|(_, value)| value.to_str()?.parse().ok());
    Config::with_cases(asked.unwrap_or(usual))
}

/// What is done to good bytes.
#[derive(Clone, Debug)]
enum Change {
    Cut(prop::sample::Index),
    Replace(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Repeat(prop::sample::Index, prop::sample::Index, u8),
    Remove(prop::sample::Index, u8),
    /// A part is repeated until the whole has a mebibyte.
    Blow(prop::sample::Index, prop::sample::Index),
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<prop::sample::Index>;
    let hostile = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..6),
        prop::sample::select(vec![
            "\r\n",
            "\r\n\r\n",
            "\0",
            "{",
            "}",
            "\"",
            "\\u",
            "Content-Length: 5\r\n",
            "Content-Encoding: gzip\r\n",
            "Transfer-Encoding: chunked\r\n",
            "ffffffffffffffff\r\n",
            "0\r\n\r\n",
            "HTTP/1.1 200 OK\r\n",
            "\u{2028}",
            "\u{202e}",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop_oneof![
        100 => index().prop_map(Change::Cut),
        100 => (index(), any::<u8>()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        100 => (index(), hostile).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        100 => (index(), index(), any::<u8>())
            .prop_map(|(from, to, times)| Change::Repeat(from, to, times)),
        100 => (index(), any::<u8>()).prop_map(|(at, count)| Change::Remove(at, count)),
        1 => (index(), index()).prop_map(|(from, to)| Change::Blow(from, to)),
    ]
}

fn changed(good: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec(change(), 0..5);
    (prop::sample::select(good), changes).prop_map(|(good, changes)| {
        let mut bytes = good.as_bytes().to_vec();
        for change in changes {
            let length = bytes.len() + 1;
            match change {
                Change::Cut(at) => bytes.truncate(at.index(length)),
                Change::Replace(at, byte) => {
                    if let Some(old) = bytes.get_mut(at.index(length)) {
                        *old = byte;
                    }
                }
                Change::Insert(at, more) => {
                    let at = at.index(length);
                    bytes.splice(at..at, more);
                }
                Change::Repeat(from, to, times) => {
                    let (from, to) = (from.index(length), to.index(length));
                    let part = bytes[from.min(to)..from.max(to)].repeat(usize::from(times % 8));
                    bytes.extend(part);
                }
                Change::Blow(from, to) => {
                    let (from, to) = (from.index(length), to.index(length));
                    let (from, to) = (from.min(to), from.max(to));
                    let times = ((1 << 20) - bytes.len()) / (to - from).max(1);
                    let part = bytes[from..to].repeat(times);
                    bytes.splice(from..from, part);
                }
                Change::Remove(at, count) => {
                    let at = at.index(length);
                    let end = (at + usize::from(count)).min(bytes.len());
                    bytes.drain(at.min(end)..end);
                }
            }
        }
        bytes
    })
}

/// The resident memory of this process, in KiB: what the kernel notes under `name`.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.map_or(0, |number| number.parse().expect("a number"))
}

/// The same for a request, which may take a second and 64 MiB: in a debug build, beside other tests, some seconds.
fn outcome_of_request(args: &[&str], request: Vec<u8>) -> (u8, Value) {
    const SECONDS: u64 = if cfg!(debug_assertions) { 8 } else { 1 };
    // The peak is noted anew from here on.
    std::fs::write("/proc/self/clear_refs", "5").expect("the kernel's notes");
    let (before, begun) = (memory("VmRSS"), Instant::now());
    let outcome = outcome(args, &[], request);
    let grown = memory("VmHWM").saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KiB");
    assert!(
        begun.elapsed() < Duration::from_secs(SECONDS),
        "{:?}",
        begun.elapsed()
    );
    outcome
}

/// Runs the program in this process: the status, and the one document on the one line.
fn outcome(args: &[&str], variables: &[(&str, &str)], stdin: Vec<u8>) -> (u8, Value) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
    let status = run(Process {
        args: args.iter().map(OsString::from).collect(),
        environment: &|name| find(name).map(|(_, value)| OsString::from(value)),
        stdin: Box::new(io::Cursor::new(stdin)),
        stdin_is_terminal: false,
        stdout: &mut stdout,
        stdout_is_terminal: false,
        stderr: &mut stderr,
        stderr_is_terminal: false,
    });
    let text = String::from_utf8(stdout).expect("UTF-8");
    let line = text.strip_suffix('\n').expect("a line");
    assert!(!line.contains(is_harmful), "{line:?}");
    let stderr = String::from_utf8(stderr).expect("UTF-8");
    assert!(!stderr.replace('\n', "").contains(is_harmful), "{stderr:?}");
    (status.number(), serde_json::from_str(line).expect("JSON"))
}

#[test]
fn any_request_gets_one_line_and_a_documented_status() {
    proptest!(cases(2000), |(request in changed(&REQUESTS))| {
        let (status, document) = outcome_of_request(&["--sandbox"], request);
        prop_assert!(matches!(status, 0..=2 | 8), "{status}");
        prop_assert_eq!(document.get("error").is_some(), status == 2);
    });
}

#[test]
fn any_batch_gets_a_line_for_each_line() {
    proptest!(cases(300), |(requests in prop::collection::vec(changed(&REQUESTS), 1..4))| {
        for request in requests {
            let line: Vec<u8> = request.into_iter().filter(|byte| *byte != b'\n').collect();
            let text = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&line);
            if text.trim_ascii().is_empty() {
                continue;
            }
            let (status, _) = outcome_of_request(&["--sandbox", "--batch"], line);
            prop_assert!(matches!(status, 0..=2 | 8), "{status}");
        }
    });
}

/// Answers each connection with the bytes that it is given, once it has read something.
fn answering(bytes: mpsc::Receiver<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut answer = Vec::new();
        for stream in listener.incoming().flatten() {
            // A retry gets the same again.
            while let Ok(next) = bytes.try_recv() {
                answer = next;
            }
            // A client that goes away ends its connection only.
            let _ = serve(stream, &answer);
        }
    });
    format!("http://{address}")
}

fn serve(mut stream: TcpStream, answer: &[u8]) -> io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.ends_with(b"\"}") {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        request.extend_from_slice(&buffer[..count]);
    }
    stream.write_all(answer)?;
    stream.shutdown(std::net::Shutdown::Write)?;
    io::copy(&mut stream, &mut io::sink()).map(drop)
}

#[test]
fn any_answer_gets_one_line_and_a_documented_status_in_time() {
    let (send, receive) = mpsc::channel();
    let url = answering(receive);
    let variables = [("MDE_BASE_URL", url.as_str()), ("MDE_ACCESS_TOKEN", "x")];
    proptest!(cases(400), |(answer in changed(&ANSWERS))| {
        send.send(answer).unwrap();
        let begun = Instant::now();
        let request = REQUESTS[0].replace("Grüße \\u00e9 \\ud83d\\ude00", "x");
        let (status, document) = outcome(&["--timeout", "0.2"], &variables, request.into_bytes());
        prop_assert!(matches!(status, 0 | 1 | 5 | 8), "{status} {document}");
        prop_assert_eq!(document.get("status_code").is_some(), status != 5);
        prop_assert!(begun.elapsed() < Duration::from_millis(1200), "{:?}", begun.elapsed());
    });
}

#[test]
fn any_retry_after_is_a_number_or_nothing() {
    let values = prop_oneof![
        "[0-9]{1,25}",
        "[ -~]{0,40}",
        "(Mon|Sun), [0-9]{2} (Jan|Feb|Dec) [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT",
    ];
    proptest!(cases(2000), |(value in values)| {
        let mut headers = ureq::http::HeaderMap::new();
        if let Ok(value) = value.parse() {
            headers.insert("retry-after", value);
        }
        let received = Received { status: ureq::http::StatusCode::TOO_MANY_REQUESTS, headers, length: 0, unread: None,
            body: Ok(Vec::new()) };
        let seconds = retry_after_seconds(&received);
        let digits = value.trim();
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            // No more than every reader of JSON can count.
            let number = digits.parse().unwrap_or(u64::MAX).min((1 << 53) - 1);
            prop_assert_eq!(seconds, Some(number));
        }
    });
}

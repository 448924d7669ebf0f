//! The body of an answer, however it is framed and compressed.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use crate::support::{JSON, Outcome, Reply, Server, assert_snapshot, each, response, step};

pub fn answered(reply: Reply) -> Outcome {
    let server = Server::tls([reply]);
    step().api_with_token(&server).run()
}

pub fn zlib(body: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(body: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn gzip(body: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// `body` in chunks of seven bytes.
pub fn chunked(head: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
    for chunk in body.chunks(7) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n\r\n");
    bytes
}

#[test]
fn every_framing_and_compression_brings_the_same_body() {
    let body = r#"{"id":"x","status":"Cancelled"}"#;
    let encodings = [
        ("", body.as_bytes().to_vec()),
        ("Content-Encoding: identity\r\n", body.as_bytes().to_vec()),
        ("Content-Encoding: gzip\r\n", gzip(body)),
        ("Content-Encoding: X-GZIP\r\n", gzip(body)),
        ("Content-Encoding: deflate\r\n", zlib(body)),
        ("Content-Encoding: deflate\r\n", raw_deflate(body)),
        ("Content-Encoding: deflate, gzip\r\n", gzip(zlib(body))),
        (
            "Content-Encoding: deflate\r\nContent-Encoding: gzip\r\n",
            gzip(zlib(body)),
        ),
    ];
    each(encodings, |(header, encoded)| {
        let head = format!("HTTP/1.1 200 OK\r\n{JSON}\r\n{header}");
        let until_close = [head.as_bytes(), b"\r\n", &encoded].concat();
        let by_length = response("200 OK", &[JSON, header.trim_end()], &encoded);
        let by_length = if header.is_empty() {
            response("200 OK", &[JSON], &encoded)
        } else {
            by_length
        };
        for bytes in [chunked(&head, &encoded), until_close, by_length] {
            let outcome = answered(Reply::bytes(bytes));
            assert_eq!(
                outcome.json()["json_body"].to_string(),
                body,
                "{header} {outcome}"
            );
            let kept = outcome.json()["response_headers"]
                .get("Content-Encoding")
                .is_some();
            assert_eq!(kept, !header.is_empty(), "{outcome}");
        }
    });
}

#[test]
fn a_body_that_cannot_be_decoded_is_a_failure() {
    let whole = gzip(r#"{"id":"x"}"#);
    let bomb = gzip(vec![b' '; 64 << 20]);
    let cases = [
        ("gzip cut short", "gzip", whole[..whole.len() - 9].to_vec()),
        (
            "gzip damaged",
            "gzip",
            [&whole[..whole.len() - 8], &[0; 8]].concat(),
        ),
        (
            "zlib cut short",
            "deflate",
            zlib(r#"{"id":"x"}"#)[..9].to_vec(),
        ),
        (
            "raw deflate cut short",
            "deflate",
            raw_deflate(r#"{"id":"x"}"#)[..5].to_vec(),
        ),
        ("a bomb", "gzip", bomb),
        ("unknown", "br", b"xyz".to_vec()),
        (
            "more codings than two",
            "gzip, gzip, gzip",
            gzip(gzip(gzip("{}"))),
        ),
    ];
    let outcomes = each(cases, |(name, coding, body)| {
        let coding = format!("Content-Encoding: {coding}");
        let outcome = answered(Reply::bytes(response("200 OK", &[&coding], body)));
        format!("## {name}\n{outcome}")
    });
    assert_snapshot!(outcomes.join("\n\n"));
}

#[test]
fn a_body_whose_end_is_not_marked_is_whole_only_if_its_grammar_says_so() {
    let type_of = |media_type: &str| format!("Content-Type: {media_type}\r\n");
    let heads = [
        String::new(),
        type_of("application/json"),
        type_of("application/problem+json"),
        "Transfer-Encoding: identity\r\n".to_owned(),
    ];
    each(heads, |head| {
        for (body, status) in [
            ("{\"a\":1", Some(5)),
            ("[1,", Some(5)),
            ("{\"a\":1}", Some(0)),
            ("text", Some(0)),
        ] {
            let outcome = answered(Reply::bytes(format!("HTTP/1.1 200 OK\r\n{head}\r\n{body}")));
            assert_eq!(outcome.status, status, "{head}{body}: {outcome}");
        }
    });
    for coding in ["gzip", "gzip, chunked"] {
        let bytes = chunked(
            &format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\n"),
            b"{}",
        );
        let bytes = String::from_utf8(bytes)
            .unwrap()
            .replace("Transfer-Encoding: chunked\r\n", "");
        let outcome = answered(Reply::bytes(bytes));
        assert_eq!(outcome.status, Some(5), "{coding}: {outcome}");
        assert_eq!(outcome.json()["error"]["request_sent"], "unknown");
    }
}

#[test]
fn an_unreadable_refusal_is_still_told_as_one() {
    let outcome = answered(Reply::bytes(response(
        "404 Not Found",
        &["Content-Encoding: br"],
        "x",
    )));
    assert_snapshot!(outcome, @r#"
    status: 5
    stdout: {
      "error": {
        "code": "invalid_answer",
        "message": "the service answered with status 404, but the body of its answer cannot be read. The cancel was refused.",
        "retryable": false,
        "request_sent": "unknown",
        "details": [],
        "caused_by": [
          "the body has the unknown Content-Encoding \"br\""
        ]
      }
    }
    stderr: cancel-machine-action: error: action 988cc94e-7a8f-4b28-ab65-54970c5d5018: the service answered with status 404, but the body of its answer cannot be read. The cancel was refused. (Cause: the body has the unknown Content-Encoding "br")
    "#);
}

#[test]
fn a_body_beyond_the_limit_is_a_failure() {
    let outcome = answered(Reply::bytes(response(
        "200 OK",
        &[],
        vec![b'x'; (10 << 20) + 1],
    )));
    assert_eq!(outcome.status, Some(5));
    assert_eq!(outcome.json()["error"]["code"], "invalid_answer");
}

/// Blocks of fixed Huffman codes that hold nothing, ten bits each, before `body`.
fn empty_blocks(count: usize, body: &str) -> Vec<u8> {
    // Four blocks of ten bits each, the lowest bit first.
    let mut bytes = [0x02, 0x08, 0x20, 0x80, 0x00].repeat(count / 4);
    bytes.extend(raw_deflate(body));
    bytes
}

#[test]
fn empty_blocks_are_blocks() {
    let body = r#"{"status":"Cancelled"}"#;
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n";
    let outcome = answered(Reply::bytes(chunked(head, &empty_blocks(40, body))));
    assert_eq!(
        outcome.json()["json_body"]["status"],
        "Cancelled",
        "{outcome}"
    );
}

/// Some kilobytes of an answer can hold minutes of decoding, below every limit of size.
#[test]
fn decoding_ends_with_the_time_limit() {
    let blocks = empty_blocks(8_000_000, r#"{"access_token":"x","status":"Cancelled"}"#);
    let body = gzip(&blocks);
    let bytes = response("200 OK", &["Content-Encoding: deflate, gzip"], &body);
    each(["a cancel", "a sign-in"], |call| {
        let server = Server::tls([Reply::bytes(&bytes)]);
        let step = match call {
            "a cancel" => step().api_with_token(&server),
            _ => step().api(&server).signing_in_at(&server),
        };
        let outcome = step.args(["--timeout", "1"]).run();
        assert_eq!(outcome.status, Some(5), "{outcome}");
        assert_eq!(outcome.json()["error"]["code"], "timeout", "{outcome}");
        assert!(outcome.took < Duration::from_secs(4), "{:?}", outcome.took);
    });
}

#[test]
fn bytes_behind_what_was_compressed_are_not_dropped_unnoticed() {
    let body = r#"{"status":"Cancelled"}"#;
    let codings = [
        ("deflate", zlib(body)),
        ("deflate", raw_deflate(body)),
        ("gzip", gzip(body)),
    ];
    each(codings, |(coding, mut compressed)| {
        compressed.extend(b"more");
        let header = format!("Content-Encoding: {coding}");
        let outcome = answered(Reply::bytes(response("200 OK", &[&header], compressed)));
        assert_eq!(
            outcome.json()["error"]["code"],
            "invalid_answer",
            "{outcome}"
        );
    });
}

#[test]
fn what_an_unreadable_refusal_says_of_another_try_is_kept() {
    let rows = [("503 x", true), ("429 x", true), ("403 x", false)];
    each(rows, |(status, is_retryable)| {
        let headers = ["Content-Encoding: gzip", "Retry-After: 700"];
        let server = Server::tls([Reply::bytes(response(status, &headers, "no gzip"))]);
        for command in [&[][..], &["get", "988cc94e-7a8f-4b28-ab65-54970c5d5018"]] {
            let step = step().api_with_token(&server).args(command.iter().copied());
            let outcome = step.run();
            let failure = &outcome.json()["error"];
            assert_eq!(failure["retryable"], is_retryable, "{outcome}");
            assert_eq!(failure["retry_after_seconds"], 700, "{outcome}");
        }
    });
}

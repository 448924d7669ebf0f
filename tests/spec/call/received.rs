//! What the service answered is passed on whole.

use std::io::Write;
use std::time::Duration;

use cancel_machine_action::publish::schemas;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{JSON, Outcome, Reply, Server, assert_snapshot, each, response, step};

fn answered(reply: Reply) -> Outcome {
    let server = Server::tls([reply]);
    step().api_with_token(&server).run()
}

fn zlib(body: impl AsRef<[u8]>) -> Vec<u8> {
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
fn chunked(head: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
    for chunk in body.chunks(7) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n\r\n");
    bytes
}

/// The documented headers and body, as the service sends them: chunked and compressed.
#[test]
fn the_documented_answer_comes_out_as_documented() {
    let documented = schemas::documented_answer();
    let mut head = "HTTP/1.1 200 OK\r\n".to_owned();
    for (name, value) in documented["response_headers"].as_object().unwrap() {
        if name != "Transfer-Encoding" {
            head += &format!("{name}: {}\r\n", value.as_str().unwrap());
        }
    }
    let body = zlib(documented["json_body"].to_string());
    let outcome = answered(Reply::bytes(chunked(&head, &body)));
    assert_eq!(outcome.status, Some(0));
    assert_eq!(outcome.json(), documented);
    let keys: Vec<String> = outcome
        .json()
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(
        keys,
        ["status_code", "reason", "response_headers", "json_body"]
    );
}

#[test]
fn the_object_is_passed_on_to_the_letter() {
    let body = r#"{"zeta":9007199254740993,"big":123456789012345678901234567890,"float":1.10,"exp":1E+2,"alpha":null,"text":"Grüße 東京 \u00e9 \ud83d\ude00 \"q\" \\","nested":{"b":[],"a":{}},"alpha":2}"#;
    let outcome = answered(Reply::bytes(response("200 OK", &[JSON], body)));
    assert!(
        outcome
            .stdout
            .ends_with(&format!("\"json_body\":{body}}}\n")),
        "{outcome}"
    );
}

#[test]
fn white_space_of_the_service_does_not_break_the_line() {
    let body =
        "\u{feff}{\r\n\t\"a\" : [ 1,\n 2 ],\n \"s\": \"two  spaces\\n, \\\\\\\" quoted\"\n}\n";
    let outcome = answered(Reply::bytes(response("200 OK", &[JSON], body)));
    let expected = r#""json_body":{"a":[1,2],"s":"two  spaces\n, \\\" quoted"}}"#;
    assert!(
        outcome.stdout.ends_with(&format!("{expected}\n")),
        "{outcome}"
    );
}

#[test]
fn what_is_no_json_object_is_passed_on_as_text() {
    let bodies = [
        "",
        "[1,2]",
        "null",
        "\"text\"",
        "<html>Grüße</html>",
        "{\"half\":",
        "{} {}",
    ];
    each(bodies, |body| {
        let outcome = answered(Reply::bytes(response(
            "502 Bad Gateway",
            &["Content-Type: text/html"],
            body,
        )));
        assert_eq!(outcome.status, Some(1), "{outcome}");
        let answer = outcome.json();
        assert_eq!(answer["response_text"], body);
        assert!(answer.get("json_body").is_none());
    });
    let not_utf8 = answered(Reply::bytes(response(
        "200 OK",
        &[JSON],
        b"{\"a\":\"caf\xe9\"}",
    )));
    assert_eq!(not_utf8.json()["response_text"], "{\"a\":\"caf\u{fffd}\"}");
    let not_utf8 = answered(Reply::bytes(response(
        "200 OK",
        &[JSON],
        b"{\"a\":\"\xff\"}x",
    )));
    assert_eq!(not_utf8.json()["response_text"], "{\"a\":\"\u{fffd}\"}x");
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
        "retryable": true,
        "request_sent": "unknown",
        "details": [],
        "caused_by": [
          "unknown Content-Encoding \"br\""
        ]
      }
    }
    stderr: cancel-machine-action: error: the service answered with status 404, but the body of its answer cannot be read. The cancel was refused. (Cause: unknown Content-Encoding "br")
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

#[test]
fn headers_have_one_spelling_and_repeated_ones_are_joined() {
    let headers = [
        "DATE: Fri, 07 Feb 2025 10:57:23 GMT",
        "content-TYPE: application/json",
        "Mise-Correlation-Id: 1",
        "odata-version: 4.0",
        "strict-transport-security: max-age=1",
        "RETRY-after: 3",
        "x-ms-request-id: a",
        "WWW-Authenticate: Bearer",
        "Vary: Accept-Encoding",
        "vary: Origin",
        "X-Empty:",
        "X-Latin: caf\u{e9}",
    ];
    let outcome = answered(Reply::bytes(response("200 OK", &headers, "{}")));
    assert_snapshot!(outcome);
}

#[test]
fn the_reason_is_the_standard_phrase_whatever_the_wire_says() {
    let statuses = [
        200, 201, 203, 204, 302, 404, 405, 413, 418, 422, 429, 451, 500, 503, 511, 599, 799,
    ];
    let lines = each(statuses, |status| {
        let body = if status == 204 { "" } else { "{}" };
        let outcome = answered(Reply::bytes(response(
            &format!("{status} Whatever"),
            &[],
            body,
        )));
        let answer = outcome.json();
        format!(
            "{} {} {}",
            answer["status_code"],
            answer["reason"],
            outcome.status.unwrap()
        )
    });
    assert_snapshot!(lines.join("\n"));
}

#[test]
fn interim_answers_are_not_the_answer() {
    let interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    let bytes = [
        interim.as_slice(),
        &response("200 OK", &[JSON], r#"{"id":"x"}"#),
    ]
    .concat();
    let outcome = answered(Reply::bytes(bytes));
    assert_eq!(outcome.status, Some(0), "{outcome}");
    assert_eq!(outcome.json()["json_body"], json!({"id": "x"}));
}

#[test]
fn an_answer_may_come_one_byte_at_a_time() {
    let bytes = chunked(&format!("HTTP/1.1 200 OK\r\n{JSON}\r\n"), br#"{"id":"x"}"#);
    let outcome = answered(Reply::bytes("").dripping(&bytes, Duration::from_millis(2)));
    assert_eq!(outcome.status, Some(0), "{outcome}");
    assert_eq!(outcome.json()["json_body"], json!({"id": "x"}));
}

/// Any JSON value, with keys and texts of any letters.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_object_survives_unchanged(
        object in prop::collection::hash_map(any::<String>(), any_value(), 0..6),
        is_pretty in any::<bool>(),
    ) {
        let object: Value = object.into_iter().collect();
        let object = if object.is_object() { object } else { json!({}) };
        let body = if is_pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) };
        let server = Server::plain([Reply::bytes(response("200 OK", &[JSON], body.unwrap()))]);
        let outcome = step().api_with_token(&server).run();
        let answer = outcome.json();
        prop_assert_eq!(answer["json_body"].to_string(), object.to_string(), "{}", outcome);
    }
}

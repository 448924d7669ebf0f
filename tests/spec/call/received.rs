//! What the service answered is passed on whole.

use std::time::Duration;

use cancel_machine_action::publish::schemas;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::call::body::{answered, chunked, zlib};
use crate::support::{JSON, Reply, Server, assert_snapshot, each, response, step};

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
        assert_eq!(outcome.status, Some(8), "{outcome}");
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

//! The request is what the published schema says, and every violation is told at once.

use cancel_machine_action::input::Input;
use cancel_machine_action::output::generated_files;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{assert_snapshot, step};

/// Requests that are valid.
pub fn good() -> Vec<Value> {
    let with_id = |id: &str| json!({"path_parameters": {"machineactionid": id}, "json_body": {}});
    let with_comment = |comment: &str| json!({"path_parameters": {"machineactionid": "a"}, "json_body": {"Comment": comment}});
    vec![
        with_id("988cc94e-7a8f-4b28-ab65-54970c5d5018"),
        with_id("a"),
        with_id("0"),
        with_id("A.b_c~d-e"),
        with_id(&"x".repeat(128)),
        with_id("a..b"),
        with_comment(""),
        with_comment("Grüße 東京 😀 \"\\\n\u{0}"),
        with_comment(&"x".repeat(10_000)),
    ]
}

/// Requests that are not, by what is wrong with them.
pub fn bad() -> Vec<(&'static str, Value)> {
    let with_id = |id: Value| json!({"path_parameters": {"machineactionid": id}, "json_body": {}});
    let with_body =
        |body: Value| json!({"path_parameters": {"machineactionid": "a"}, "json_body": body});
    vec![
        ("null", json!(null)),
        ("a list", json!([with_body(json!({}))])),
        ("a text", json!("text")),
        ("nothing in it", json!({})),
        (
            "no body",
            json!({"path_parameters": {"machineactionid": "a"}}),
        ),
        ("no parameters", json!({"json_body": {}})),
        ("no id", json!({"path_parameters": {}, "json_body": {}})),
        (
            "another case",
            json!({"Path_Parameters": {"machineActionId": "a"}, "JSON_BODY": {"comment": "MARKER"}}),
        ),
        (
            "another case within",
            json!({"path_parameters": {"machineActionId": "a"}, "json_body": {"comment": "MARKER"}}),
        ),
        (
            "unknown keys",
            json!({"path_parameters": {"machineactionid": "a", "x": 1}, "json_body": {"y": "MARKER"}, "z": {}}),
        ),
        ("a long unknown key", with_body(json!({"k".repeat(500): 1}))),
        ("the comment is null", with_body(json!({"Comment": null}))),
        ("the comment is a number", with_body(json!({"Comment": 42}))),
        ("the body is null", with_body(json!(null))),
        ("the body is a text", with_body(json!("{}"))),
        ("the id is a number", with_id(json!(5))),
        ("the id is empty", with_id(json!(""))),
        ("the id climbs", with_id(json!("../../alerts"))),
        ("the id is a dot", with_id(json!("."))),
        ("the id has a slash", with_id(json!("a/b"))),
        ("the id is encoded", with_id(json!("%2e%2e%2Fx"))),
        ("the id has a query", with_id(json!("a?b"))),
        ("the id has a fragment", with_id(json!("a#b"))),
        ("the id breaks the line", with_id(json!("a\r\nX: y"))),
        ("the id ends with a line break", with_id(json!("a\n"))),
        ("the id is not ASCII", with_id(json!("ä"))),
        ("the id has a space", with_id(json!("a b"))),
        ("the id is too long", with_id(json!("x".repeat(129)))),
        (
            "everything",
            json!({"path_parameters": {"machineactionid": "../MARKER", "X": 1}, "json_body": {"comment": "MARKER", "Comment": ["MARKER"]}, "more": "MARKER"}),
        ),
    ]
}

#[test]
fn every_violation_is_told_with_its_place_and_never_with_its_value() {
    let outcomes: Vec<String> = bad()
        .into_iter()
        .map(|(name, request)| {
            let outcome = step().args(["--sandbox"]).stdin(request.to_string()).run();
            assert_eq!(outcome.status, Some(2), "{name}: {outcome}");
            assert!(!outcome.to_string().contains("MARKER"), "{name}: {outcome}");
            format!("## {name}\n{outcome}")
        })
        .collect();
    assert_snapshot!(outcomes.join("\n\n"));
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    let requests = [
        r#"{"path_parameters":{"machineactionid":"a","machineactionid":"b"},"json_body":{}}"#,
        r#"{"path_parameters":{"machineactionid":"../MARKER","machineactionid":"b"},"json_body":{}}"#,
        r#"{"json_body":"MARKER","json_body":{"Comment":12345,"Comment":"b","x":1},"path_parameters":{"machineactionid":"a"}}"#,
        r#"{"path_parameters":{"machineactionid":"a"},"json_body":{"x~/":[{"y":1,"y":2}]}}"#,
        r#"{"path_parameters":{"machineactionid":"a"},"json_body":{"Comment":"a","Comment":"b"}}"#,
        r#"{"path_parameters":{"machineactionid":"a"},"json_body":{},"json_body":{}}"#,
    ];
    let outcomes =
        requests.map(|request| step().args(["--sandbox"]).stdin(request).run().to_string());
    let all = outcomes.join(
        "

",
    );
    assert!(!all.contains("MARKER") && !all.contains("12345"));
    assert_snapshot!(all);
}

#[test]
fn a_failure_stays_readable_however_much_is_wrong() {
    let keys: Vec<String> = (0..50_000).map(|key| format!("\"key{key}\":0")).collect();
    let outcome = step().stdin(format!("{{{}}}", keys.join(","))).run();
    assert_eq!(outcome.status, Some(2));
    assert_eq!(
        outcome.json()["error"]["details"].as_array().unwrap().len(),
        1000
    );
    assert!(outcome.stderr.len() < 2000, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("; and 49982 more. "),
        "{}",
        outcome.stderr
    );
}

#[test]
fn twenty_violations_are_all_told_and_of_more_their_number() {
    let told = |count| {
        let keys: Vec<String> = (0..count).map(|key| format!("\"key{key}\":0")).collect();
        // Two keys are missing.
        let outcome = step().stdin(format!("{{{}}}", keys.join(","))).run();
        let stderr = outcome.stderr;
        (stderr.matches("key").count(), stderr.contains(" more. "))
    };
    assert_eq!(told(18), (18, false));
    assert!(told(19).1);
}

#[test]
fn a_duplicate_key_is_named_unless_its_name_is_too_long_to_be_shown() {
    let pointer = |length: usize| {
        let key = "k".repeat(length);
        let outcome = step().stdin(format!(r#"{{"{key}":0,"{key}":0}}"#)).run();
        let details = &outcome.json()["error"]["details"];
        let duplicate = |it: &&Value| it["message"].to_string().contains("duplicate key");
        let found = details.as_array().unwrap().iter().find(duplicate);
        found.unwrap()["pointer"].as_str().unwrap().len()
    };
    assert_eq!((pointer(100), pointer(101)), (101, 0));
}

#[test]
fn types_and_schema_accept_and_refuse_the_same() {
    let schema: Value = serde_json::from_str(generated_files::INPUT).unwrap();
    for request in good() {
        assert!(jsonschema::is_valid(&schema, &request), "{request}");
        let input: Input = serde_json::from_value(request.clone()).unwrap();
        assert_eq!(serde_json::to_value(input).unwrap(), request);
        let outcome = step().args(["--sandbox"]).stdin(request.to_string()).run();
        assert_ne!(outcome.status, Some(2), "{outcome}");
    }
    for (name, request) in bad() {
        assert!(!jsonschema::is_valid(&schema, &request), "{name}");
        assert!(serde_json::from_value::<Input>(request).is_err(), "{name}");
    }
}

/// Values that are nearly requests.
fn nearly_a_request() -> impl Strategy<Value = Value> {
    let id = prop_oneof![
        "[A-Za-z0-9][A-Za-z0-9._~-]{0,127}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!(1)),
    ];
    let key =
        |right: &'static str| prop_oneof![6 => Just(right.to_owned()), 1 => "[A-Za-z_]{1,16}"];
    let comment = prop_oneof![any::<String>().prop_map(Value::from), Just(json!(null))];
    let keys = (
        key("path_parameters"),
        key("machineactionid"),
        key("json_body"),
        key("Comment"),
    );
    (keys, id, comment).prop_map(|((parameters, id_key, body, comment_key), id, comment)| {
        json!({parameters: {id_key: id}, body: {comment_key: comment}})
    })
}

proptest! {
    #[test]
    fn types_and_schema_agree_on_anything(request in nearly_a_request()) {
        let schema: Value = serde_json::from_str(generated_files::INPUT).unwrap();
        let by_type = serde_json::from_value::<Input>(request.clone()).is_ok();
        prop_assert_eq!(jsonschema::is_valid(&schema, &request), by_type);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_bytes_get_one_json_line_and_a_documented_status(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let outcome = step().args(["--sandbox"]).stdin(&bytes).run();
        prop_assert_eq!(outcome.status, Some(2));
        prop_assert_eq!(&outcome.json()["error"]["request_sent"], "no");
    }

    #[test]
    fn any_json_gets_one_json_line_and_a_documented_status(request in nearly_a_request()) {
        let outcome = step().args(["--sandbox"]).stdin(request.to_string()).run();
        prop_assert!(matches!(outcome.status, Some(0..=2)), "{}", outcome);
        prop_assert!(outcome.json().is_object());
    }
}

#[test]
fn an_unknown_name_is_repeated_up_to_64_characters_and_a_wrong_value_by_its_type() {
    let violation = |request: &str| {
        let outcome = step().args(["--sandbox"]).stdin(request).run();
        outcome.json()["error"]["details"][0]["message"].to_string()
    };
    for (length, is_shown) in [(64, true), (65, false)] {
        let name = "x".repeat(length);
        let request = format!(
            r#"{{"path_parameters":{{"machineactionid":"a"}},"json_body":{{"{name}":1}}}}"#
        );
        let message = violation(&request);
        assert_eq!(message.contains(&name), is_shown, "{message}");
        assert_eq!(message.contains("with a long name"), !is_shown);
    }
    for value in ["1.5", "-1", "1e3"] {
        let request = format!(
            r#"{{"path_parameters":{{"machineactionid":"a"}},"json_body":{{"Comment":{value}}}}}"#
        );
        assert!(violation(&request).contains("number"), "{value}");
    }
}

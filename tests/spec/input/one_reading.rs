//! What the step accepts, any other parser of JSON accepts, too, and reads the same id and comment from it.

use cancel_machine_action::input::Input;
use cancel_machine_action::input::validate::validate_line;
use jiter::JsonValue;
use proptest::prelude::*;
use proptest::test_runner::Config;

use crate::support::{Server, step};

/// Keys that libraries give a meaning of their own, as people and as attackers write them.
const SPECIAL: [&str; 6] = [
    "$serde_json::private::RawValue",
    "\\u0024serde_json::private::RawValue",
    "$serde_json::private::Number",
    "$__serde_private_tag",
    "__proto__",
    "$ref",
];

/// `part`, wrapped in an object of one key that carries its text.
fn wrapped(key: &str, part: &str) -> String {
    let text = part.replace('\\', "\\\\").replace('"', "\\\"");
    format!("{{\"{key}\":\"{text}\"}}")
}

/// Requests with `key` around each part of them in turn, and around several.
fn requests_with(key: &str) -> Vec<String> {
    let (id, comment) = (r#""a""#, r#""b""#);
    let parameters = |id: &str| format!(r#"{{"machineactionid":{id}}}"#);
    let body = |comment: &str| format!(r#"{{"Comment":{comment}}}"#);
    let request = |parameters: &str, body: &str| {
        format!(r#"{{"path_parameters":{parameters},"json_body":{body}}}"#)
    };
    let wrap = |part: &str| wrapped(key, part);
    let plain = request(&parameters(id), &body(comment));
    vec![
        wrap(&plain),
        wrap(&wrap(&plain)),
        request(&wrap(&parameters(id)), &body(comment)),
        request(&parameters(&wrap(id)), &body(comment)),
        request(&parameters(id), &wrap(&body(comment))),
        request(&parameters(id), &body(&wrap(comment))),
        request(&parameters(id), &format!(r#"{{"{key}":"b"}}"#)),
        wrap(r#"{"path_parameters":{"machineactionid":"a","machineactionid":"b"},"json_body":{}}"#),
        format!(r#"{{"{key}":"x",{}"#, plain.trim_start_matches('{')),
    ]
}

#[test]
fn no_key_has_a_meaning_for_one_library_only() {
    let requests: Vec<String> = SPECIAL.into_iter().flat_map(requests_with).collect();
    let server = Server::answering(&[]);
    let batch = step()
        .api_with_token(&server)
        .args(["--batch"])
        .stdin(requests.join("\n"))
        .run();
    assert_eq!(batch.status, Some(2), "{batch}");
    assert_eq!(batch.stdout.lines().count(), requests.len());
    assert!(!batch.stdout.contains("status_code"), "{batch}");
    for request in requests_with(SPECIAL[0]) {
        let outcome = step().api_with_token(&server).stdin(&request).run();
        assert_eq!(outcome.status, Some(2), "{request}: {outcome}");
    }
    assert_eq!(server.received(), [""; 0]);
}

/// The id and the comment of `request`, as another library reads them; `None` if it is none that the schema allows.
fn read_by_another(request: &[u8]) -> Option<(String, Option<String>)> {
    let request = JsonValue::parse(request, false).ok()?;
    let [parameters, body] = members(&request, ["path_parameters", "json_body"])?;
    let [id] = members(parameters?, ["machineactionid"])?;
    let [comment] = members(body?, ["Comment"])?;
    let text = |value: &JsonValue<'_>| match value {
        JsonValue::Str(text) => Some(text.to_string()),
        _ => None,
    };
    Some((
        text(id?)?,
        comment
            .map(text)
            .map_or(Some(None), |text| text.map(Some))?,
    ))
}

/// The members of an object that has no others, and none twice.
fn members<'a, const N: usize>(
    object: &'a JsonValue<'a>,
    names: [&str; N],
) -> Option<[Option<&'a JsonValue<'a>>; N]> {
    let JsonValue::Object(object) = object else {
        return None;
    };
    let found = names.map(|wanted| {
        let mut found = object.iter().filter(|(name, _)| *name == wanted);
        found.next().filter(|_| found.next().is_none())
    });
    let count = found.iter().flatten().count();
    (count == object.len()).then(|| found.map(|found| found.map(|(_, value)| value)))
}

fn read_by_us(request: &[u8]) -> Option<(String, Option<String>)> {
    let Input {
        path_parameters,
        json_body,
    } = validate_line(str::from_utf8(request).ok()?).ok()?;
    Some((
        path_parameters.machineactionid.as_str().to_owned(),
        json_body.comment,
    ))
}

/// A key or a text as JSON, some of its letters escaped.
fn spelled(text: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (text, any::<u64>()).prop_map(|(text, escaped)| {
        let spell = |(index, letter): (usize, char)| {
            let mut units = [0; 2];
            let is_escaped =
                escaped >> (index % 64) & 1 == 1 || letter < ' ' || "\"\\".contains(letter);
            match is_escaped {
                true => letter
                    .encode_utf16(&mut units)
                    .iter()
                    .map(|unit| format!("\\u{unit:04x}"))
                    .collect(),
                false => letter.to_string(),
            }
        };
        let letters: String = text.chars().enumerate().map(spell).collect();
        format!("\"{letters}\"")
    })
}

fn key(right: &'static str) -> impl Strategy<Value = String> {
    let special = prop::sample::select(&SPECIAL[..]);
    spelled(prop_oneof![
        30 => Just(right.to_owned()),
        1 => special.prop_map(|key| key.replace("\\u0024", "$")),
        1 => "[a-zA-Z]{1,5}",
    ])
}

/// An object of one member; at times of none, or with that member again.
fn object(member: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let white_space = prop::sample::select(vec!["", "", "", " ", "\t", "\r\n"]);
    (member, 0_u8..40, white_space).prop_map(|(member, chance, space)| {
        let members = match chance {
            0 => String::new(),
            1 => format!("{member}{space},{member}"),
            _ => member,
        };
        format!("{{{space}{members}{space}}}")
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        20 => spelled("[A-Za-z0-9][A-Za-z0-9._~-]{0,40}"),
        2 => spelled(any::<String>()),
        1 => Just("\"\\ud800\"".to_owned()),
        1 => Just("null".to_owned()),
        1 => Just("1e999".to_owned()),
        1 => Just("[{\"a\":[]}]".to_owned()),
    ]
}

fn member(
    right: &'static str,
    value: impl Strategy<Value = String>,
) -> impl Strategy<Value = String> {
    (key(right), value).prop_map(|(key, value)| format!("{key}:{value}"))
}

/// Requests, and what is nearly one: keys of other meanings, other spellings, a member too many, bytes that are changed.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let parts = (
        member(
            "path_parameters",
            object(member("machineactionid", text())).boxed(),
        ),
        member("json_body", object(member("Comment", text())).boxed()),
        any::<bool>(),
    );
    let request = parts.prop_map(|(parameters, body, turned)| match turned {
        true => format!("{{{body},{parameters}}}"),
        false => format!("{{{parameters},{body}}}"),
    });
    let whole = (request, 0_u8..9).prop_map(|(request, chance)| match chance {
        0 => wrapped(SPECIAL[0], &request),
        _ => request,
    });
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..6), 0..2);
    (whole, changes).prop_map(|(request, changes)| {
        let mut bytes = request.into_bytes();
        for (at, byte, kind) in changes {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, byte),
                _ => {}
            }
            bytes.push(b' ');
        }
        bytes
    })
}

proptest! {
    #![proptest_config(Config::with_cases(4096))]

    #[test]
    fn whatever_is_accepted_says_the_same_to_another_parser(request in request()) {
        if let Some(ours) = read_by_us(&request) {
            prop_assert_eq!(Some(ours), read_by_another(&request));
        }
    }
}

#[test]
fn the_oracle_accepts_what_is_plain() {
    let request = crate::support::REQUEST.as_bytes();
    assert!(read_by_us(request).is_some());
    assert_eq!(read_by_us(request), read_by_another(request));
}

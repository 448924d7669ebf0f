//! Text becomes an [`Input`], or every reason why not.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use crate::error::{Failure, FailureCode, Violation};
use crate::input::{Input, MachineActionId};
use crate::published;

/// The published schema, compiled when the program is built.
#[jsonschema::validator(path = "schema/input.schema.json")]
struct Schema;

/// The longest name of an unknown property that a message repeats, in characters.
const MAX_SHOWN_NAME: usize = 64;

/// The request that `text` carries.
///
/// # Errors
///
/// The text is not JSON, or violates the schema: every violation is listed, none with the value it is about.
pub fn validate(text: &str) -> Result<Input, Failure> {
    let value: Value = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    if !Schema::is_valid(&value) {
        return Err(invalid(violations(&value)));
    }
    // From the text, not from the value: the value has lost the first of two keys of one name, and with it the id that
    // a check before this step may have looked at.
    serde_json::from_str(text)
        .map_err(|error| invalid(vec![Violation::of_request("", describe_mismatch(&error))]))
}

fn not_json(error: &serde_json::Error) -> Failure {
    Failure::new(
        FailureCode::InvalidInput,
        format!(
            "the request is not JSON: {error}. See `cancel-machine-action sample` for one that is."
        ),
    )
}

fn invalid(violations: Vec<Violation>) -> Failure {
    Failure::of_violations(
        FailureCode::InvalidInput,
        "the request is not valid",
        violations,
        "Nothing was sent; `cancel-machine-action schema input` tells what is expected.",
    )
}

/// What a value that the schema accepts can still have wrong: a key that stands twice.
fn describe_mismatch(error: &serde_json::Error) -> String {
    format!("has a {error}: every key may stand only once")
}

fn violations(value: &Value) -> Vec<Violation> {
    let mut violations = Vec::new();
    for error in Schema::iter_errors(value) {
        let pointer = error.instance_path().as_str();
        let mut add = |message: String| violations.push(Violation::of_request(pointer, message));
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                add(format!("lacks the property {property}"));
            }
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let known = known_properties(error.schema_path().as_str());
                for name in unexpected {
                    add(describe_unknown(name, &known));
                }
            }
            ValidationErrorKind::Type {
                kind: TypeKind::Single(expected),
            } => add(format!(
                "must be of type {expected}, not {}",
                type_name(error.instance())
            )),
            ValidationErrorKind::Pattern { .. } => add(MachineActionId::RULE.to_owned()),
            _ => add(error.masked().to_string()),
        }
    }
    violations
}

/// The names of the properties that stand beside the keyword at `schema_path`.
fn known_properties(schema_path: &str) -> Vec<String> {
    let parent = schema_path
        .rsplit_once('/')
        .map_or("", |(parent, _)| parent);
    let schema: Value = serde_json::from_str(published::INPUT).unwrap_or_default();
    schema
        .pointer(&format!("{parent}/properties"))
        .and_then(Value::as_object)
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default()
}

fn describe_unknown(name: &str, known: &[String]) -> String {
    let shown = if name.chars().count() > MAX_SHOWN_NAME {
        "with a long name".to_owned()
    } else {
        Value::from(name).to_string()
    };
    match known.iter().find(|known| known.eq_ignore_ascii_case(name)) {
        Some(meant) => format!("has the unknown property {shown} (did you mean \"{meant}\"?)"),
        None => format!("has the unknown property {shown}"),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

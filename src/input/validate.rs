//! Text becomes an [`Input`], or every reason why not.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde::Deserialize;
use serde_json::Value;

use super::invalid::{invalid, not_json};
use super::reading::Reading;
use super::{Input, MachineActionId};
use crate::output::failure::{Failure, FailureCode};
use crate::output::generated_files;
use crate::output::violation::{Violation, Violations};

/// The published schema, compiled when the program is built.
#[jsonschema::validator(path = "schema/input.schema.json", pattern_options = { engine = regex })]
struct Schema;

/// The longest name of an unknown property that a message repeats, in characters.
const MAX_SHOWN_NAME: usize = 64;

/// Reads the request that `text`, a line of a batch, carries. Fails if it is not JSON, violates the schema, or has a
/// key twice.
pub fn validate_line(text: &str) -> Result<Input, Failure> {
    let reading = whole(text)?;
    match output_of_a_step(&reading.value) {
        Some(what) => Err(invalid(format!(
            "this line is {what} of the step before it in the pipe, and not a request. If that step is `list`, its list is \
             incomplete: see what it says, and list again. Nothing was sent for this line."
        ))),
        None => validate(reading),
    }
}

/// Reads the request that `text`, what an agent gave, carries. Fails likewise.
pub(crate) fn validate_arguments(text: &str) -> Result<Input, Failure> {
    validate(whole(text)?)
}

fn whole(text: &str) -> Result<Reading, Failure> {
    let mut json = serde_json::Deserializer::from_str(text);
    let reading = Reading::of(&mut json).and_then(|reading| json.end().map(|()| reading));
    reading.map_err(|error| not_json("the request", &error))
}

/// Says what `value` is, if a step, or a list that is not whole, wrote it.
fn output_of_a_step(value: &Value) -> Option<&'static str> {
    match value {
        _ if value.get("path_parameters").is_some() => None,
        _ if value.get("error").is_some_and(Value::is_object) => Some("the failure"),
        _ if value.get("status_code").is_some() => Some("an answer"),
        _ => None,
    }
}

/// Returns the request that was read, or every way in which it violates the schema or has a key twice, none with the
/// value it is about.
pub(crate) fn validate(reading: Reading) -> Result<Input, Failure> {
    let Reading {
        value,
        repeated: mut violations,
    } = reading;
    if !Schema::is_valid(&value) {
        add_schema_violations(&value, &mut violations);
    }
    if !violations.is_empty() {
        return Err(violated(violations));
    }
    // Types and schema accept the same, which a test holds; what serde would say might repeat a value.
    Input::deserialize(value).map_err(|_| {
        violated(vec![Violation::of_request(
            "",
            "cannot be read as a request",
        )])
    })
}

fn violated(violations: impl Into<Violations>) -> Failure {
    Failure::of_violations(
        FailureCode::InvalidInput,
        "the request is not valid",
        violations,
        "Nothing was sent; `cancel-machine-action schema input` describes a valid request.",
    )
}

fn add_schema_violations(value: &Value, violations: &mut Violations) {
    for error in Schema::iter_errors(value) {
        let pointer = error.instance_path().as_str();
        let mut add = |message: String| violations.add(|| Violation::of_request(pointer, message));
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                add(format!("lacks the property {property}"));
            }
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let known = known_properties(error.schema_path().as_str());
                for name in unexpected {
                    violations
                        .add(|| Violation::of_request(pointer, describe_unknown(name, &known)));
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
}

/// The names of the properties that stand beside the keyword at `schema_path`.
fn known_properties(schema_path: &str) -> Vec<String> {
    let parent = schema_path
        .rsplit_once('/')
        .map_or("", |(parent, _)| parent);
    let schema: Value = serde_json::from_str(generated_files::INPUT).unwrap_or_default();
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

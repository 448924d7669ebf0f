//! A plugin of Rapid7 InsightConnect.

use serde_json::{Map, Value, json};

use super::fields::{self, Field, Kind, title};
use super::parameters::{self, Parameter};
use crate::input::example_with_comment;
use crate::output::answer::Verdict;
use crate::publish::manifest::{DOCUMENTATION, Manifest};
use crate::publish::schemas::documented_answer;

/// The plugin's own version: Rapid7 counts from 1.0.0.
const VERSION: &str = "1.0.0";

/// The plugin's specification, version 2. Source: Rapid7's public plugins.
pub(super) fn plugin() -> Value {
    let Manifest {
        name,
        slug,
        product,
        description,
        permissions,
        ..
    } = Manifest::current();
    let answer = example_answer();
    let snake = slug.replace('-', "_");
    let mut connection = Map::new();
    for parameter in parameters::all() {
        connection.insert(parameter.name(), connection_field(&parameter));
    }
    json!({
        "plugin_spec_version": "v2",
        "extension": "plugin",
        "products": ["insightconnect"],
        "name": snake,
        "title": name,
        "description": without_full_stop(description),
        "version": VERSION,
        "supported_versions": [product],
        "vendor": "community",
        "support": "community",
        "status": [],
        // A plugin that starts a program is not let into the vendor's cloud: it runs on an orchestrator.
        "cloud_ready": false,
        "sdk": {"type": "slim", "version": "6.6.0", "user": "nobody"},
        "enable_cache": false,
        "connection_version": 1,
        "resources": {"vendor_url": "https://www.microsoft.com", "source_url": DOCUMENTATION},
        "tags": ["microsoft", "defender", "endpoint"],
        "hub_tags": {
            "use_cases": ["threat_detection_and_response"],
            "keywords": ["microsoft", "defender", "endpoint"],
            "features": [],
        },
        "key_features": [without_full_stop(description)],
        "requirements": [
            format!("The program {slug} on the plugin's path"),
            format!("An application permission, one of: {}", permissions.any_of.join(", ")),
        ],
        "version_history": [format!("{VERSION} - Initial plugin")],
        "links": [format!("[{product}](https://www.microsoft.com)")],
        "references": [format!("[{name}]({DOCUMENTATION})")],
        "troubleshooting": ["Each error message says what to do"],
        "types": {"machine_action": outputs(&fields::of_action(), answer.get("json_body").unwrap_or(&Value::Null))},
        "connection": connection,
        "actions": {
            (&snake): {
                "title": name,
                "description": without_full_stop(description),
                "input": inputs(),
                "output": outputs(&fields::top_of_answer(), &answer),
            },
        },
    })
}

fn connection_field(parameter: &Parameter) -> Value {
    let field = json!({
        "title": title(&parameter.name()),
        "description": without_full_stop(&parameter.description()),
        "type": match parameter {
            Parameter { is_secret: true, .. } => "credential_secret_key",
            Parameter { is_switch: true, .. } => "boolean",
            Parameter { .. } => "string",
        },
        "required": false,
        "example": match parameter.is_secret {
            true => json!({"secretKey": parameter.example}),
            false => json!(parameter.example),
        },
    });
    parameter.completed(field, "default", "enum")
}

fn inputs() -> Map<String, Value> {
    let example = json!(example_with_comment());
    let mut inputs = Map::new();
    for field in fields::of_request() {
        let place = format!("/{}", field.path.join("/"));
        if let Some(kind) = type_name(&field) {
            let input = described(&field, kind, example.pointer(&place));
            inputs.insert(field.snake_name(), input);
        }
    }
    inputs
}

/// The runtime checks what is put out against these: a field that may be of more than one type is left out, which keeps
/// it from the check and not from the output.
fn outputs(fields: &[Field], example: &Value) -> Map<String, Value> {
    let mut outputs = Map::new();
    for field in fields {
        if let Some(kind) = type_name(field) {
            let output = described(field, kind, example.get(field.name()));
            outputs.insert(field.name().to_owned(), output);
        }
    }
    outputs
}

fn described(field: &Field, kind: &str, example: Option<&Value>) -> Value {
    json!({
        "title": field.title(),
        "description": without_full_stop(field.description()),
        "type": kind,
        "required": field.required,
        "example": example.unwrap_or(&json!("")),
    })
}

/// What Rapid7 calls the field's type, if it has one.
fn type_name(field: &Field) -> Option<&'static str> {
    match (field.name(), field.kind()) {
        ("json_body", _) => Some("machine_action"),
        // It is a number only where a gateway refuses, and a refusal is an error, not an output.
        ("status", _) | (_, Kind::Text) => Some("string"),
        (_, Kind::Integer) => Some("integer"),
        (_, Kind::Object) => Some("object"),
        (_, Kind::List | Kind::Any) => None,
    }
}

/// The documented answer, with what it has not.
fn example_answer() -> Value {
    let mut answer = documented_answer();
    if let Some(answer) = answer.as_object_mut() {
        answer.insert("response_text".to_owned(), json!("Bad Gateway"));
        answer.insert("outcome".to_owned(), json!(Verdict::Cancelled));
    }
    answer
}

/// As Rapid7's validators have descriptions.
fn without_full_stop(text: &str) -> &str {
    text.strip_suffix('.').unwrap_or(text)
}

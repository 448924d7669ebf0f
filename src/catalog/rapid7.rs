//! A plugin of Rapid7 InsightConnect.

use serde_json::{Map, Value, json};

use super::DOCUMENTATION;
use super::fields::{self, Field, Kind, title};
use super::parameters::{self, Parameter};
use crate::input::example_with_comment;
use crate::manifest::Manifest;
use crate::schema::documented_answer;
use crate::wait::Outcome;

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
        "requirements": [format!("An application permission, one of: {}", permissions.any_of.join(", "))],
        "version_history": [format!("{VERSION} - Initial plugin")],
        "links": [format!("[{product}](https://www.microsoft.com)")],
        "references": [format!("[{name}]({DOCUMENTATION})")],
        "troubleshooting": ["What an error says tells what to do"],
        "types": {"machine_action": outputs(&fields::of_entity())},
        "connection": connection,
        "actions": {
            (&snake): {
                "title": name,
                "description": without_full_stop(description),
                "input": inputs(),
                "output": outputs(&fields::top_of_answer()),
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
        let input = json!({
            "title": field.title(),
            "description": without_full_stop(field.description()),
            "type": "string",
            "required": field.required,
            "example": example_in(&example, &field),
        });
        inputs.insert(field.snake_name(), input);
    }
    inputs
}

/// The runtime checks what is put out against these: a field that may be of more than one type is left out, which keeps
/// it from the check and not from the output.
fn outputs(fields: &[Field]) -> Map<String, Value> {
    let mut answer = documented_answer();
    if let Some(answer) = answer.as_object_mut() {
        answer.insert("response_text".to_owned(), json!("Bad Gateway"));
        answer.insert("outcome".to_owned(), json!(Outcome::Cancelled));
    }
    let mut outputs = Map::new();
    for field in fields {
        let kind = match (field.name(), field.kind()) {
            ("json_body", _) => "machine_action",
            (_, Kind::Text) => "string",
            (_, Kind::Integer) => "integer",
            (_, Kind::Object) => "object",
            (_, Kind::List | Kind::Any) => continue,
        };
        let output = json!({
            "title": field.title(),
            "description": without_full_stop(field.description()),
            "type": kind,
            "required": field.required,
            "example": example_in(&answer, field),
        });
        outputs.insert(field.name().to_owned(), output);
    }
    outputs
}

/// As Rapid7's validators have descriptions.
fn without_full_stop(text: &str) -> &str {
    text.strip_suffix('.').unwrap_or(text)
}

fn example_in(document: &Value, field: &Field) -> Option<Value> {
    document
        .pointer(&format!("/{}", field.path.join("/")))
        .cloned()
}

//! A plugin of Rapid7 InsightConnect.

use serde_json::{Map, Value, json};

use super::DOCUMENTATION;
use super::fields::{self, Field, Kind};
use super::parameters::{self, Parameter};
use crate::input::example_with_comment;
use crate::manifest::Manifest;

/// The plugin's specification, version 2. Source: Rapid7's public plugins.
pub(super) fn plugin() -> Value {
    let Manifest {
        name,
        slug,
        version,
        product,
        description,
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
        "description": description,
        "version": version,
        "supported_versions": [product],
        "vendor": "rapid7",
        "support": "community",
        "status": [],
        "cloud_ready": false,
        "resources": {"vendor_url": "https://www.microsoft.com", "docs_url": DOCUMENTATION},
        "tags": ["microsoft", "defender", "endpoint"],
        "hub_tags": {
            "use_cases": ["threat_detection_and_response"],
            "keywords": ["microsoft", "defender", "endpoint"],
            "features": [],
        },
        "types": {"machine_action": outputs(&fields::of_entity())},
        "connection": connection,
        "actions": {
            (&snake): {
                "title": name,
                "description": description,
                "input": inputs(),
                "output": outputs(&fields::top_of_answer()),
            },
        },
    })
}

fn connection_field(parameter: &Parameter) -> Value {
    let field = json!({
        "title": parameter.variable,
        "description": parameter.description(),
        "type": match parameter {
            Parameter { is_secret: true, .. } => "credential_secret_key",
            Parameter { is_switch: true, .. } => "boolean",
            Parameter { .. } => "string",
        },
        "required": false,
    });
    parameter.completed(field, "default", "enum")
}

fn inputs() -> Map<String, Value> {
    let example = json!(example_with_comment());
    let mut inputs = Map::new();
    for field in fields::of_request() {
        let input = json!({
            "title": title(&field),
            "description": field.description(),
            "type": "string",
            "required": field.required,
            "example": example.pointer(&format!("/{}", field.path.join("/"))),
        });
        inputs.insert(field.name().to_lowercase(), input);
    }
    inputs
}

/// The runtime checks what is put out against these: a field that may be of more than one type is left out, which keeps
/// it from the check and not from the output.
fn outputs(fields: &[Field]) -> Map<String, Value> {
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
            "title": title(field),
            "description": field.description(),
            "type": kind,
            "required": field.required,
        });
        outputs.insert(field.name().to_owned(), output);
    }
    outputs
}

fn title(field: &Field) -> String {
    let mut letters = field.name().chars();
    letters.next().map_or_else(String::new, |first| {
        format!("{}{}", first.to_uppercase(), letters.as_str())
    })
}

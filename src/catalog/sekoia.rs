//! A module of Sekoia's playbooks: its manifest and its one action.

use serde_json::{Map, Value, json};

use super::fields::{self, Field};
use super::parameters;
use crate::manifest::Manifest;

/// The module: what an operator sets once. Source: Sekoia's public automation library.
pub(super) fn manifest() -> Value {
    let Manifest {
        name,
        slug,
        version,
        description,
        ..
    } = Manifest::current();
    let mut properties = Map::new();
    let mut secrets = Vec::new();
    for parameter in parameters::all() {
        let property = json!({
            "title": parameter.variable,
            "description": parameter.description(),
            "type": if parameter.is_switch { "boolean" } else { "string" },
        });
        properties.insert(
            parameter.name(),
            parameter.completed(property, "default", "enum"),
        );
        if parameter.is_secret {
            secrets.push(parameter.name());
        }
    }
    json!({
        "uuid": "6d3b5f0e-8c1c-4b6e-9a55-2f1f4f0f5c1d",
        "slug": slug,
        "name": name,
        "version": version,
        "description": description,
        "categories": ["Endpoint"],
        "configuration": {
            "title": format!("{name}: settings"),
            "type": "object",
            "properties": properties,
            "required": [],
            "secrets": secrets,
        },
    })
}

/// The action: its arguments are named as in Sekoia's own catalog, where both are required.
pub(super) fn action() -> Value {
    let Manifest {
        name, description, ..
    } = Manifest::current();
    let mut arguments = Map::new();
    for field in fields::of_request() {
        arguments.insert(argument(&field), json!(field.schema));
    }
    let required: Vec<&String> = arguments.keys().collect();
    json!({
        "uuid": "b8b1d4a2-3f0d-4d0a-8d3c-5b8f7a6e4c2b",
        "slug": "cancel_machine_action",
        "name": name,
        "description": description,
        "docker_parameters": "cancel_machine_action",
        "arguments": {
            "title": "Arguments",
            "type": "object",
            "properties": arguments,
            "required": required,
        },
        "results": {
            "title": "Results",
            "type": "object",
            "properties": fields::entity().get("properties"),
        },
    })
}

fn argument(field: &Field) -> String {
    match field.name() {
        "machineactionid" => "action_id".to_owned(),
        name => name.to_lowercase(),
    }
}

//! A module of Sekoia's playbooks: its manifest and its one action.

use serde_json::{Map, Value, json};

use super::fields::{self, Field};
use super::parameters::{self, Parameter};
use crate::publish::manifest::Manifest;

/// The module: what an operator sets once. Source: Sekoia's public automation library.
pub(super) fn manifest() -> Value {
    let Manifest {
        name,
        slug,
        version,
        description,
        ..
    } = Manifest::current();
    let parameters = parameters::all();
    let properties: Map<_, _> = parameters
        .iter()
        .map(|parameter| (parameter.name(), property(parameter)))
        .collect();
    let secrets = parameters.iter().filter(|parameter| parameter.is_secret);
    json!({
        "uuid": "22d4bdda-1a44-43d1-91c3-50a9550dbf65",
        "slug": slug,
        "name": name,
        "version": version,
        "description": format!("{description} The module's image must have the program {slug} on its path."),
        "categories": ["Endpoint"],
        "configuration": {
            "title": format!("{name}: settings"),
            "type": "object",
            "properties": properties,
            "required": [],
            "secrets": secrets.map(Parameter::name).collect::<Vec<_>>(),
        },
    })
}

fn property(parameter: &Parameter) -> Value {
    let mut property = json!({
        "title": parameter.variable,
        "description": parameter.description(),
        "type": "string",
    });
    // Sekoia's runner for developers hands over text alone.
    if parameter.is_switch
        && let Some(property) = property.as_object_mut()
    {
        property.insert("enum".to_owned(), json!(["false", "true"]));
    }
    parameter.completed(property, "default", "enum")
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
        "uuid": "cbfad771-d692-5730-936c-43f29c52b0fa",
        "name": name,
        "description": description,
        // By this name the module's program knows the action.
        "docker_parameters": "CancelMachineAction",
        "arguments": {
            "title": "Arguments",
            "type": "object",
            "properties": arguments,
            "required": required,
        },
        "results": {
            "title": "Results",
            "type": "object",
            "properties": results(),
            "required": ["retryable"],
        },
    })
}

/// The machine action's keys, as in Sekoia's own catalog, and what a playbook needs to know of the outcome, and to try again.
fn results() -> Map<String, Value> {
    let mut results = Map::new();
    let status = fields::top_of_answer()
        .into_iter()
        .filter(|field| ["status_code", "outcome"].contains(&field.name()));
    let advice = fields::of_failure()
        .into_iter()
        .filter(|field| field.name().starts_with("retry"));
    for field in fields::of_action().into_iter().chain(status).chain(advice) {
        results.insert(field.name().to_owned(), Value::Object(field.schema));
    }
    results
}

fn argument(field: &Field) -> String {
    match field.name() {
        "machineactionid" => "action_id".to_owned(),
        name => name.to_lowercase(),
    }
}

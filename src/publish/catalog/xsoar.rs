//! An integration of Cortex XSOAR.

use serde_json::{Map, Value, json};

use super::fields::{self, Field, Kind, title};
use super::parameters::{self, Parameter};
use crate::publish::manifest::Manifest;

/// What begins the path of every output in the playbook's context.
const CONTEXT: &str = "CancelMachineAction";

/// The integration. Source: the public content repository's integrations, and the model that checks them.
pub(super) fn integration() -> Value {
    let Manifest {
        name,
        slug,
        description,
        effect,
        ..
    } = Manifest::current();
    let outputs: Vec<Value> = fields::of_answer().iter().filter_map(output).collect();
    json!({
        "commonfields": {"id": name, "version": -1},
        "name": name,
        "display": name,
        "category": "Endpoint",
        "description": format!("{description} The image must have the program {slug} on its path."),
        "configuration": parameters::all().iter().map(param).collect::<Vec<_>>(),
        "script": {
            "type": "python",
            "subtype": "python3",
            "script": script(),
            "dockerimage": "demisto/python3:3.11.10.115186",
            "commands": [{
                "name": slug,
                "description": description,
                "arguments": fields::of_request().iter().map(argument).collect::<Vec<_>>(),
                "outputs": outputs,
                // Asks a person before it is run by hand.
                "execution": effect.destructive,
            }],
        },
        "fromversion": "6.10.0",
        "tests": ["No tests (auto formatted)"],
    })
}

/// The program that the integration runs: it starts the step, which must be in the image.
fn script() -> String {
    let places: Map<String, Value> = fields::of_request()
        .iter()
        .map(|field| (field.snake_name(), json!(field.path)))
        .collect();
    let arguments = format!("ARGUMENTS = {}", Value::Object(places));
    include_str!("xsoar.py").replace("ARGUMENTS = {}", &arguments)
}

/// A secret is the password of a pair of credentials, which XSOAR can take from a vault.
fn param(parameter: &Parameter) -> Value {
    const SHORT_TEXT: u8 = 0;
    const BOOLEAN: u8 = 8;
    const CREDENTIALS: u8 = 9;
    const SINGLE_SELECT: u8 = 15;
    let (label, kind) = match parameter {
        Parameter {
            is_secret: true, ..
        } => ("displaypassword", CREDENTIALS),
        Parameter {
            is_switch: true, ..
        } => ("display", BOOLEAN),
        Parameter { values: [], .. } => ("display", SHORT_TEXT),
        Parameter { .. } => ("display", SINGLE_SELECT),
    };
    let mut param = json!({
        "name": parameter.name(),
        (label): title(&parameter.name()),
        "additionalinfo": parameter.description(),
        "type": kind,
        "required": false,
    });
    if parameter.is_secret
        && let Some(param) = param.as_object_mut()
    {
        param.insert("hiddenusername".to_owned(), true.into());
    }
    parameter.completed(param, "defaultvalue", "options")
}

fn argument(field: &Field) -> Value {
    json!({
        "name": field.snake_name(),
        "description": field.description(),
        "required": field.required,
    })
}

/// A dot divides the keys of a path: what has one in its name cannot be named, but is in the answer all the same.
fn output(field: &Field) -> Option<Value> {
    let can_be_named = field.path.iter().all(|key| !key.contains('.'));
    can_be_named.then(|| {
        json!({
            "contextPath": format!("{CONTEXT}.{}", field.path.join(".")),
            "description": field.description(),
            "type": match field.kind() {
                Kind::Text if field.name().ends_with("DateTimeUtc") => "Date",
                Kind::Text => "String",
                Kind::Integer => "Number",
                Kind::List | Kind::Object | Kind::Any => "Unknown",
            },
        })
    })
}

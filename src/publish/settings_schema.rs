//! The schema of the settings, for a catalog's form. There is no type to generate it from: it comes from the same table
//! as `--help`.

use schemars::{Schema, json_schema};
use serde_json::{Map, Value, json};

use crate::settings::options::{self, OptionSpec};
use crate::settings::variables::{self, Setting};

/// The environment variables, as the properties of an object.
pub(super) fn settings() -> Schema {
    json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Cancel Machine Action: settings",
        "description": "Environment variables that an operator sets. Those marked writeOnly are secrets. They must give \
                        exactly one method to sign in, or MDE_AUTH must name it.",
        "type": "object",
        "properties": properties(),
        "examples": [{
            "AZURE_TENANT_ID": "11111111-2222-3333-4444-555555555555",
            "AZURE_CLIENT_ID": "66666666-7777-8888-9999-000000000000",
            "AZURE_CLIENT_SECRET_FILE": "/run/secrets/client-secret",
        }],
    })
}

fn properties() -> Map<String, Value> {
    let mut properties = Map::new();
    for setting in variables::SETTINGS {
        properties.insert(setting.name.to_owned(), of_setting(setting));
        if setting.has_file_twin {
            let about = format!("file with the value of {}", setting.name);
            let twin = json!({"type": "string", "description": about});
            properties.insert(setting.file_twin(), twin);
        }
    }
    for option in options::OPTIONS {
        properties.insert(option.setting.to_owned(), of_option(option));
    }
    properties
}

fn of_setting(setting: &Setting) -> Value {
    let mut schema = Map::new();
    let mut add = |key: &str, value| schema.insert(key.to_owned(), value);
    add("type", json!("string"));
    add("description", json!(setting.about));
    if setting.is_secret {
        add("writeOnly", json!(true));
    }
    if !setting.values.is_empty() {
        add("enum", json!(setting.values));
    }
    if let Some(default) = setting.default {
        add("default", json!(default));
    }
    add("examples", json!([setting.example]));
    Value::Object(schema)
}

fn of_option(option: &OptionSpec) -> Value {
    let about = format!("{}: {}", option.name, option.about);
    match option.value {
        Some(_) => {
            json!({"type": "string", "description": about, "pattern": option.pattern})
        }
        None => json!({
            "type": "string",
            "description": about,
            "enum": ["1", "true", "yes", "on", "0", "false", "no", "off"],
        }),
    }
}

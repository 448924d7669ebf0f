//! The schemas and the manifest: generated from the types, to be committed and published as they are.
//!
//! They are JSON Schema 2020-12, but use only keywords to which Draft-07 gives the same meaning, because some catalogs
//! still read with a Draft-07 validator.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use crate::input::{Input, example_with_comment};
use crate::output::answer::Answer;
use crate::output::document::FailureDocument;
use crate::output::failure::{Failure, FailureCode, RequestSent};
use crate::output::violation::Violation;
use crate::publish::catalog;
use crate::publish::manifest::Manifest;
use crate::settings::table::{self, OptionSpec, Setting};
use crate::step::check::Report;

/// Every generated file: its path from the project's root, and what stands in it. One that ends in `.json` is JSON, the
/// others are YAML.
#[must_use]
pub fn files() -> BTreeMap<&'static str, Value> {
    let mut files = BTreeMap::from([
        ("schema/input.schema.json", json!(input())),
        ("schema/output.schema.json", json!(output())),
        ("schema/error.schema.json", json!(error())),
        ("schema/settings.schema.json", json!(settings_schema())),
        ("schema/check.schema.json", json!(check())),
        ("schema/manifest.schema.json", json!(manifest())),
        ("schema/sample.json", json!(example_with_comment())),
        ("manifest.json", json!(Manifest::current())),
    ]);
    files.extend(catalog::entries());
    files
}

/// What a playbook sends.
#[must_use]
pub fn input() -> Schema {
    generate::<Input>(SchemaSettings::draft2020_12().for_deserialize())
}

/// What a playbook gets when the service has answered.
#[must_use]
pub fn output() -> Schema {
    let mut schema = generate::<Answer>(SchemaSettings::draft2020_12().for_serialize());
    schema.insert("examples".to_owned(), json!([documented_answer()]));
    schema
}

/// What a playbook gets when there is no answer.
#[must_use]
pub fn error() -> Schema {
    let mut schema =
        generate::<FailureDocument<'_>>(SchemaSettings::draft2020_12().for_serialize());
    let misspelt = Failure::of_violations(
        FailureCode::InvalidInput,
        "the request is not valid",
        vec![Violation::of_request(
            "/json_body",
            "has the unknown property \"comment\" (did you mean \"Comment\"?)",
        )],
        "Nothing was sent; `cancel-machine-action schema input` tells what is expected.",
    );
    let lost = Failure {
        caused_by: vec!["Connection reset by peer (os error 104)".to_owned()],
        ..Failure::new(
            FailureCode::NetworkError,
            "api.security.microsoft.com closed the connection before a whole answer. Whether the action was cancelled is \
             not known: read its status, or cancel it again. Check MDE_BASE_URL and the network, then try again.",
        )
        .with_request_sent(RequestSent::Unknown)
    };
    let examples = [misspelt, lost].map(|failure| json!({ "error": failure }));
    schema.insert("examples".to_owned(), json!(examples));
    schema
}

fn check() -> Schema {
    generate::<Report>(SchemaSettings::draft2020_12().for_serialize())
}

fn manifest() -> Schema {
    generate::<Manifest>(SchemaSettings::draft2020_12().for_serialize())
}

/// The environment variables, as the properties of an object, for a catalog's form. There is no type to generate it
/// from: it comes from the same table as `--help`.
fn settings_schema() -> Schema {
    let mut properties = Map::new();
    for setting in table::SETTINGS {
        properties.insert(setting.name.to_owned(), setting_schema(setting));
        if setting.has_file_twin {
            let about = format!("file that holds the value of {}", setting.name);
            properties.insert(
                setting.file_twin(),
                json!({"type": "string", "description": about}),
            );
        }
    }
    for option in table::OPTIONS {
        properties.insert(option.setting.to_owned(), option_schema(option));
    }
    let mut schema = Schema::default();
    for (key, value) in [
        (
            "$schema",
            json!("https://json-schema.org/draft/2020-12/schema"),
        ),
        ("title", json!("Cancel Machine Action: settings")),
        (
            "description",
            json!(
                "The environment variables that an operator sets. Those marked writeOnly are secrets. Exactly one way to \
                 sign in must follow from them."
            ),
        ),
        ("type", json!("object")),
        ("properties", Value::Object(properties)),
        (
            "examples",
            json!([{
                "AZURE_TENANT_ID": "11111111-2222-3333-4444-555555555555",
                "AZURE_CLIENT_ID": "66666666-7777-8888-9999-000000000000",
                "AZURE_CLIENT_SECRET_FILE": "/run/secrets/client-secret",
            }]),
        ),
    ] {
        schema.insert(key.to_owned(), value);
    }
    schema
}

fn setting_schema(setting: &Setting) -> Value {
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

fn option_schema(option: &OptionSpec) -> Value {
    let about = format!("{}: {}", option.name, option.about);
    match option.value {
        Some(_) => {
            json!({"type": "string", "description": about, "pattern": r"^([0-9]+\.?[0-9]*|\.[0-9]+)$"})
        }
        None => json!({
            "type": "string",
            "description": about,
            "enum": ["1", "true", "yes", "on", "0", "false", "no", "off"],
        }),
    }
}

fn generate<T: JsonSchema>(settings: SchemaSettings) -> Schema {
    settings
        .with(|settings| settings.inline_subschemas = true)
        .with_transform(RecursiveTransform(shorten_description))
        .with_transform(RecursiveTransform(drop_integer_format))
        .into_generator()
        .into_root_schema_for::<T>()
}

/// A description is the first paragraph of a doc comment, on one line; the others are for those who read the code.
fn shorten_description(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        let paragraph = text.split("\n\n").next().unwrap_or_default();
        *text = paragraph.replace('\n', " ");
    }
}

/// `uint16` and its like are formats of no validator: ranges say the same.
fn drop_integer_format(schema: &mut Schema) {
    let is_integer = |format: &Value| {
        let name = format.as_str().unwrap_or_default();
        name.starts_with("uint") || name.starts_with("int")
    };
    if schema.get("format").is_some_and(is_integer) {
        schema.remove("format");
    }
}

/// The example of the connector's specification, "Output", as it stands there.
#[must_use]
pub fn documented_answer() -> Value {
    serde_json::from_str(include_str!("../../schema/documented-answer.json")).unwrap_or_default()
}

//! The schemas: generated from the types, to be committed and published as they are.
//!
//! They are JSON Schema 2020-12, but use only keywords to which Draft-07 gives the same meaning, because some catalogs
//! still read with a Draft-07 validator.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use crate::input::{Input, PathParameters};
use crate::mcp::tools::ListArguments;
use crate::output::actions::Actions;
use crate::output::answer::Answer;
use crate::output::document::FailureDocument;
use crate::publish::examples;
use crate::publish::manifest::Manifest;
use crate::step::check::Report;

/// What a playbook sends.
pub(super) fn input() -> Schema {
    generate::<Input>(SchemaSettings::draft2020_12().for_deserialize())
}

/// What an agent sends to list actions.
pub(super) fn input_of_list() -> Schema {
    let without_default = |schema: &mut Schema| drop(schema.remove("default"));
    let mut schema = generate::<ListArguments>(SchemaSettings::draft2020_12().for_deserialize());
    RecursiveTransform(without_default).transform(&mut schema);
    schema
}

/// What an agent gets for it.
pub(super) fn actions() -> Schema {
    generate::<Actions>(SchemaSettings::draft2020_12().for_serialize())
}

/// What an agent sends to read an action.
pub(super) fn input_of_get() -> Schema {
    let mut schema = generate::<PathParameters>(SchemaSettings::draft2020_12().for_deserialize());
    schema.insert("title".to_owned(), "Get Machine Action: input".into());
    schema
}

/// What a playbook gets when the service has answered.
pub(super) fn output() -> Schema {
    let mut schema = generate::<Answer>(SchemaSettings::draft2020_12().for_serialize());
    schema.insert("examples".to_owned(), json!([documented_answer()]));
    schema
}

/// What a playbook gets when there is no answer.
pub(super) fn error() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = generate::<FailureDocument<'_>>(settings);
    let examples = examples::failures();
    let examples = examples
        .iter()
        .map(|error| json!(FailureDocument { error }));
    schema.insert("examples".to_owned(), examples.collect());
    schema
}

/// What `check` reports.
pub(super) fn check() -> Schema {
    let mut schema = generate::<Report>(SchemaSettings::draft2020_12().for_serialize());
    schema.insert("examples".to_owned(), json!(examples::reports()));
    schema
}

/// What a catalog lists of the step.
pub(super) fn manifest() -> Schema {
    let mut schema = generate::<Manifest>(SchemaSettings::draft2020_12().for_serialize());
    schema.insert("examples".to_owned(), json!([Manifest::current()]));
    schema
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
pub fn documented_answer() -> Value {
    serde_json::from_str(include_str!("../../schema/documented-answer.json")).unwrap_or_default()
}

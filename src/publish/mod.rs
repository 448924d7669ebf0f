//! What catalogs list: generated, committed, and entered by tests only.

pub mod schemas;
mod examples;
mod settings_schema;
mod manifest;
mod catalog;
mod manual;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::input::example_with_comment;

/// Every generated file: its path from the project's root, and what stands in it. One that ends in `.json` is JSON, one
/// that ends in `.1` is the text of a manual page, the others are YAML.
pub fn files() -> BTreeMap<&'static str, Value> {
    let mut files = BTreeMap::from([
        ("schema/input.schema.json", json!(schemas::input())),
        ("schema/output.schema.json", json!(schemas::output())),
        ("schema/error.schema.json", json!(schemas::error())),
        (
            "schema/settings.schema.json",
            json!(settings_schema::settings()),
        ),
        ("schema/check.schema.json", json!(schemas::check())),
        ("schema/manifest.schema.json", json!(schemas::manifest())),
        ("schema/sample.json", json!(example_with_comment())),
        ("schema/cancel-machine-action.1", json!(manual::manual())),
        ("manifest.json", json!(manifest::Manifest::current())),
    ]);
    files.extend(catalog::entries());
    files
}

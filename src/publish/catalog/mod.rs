//! The entries for the catalogs of other products, each in its catalog's own form: generated from the same types and
//! tables as the schemas and the manifest.

mod fields;
mod mcp;
mod openapi;
mod parameters;
mod rapid7;
mod sekoia;
mod xsoar;

use serde_json::Value;

/// Every entry: its path from the project's root, and what stands in it. One that ends in `.json` is JSON, the others YAML.
pub(super) fn entries() -> Vec<(&'static str, Value)> {
    vec![
        ("schema/catalog/openapi.json", openapi::description()),
        ("schema/catalog/mcp-tool.json", mcp::tools()),
        ("schema/catalog/sekoia/manifest.json", sekoia::manifest()),
        (
            "schema/catalog/sekoia/action_cancel_machine_action.json",
            sekoia::action(),
        ),
        (
            "schema/catalog/xsoar/CancelMachineAction.yml",
            xsoar::integration(),
        ),
        ("schema/catalog/rapid7/plugin.spec.yaml", rapid7::plugin()),
    ]
}

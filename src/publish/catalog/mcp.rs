//! The definition of a tool in the Model Context Protocol.

use serde_json::{Value, json};

use crate::publish::manifest::Manifest;
use crate::publish::schemas;

/// The tool as a server lists it. Source: Model Context Protocol, "Tools".
pub(super) fn tool() -> Value {
    let Manifest {
        name,
        slug,
        description,
        effect,
        ..
    } = Manifest::current();
    json!({
        "name": slug.replace('-', "_"),
        "title": name,
        "description": description,
        "inputSchema": schemas::input(),
        "outputSchema": schemas::output(),
        "annotations": {
            "title": name,
            "readOnlyHint": effect.read_only,
            "destructiveHint": effect.destructive,
            "idempotentHint": effect.idempotent,
            "openWorldHint": true,
        },
    })
}

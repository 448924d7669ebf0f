//! The definition of a tool in the Model Context Protocol.

use serde_json::{Value, json};

use crate::manifest::Manifest;
use crate::schema;

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
        "inputSchema": schema::input(),
        "outputSchema": schema::output(),
        "annotations": {
            "title": name,
            "readOnlyHint": effect.read_only,
            "destructiveHint": effect.destructive,
            "idempotentHint": effect.idempotent,
            "openWorldHint": true,
        },
    })
}

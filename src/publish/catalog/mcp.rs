//! The tools of the Model Context Protocol, as the server lists them: generated from the types, and served as committed.

use schemars::Schema;
use serde_json::{Value, json};

use crate::mcp::tools::{About, Tool};
use crate::publish::schemas;

/// The tools as a server lists them. Source: Model Context Protocol, "Tools".
pub(super) fn tools() -> Value {
    json!({"tools": Tool::ALL.map(tool)})
}

fn tool(tool: Tool) -> Value {
    let About {
        title,
        description,
        is_read_only,
    } = tool.about();
    let (input, output) = match tool {
        Tool::Get => (schemas::input_of_get(), schemas::output()),
        Tool::Cancel => (schemas::input(), schemas::output()),
    };
    json!({
        "name": tool.name(),
        "title": title,
        "description": description,
        "inputSchema": input,
        "outputSchema": plain(output),
        "annotations": {
            "title": title,
            "readOnlyHint": is_read_only,
            "destructiveHint": !is_read_only,
            "idempotentHint": true,
            "openWorldHint": true,
        },
    })
}

/// The same schema without what some clients refuse, and without its long example.
fn plain(schema: Schema) -> Value {
    let mut schema = schema.to_value();
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("examples");
    }
    schema
}

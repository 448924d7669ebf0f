//! The tools of the Model Context Protocol, as the server lists them: generated from the types, and served as committed.

use schemars::Schema;
use schemars::transform::{RecursiveTransform, Transform};
use serde_json::{Map, Value, json};

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
        Tool::List => (schemas::input_of_list(), schemas::actions()),
        Tool::Get => (schemas::input_of_get(), schemas::output()),
        Tool::Cancel => (schemas::input(), schemas::output()),
    };
    json!({
        "name": tool.name(),
        "title": title,
        "description": description,
        "inputSchema": input,
        "outputSchema": portable(output),
        "annotations": {
            "title": title,
            "readOnlyHint": is_read_only,
            "destructiveHint": !is_read_only,
            "idempotentHint": true,
            "openWorldHint": true,
        },
    })
}

/// The same schema without its long example, and as clients read it that know one type for each place: a list of types
/// becomes a choice, and so does what may be anything.
fn portable(schema: Schema) -> Value {
    let mut schema = schema;
    schema.remove("examples");
    RecursiveTransform(split_types).transform(&mut schema);
    json!(schema)
}

fn split_types(schema: &mut Schema) {
    if schema.get("items") == Some(&Value::Bool(true)) {
        schema.remove("items");
    }
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    let constrains = schema.keys().any(|key| key != "description");
    match schema.get("type").cloned() {
        Some(Value::Array(types)) => {
            let branches = types.iter().map(|name| branch(schema, name)).collect();
            schema.retain(|key, _| key == "description");
            schema.insert("anyOf".to_owned(), branches);
        }
        _ if !constrains => {
            let types = ["object", "array", "string", "number", "boolean", "null"];
            let branches = types.iter().map(|name| json!({"type": name})).collect();
            schema.insert("anyOf".to_owned(), branches);
        }
        _ => {}
    }
}

/// What `schema` says of values of the type `name`.
fn branch(schema: &Map<String, Value>, name: &Value) -> Value {
    let mut branch = match name.as_str() {
        Some("null") => Map::new(),
        _ => schema.clone(),
    };
    branch.remove("description");
    branch.insert("type".to_owned(), name.clone());
    Value::Object(branch)
}

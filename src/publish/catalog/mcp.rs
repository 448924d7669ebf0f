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
/// becomes a choice.
///
/// What the service wrote is described, but not constrained: a client throws a result away that is not as its schema says,
/// and with it the answer of a cancel that was carried out.
fn portable(schema: Schema) -> Value {
    let mut schema = schema;
    schema.remove("examples");
    RecursiveTransform(describe_only).transform(&mut schema);
    RecursiveTransform(split_types).transform(&mut schema);
    json!(schema)
}

/// Describes the properties of an object that may have others, too, in its own description: that object is the service's.
fn describe_only(schema: &mut Schema) {
    if schema.get("additionalProperties") != Some(&Value::Bool(true)) {
        return;
    }
    let Some(Value::Object(properties)) = schema.remove("properties") else {
        return;
    };
    let text = |schema: Option<&Value>| {
        schema
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let mut description = text(schema.get("description"));
    for (name, property) in &properties {
        description += &format!("\n- {name}: {}", text(property.get("description")));
    }
    schema.insert("description".to_owned(), description.into());
}

fn split_types(schema: &mut Schema) {
    if schema.get("items") == Some(&Value::Bool(true)) {
        schema.remove("items");
    }
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(types)) = schema.get("type").cloned() {
        let branches = types.iter().map(|name| branch(schema, name)).collect();
        schema.retain(|key, _| key == "description");
        schema.insert("anyOf".to_owned(), branches);
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

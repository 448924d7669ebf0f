//! The request and the answer as a flat list, for catalogs that know no nesting.

use serde_json::{Map, Value};

use crate::publish::schemas;

/// One property of the request or the answer.
pub(super) struct Field {
    /// Where it stands: the names of the properties from the outermost on.
    pub(super) path: Vec<String>,
    /// What it may be.
    pub(super) schema: Map<String, Value>,
    /// Whether it must be there.
    pub(super) required: bool,
}

/// What a field may be, but for `null`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    List,
    Object,
    Any,
}

impl Field {
    pub(super) fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// The name as most catalogs have names: words in lower case, with underscores between them.
    pub(super) fn snake_name(&self) -> String {
        match self.name() {
            "machineactionid" => "machine_action_id".to_owned(),
            name => snake(name),
        }
    }

    /// The name for people: words with capitals.
    pub(super) fn title(&self) -> String {
        title(&self.snake_name())
    }

    pub(super) fn description(&self) -> &str {
        let description = self.schema.get("description").and_then(Value::as_str);
        description.unwrap_or_default()
    }

    /// What it may be.
    pub(super) fn kind(&self) -> Kind {
        let types = self.schema.get("type");
        match types
            .map(|types| types.get(0).unwrap_or(types))
            .and_then(Value::as_str)
        {
            Some("string") => Kind::Text,
            Some("integer") => Kind::Integer,
            Some("array") => Kind::List,
            Some("object") => Kind::Object,
            _ if self.is_choice() => Kind::Text,
            _ => Kind::Any,
        }
    }

    /// Whether it is one of several words.
    fn is_choice(&self) -> bool {
        let choices = self.schema.get("oneOf").and_then(Value::as_array);
        choices.is_some_and(|choices| choices.iter().all(|choice| choice["const"].is_string()))
    }
}

/// `externalId` is `external_id`, and `externalID` the same.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    let mut after_capital = true;
    for letter in name.chars() {
        if letter.is_uppercase() && !after_capital {
            snake.push('_');
        }
        after_capital = letter.is_uppercase();
        snake.extend(letter.to_lowercase());
    }
    snake
}

const ACRONYMS: [&str; 9] = [
    "dns", "https", "id", "imds", "json", "mde", "ssl", "url", "utc",
];
/// Within a title these stand in lower case.
const SMALL: [&str; 4] = ["after", "and", "of", "to"];

/// `snake_case` as a title.
pub(super) fn title(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        match ACRONYMS.contains(&word) {
            true => word.to_uppercase(),
            false => first.to_uppercase() + rest,
        }
    };
    let words = name.split('_').enumerate();
    let words: Vec<String> = words
        .map(|(place, text)| match place > 0 && SMALL.contains(&text) {
            true => text.to_owned(),
            false => word(text),
        })
        .collect();
    words.join(" ")
}

/// What a playbook sends.
pub(super) fn of_request() -> Vec<Field> {
    leaves(schemas::input().as_value())
}

/// What a playbook gets when the service has answered.
pub(super) fn of_answer() -> Vec<Field> {
    leaves(schemas::output().as_value())
}

/// The same without what stands in its objects.
pub(super) fn top_of_answer() -> Vec<Field> {
    properties(schemas::output().as_value())
}

/// What a playbook gets when there is no answer.
pub(super) fn of_failure() -> Vec<Field> {
    leaves(schemas::error().as_value())
}

/// The properties of the machine action.
pub(super) fn of_action() -> Vec<Field> {
    properties(&action())
}

/// The schema of the machine action: `json_body` of the answer.
pub(super) fn action() -> Value {
    json_body(schemas::output().as_value())
}

/// The schema of the call's body: `json_body` of the request.
pub(super) fn body() -> Value {
    json_body(schemas::input().as_value())
}

fn json_body(schema: &Value) -> Value {
    let body = properties(schema)
        .into_iter()
        .find(|field| field.name() == "json_body");
    body.map_or(Value::Null, |field| Value::Object(field.schema))
}

/// The properties of an object, those of its alternatives included; an object with properties of its own gives them in
/// its place.
fn leaves(schema: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    for field in properties(schema) {
        let inner = leaves(&Value::Object(field.schema.clone()));
        if inner.is_empty() {
            found.push(field);
            continue;
        }
        for leaf in inner {
            found.push(Field {
                path: [field.path.as_slice(), &leaf.path].concat(),
                required: field.required && leaf.required,
                ..leaf
            });
        }
    }
    found
}

fn properties(schema: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    let required: Vec<&str> = strings(schema.get("required")).collect();
    let listed = schema.get("properties").and_then(Value::as_object);
    for (name, property) in listed.into_iter().flatten() {
        found.push(Field {
            path: vec![name.clone()],
            schema: property.as_object().cloned().unwrap_or_default(),
            required: required.contains(&name.as_str()),
        });
    }
    for alternative in schema
        .get("oneOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        found.extend(properties(alternative).into_iter().map(|field| Field {
            required: false,
            ..field
        }));
    }
    found
}

fn strings(list: Option<&Value>) -> impl Iterator<Item = &str> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str)
}

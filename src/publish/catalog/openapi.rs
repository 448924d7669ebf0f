//! The upstream call as OpenAPI describes one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::fields;
use crate::call::interpret::reason;
use crate::call::sandbox::reply::Refusal;
use crate::call::sandbox::scenarios::{SCENARIOS, Scenario};
use crate::input::example_with_comment;
use crate::publish::manifest::{DOCUMENTATION, Manifest, RateLimit};
use crate::publish::schemas::documented_answer;
use crate::settings::clouds::CLOUDS;

const MACHINE_ACTION: &str = "#/components/schemas/ServiceObject";

/// The description of the call. Source: OpenAPI Specification 3.1.
pub(super) fn description() -> Value {
    let Manifest {
        name,
        version,
        description,
        endpoint,
        permissions,
        rate_limits,
        ..
    } = Manifest::current();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": name,
            "version": version,
            "description": description,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "externalDocs": {"url": DOCUMENTATION},
        "servers": servers(),
        // Any one of the roles will do.
        "security": permissions.any_of.map(|role| json!({"bearer": [role]})),
        "paths": {
            (endpoint.path): {
                (endpoint.method.to_lowercase()): {
                    "operationId": "cancelMachineAction",
                    "summary": name,
                    "description": format!("{description} {}", limits(&rate_limits)),
                    "parameters": parameters(),
                    "requestBody": {
                        "required": true,
                        "content": {"application/json": {
                            "schema": fields::body(),
                            "example": example_with_comment().json_body,
                        }},
                    },
                    "responses": responses(),
                },
            },
        },
        "components": {
            "schemas": {"ServiceObject": fields::action()},
            "securitySchemes": {"bearer": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "An access token of Microsoft Entra ID for the API. The roles are application permissions.",
            }},
        },
    })
}

/// The hosts, each once, with the clouds that have it.
fn servers() -> Vec<Value> {
    let mut clouds_by_host = BTreeMap::<&str, Vec<&str>>::new();
    for cloud in CLOUDS {
        clouds_by_host
            .entry(cloud.api)
            .or_default()
            .push(cloud.name);
    }
    let server = |(url, clouds): (_, Vec<_>)| json!({"url": url, "description": clouds.join(", ")});
    clouds_by_host.into_iter().map(server).collect()
}

fn limits(limits: &[RateLimit]) -> String {
    let limit =
        |limit: &RateLimit| format!("{} calls in {} seconds", limit.calls, limit.per_seconds);
    let limits: Vec<String> = limits.iter().map(limit).collect();
    format!(
        "The service allows {}, for each application and tenant.",
        limits.join(" and ")
    )
}

fn parameters() -> Vec<Value> {
    let mut parameters = Vec::new();
    for field in fields::of_request() {
        if field
            .path
            .first()
            .is_some_and(|place| place == "path_parameters")
        {
            parameters.push(json!({
                "name": field.name(),
                "in": "path",
                "required": field.required,
                "description": field.description(),
                "schema": field.schema,
            }));
        }
    }
    parameters
}

/// What the service may answer: the documented success, and the refusals of the sandbox, which were captured.
fn responses() -> Map<String, Value> {
    let mut refusals = BTreeMap::<u16, Vec<(&Scenario, Refusal)>>::new();
    for scenario in &SCENARIOS {
        if let Some(refusal) = scenario.refusal() {
            let same_status = refusals.entry(refusal.status.as_u16()).or_default();
            same_status.push((scenario, refusal));
        }
    }
    let answer = documented_answer();
    let success = json!({
        "description": "The cancel was accepted. The body is the machine action.",
        "headers": headers_of_success(&answer),
        "content": {"application/json": {
            "schema": {"$ref": MACHINE_ACTION},
            "example": answer.get("json_body"),
        }},
    });
    let mut responses = Map::from_iter([("200".to_owned(), success)]);
    for (status, refusals) in &refusals {
        responses.insert(status.to_string(), response(refusals));
    }
    responses
}

/// The documented headers, but for those that describe the message and not the call.
fn headers_of_success(answer: &Value) -> Map<String, Value> {
    const OF_THE_MESSAGE: [&str; 5] = [
        "Date",
        "Content-Type",
        "Transfer-Encoding",
        "Connection",
        "Content-Encoding",
    ];
    let mut headers = Map::new();
    for field in fields::of_answer() {
        if let [place, name] = field.path.as_slice()
            && place == "response_headers"
            && !OF_THE_MESSAGE.contains(&name.as_str())
        {
            let header = json!({
                "description": field.description(),
                "schema": {"type": "string"},
                "example": answer.pointer(&format!("/response_headers/{name}")),
            });
            headers.insert(name.clone(), header);
        }
    }
    headers
}

/// The refusals that have one status.
fn response(refusals: &[(&Scenario, Refusal)]) -> Value {
    let mut phrase = "";
    let mut headers = Map::new();
    let mut examples = BTreeMap::<&str, Map<String, Value>>::new();
    for (scenario, refusal) in refusals {
        phrase = reason(refusal.status);
        if let Some(seconds) = &refusal.retry_after {
            let header = json!({
                "description": "How many seconds to wait before the next call, or the date of the next call.",
                "schema": {"type": "string"},
                "example": seconds,
            });
            headers.insert("Retry-After".to_owned(), header);
        }
        let example = json!({"summary": scenario.about, "value": refusal.body});
        let same_type = examples.entry(&refusal.media_type).or_default();
        same_type.insert(scenario.digits.to_owned(), example);
    }
    let content = |(media_type, examples): (&str, Map<_, _>)| {
        let schema = match media_type {
            "application/json" => json!({"$ref": MACHINE_ACTION}),
            _ => json!({"type": "string"}),
        };
        (
            media_type.to_owned(),
            json!({"schema": schema, "examples": examples}),
        )
    };
    let content: Map<String, Value> = examples.into_iter().map(content).collect();
    json!({"description": phrase, "headers": headers, "content": content})
}

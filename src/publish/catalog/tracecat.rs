//! An action template of Tracecat, in the form of those that its registry has for other machine actions.

use serde_json::{Map, Value, json};

use super::DOCUMENTATION;
use super::fields::{self, Kind};
use crate::publish::manifest::Manifest;
use crate::settings::clouds::CLOUDS;

/// The template. Tracecat makes the call itself, with the token of its own integration. Source: Tracecat's public registry.
pub(super) fn template() -> Value {
    let Manifest {
        name,
        slug,
        product,
        description,
        endpoint,
        ..
    } = Manifest::current();
    let mut expects = Map::from_iter([("base_url".to_owned(), base_url(endpoint.base_url))]);
    let mut path = endpoint.path.to_owned();
    let mut body = Map::new();
    for field in fields::of_request() {
        let input = field.snake_name();
        match field.path.as_slice() {
            [place, name] if place == "path_parameters" => {
                let value = format!("${{{{ FN.url_encode(inputs.{input}) }}}}");
                path = path.replace(&format!("{{{name}}}"), &value);
            }
            [.., name] => {
                body.insert(name.clone(), format!("${{{{ inputs.{input} }}}}").into());
            }
            [] => {}
        }
        // Also the comment, as in the templates for other actions: an input that is left out would be sent as null.
        let kind = match field.kind() {
            Kind::Text => "str",
            Kind::Integer => "int",
            Kind::List | Kind::Object | Kind::Any => "Any",
        };
        let expected = json!({"type": kind, "description": field.description()});
        expects.insert(input, expected);
    }
    let secret = |grant: &str| {
        json!({
            "type": "oauth",
            "provider_id": "microsoft_defender_endpoint",
            "grant_type": grant,
            "optional": true,
        })
    };
    json!({
        "type": "action",
        "definition": {
            "title": name,
            "description": description,
            "display_group": product,
            "doc_url": DOCUMENTATION,
            "namespace": "tools.microsoft_defender_endpoint",
            "name": slug.replace('-', "_"),
            "secrets": [secret("authorization_code"), secret("client_credentials")],
            "expects": expects,
            "steps": [{
                "ref": "cancel",
                "action": "core.http_request",
                "args": {
                    "url": format!("${{{{ inputs.base_url }}}}{path}"),
                    "method": endpoint.method,
                    "headers": {"Authorization": TOKEN, "Content-Type": "application/json"},
                    "payload": body,
                },
            }],
            "returns": "${{ steps.cancel.result }}",
        },
    })
}

/// The token of whichever grant is set up.
const TOKEN: &str = "Bearer ${{ SECRETS.microsoft_defender_endpoint_oauth.MICROSOFT_DEFENDER_ENDPOINT_USER_TOKEN || \
     SECRETS.microsoft_defender_endpoint_oauth.MICROSOFT_DEFENDER_ENDPOINT_SERVICE_TOKEN }}";

fn base_url(default: &str) -> Value {
    let mut hosts: Vec<String> = CLOUDS
        .iter()
        .map(|cloud| format!("{:?}", cloud.api))
        .collect();
    hosts.dedup();
    json!({
        "type": format!("enum[{}]", hosts.join(", ")),
        "description": "API host of the cloud.",
        "default": default,
    })
}

//! What a playbook sends: one request, as types.

pub(crate) mod source;
pub(crate) mod lines;
mod reading;
pub mod validate;
mod invalid;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// One request: cancel the machine action that `path_parameters` name, with the comment in `json_body`.
///
/// Source: the connector's specification of the step, "Inputs".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(
    title = "Cancel Machine Action: input",
    example = example_with_comment(),
    example = example_without_comment()
)]
pub struct Input {
    /// Parameters of the path `/api/machineactions/{machineactionid}/cancel`.
    pub path_parameters: PathParameters,
    /// The JSON body of the call.
    pub json_body: JsonBody,
}

impl Input {
    pub(crate) fn new(id: MachineActionId, comment: Option<String>) -> Self {
        Self {
            path_parameters: PathParameters {
                machineactionid: id,
            },
            json_body: JsonBody { comment },
        }
    }
}

/// Parameters of the path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PathParameters {
    /// The machine action ID: the id of the action, not of the device. Usually a GUID.
    pub machineactionid: MachineActionId,
}

/// The id of a machine action: one URL path segment of unreserved characters (RFC 3986, section 2.3), so that no id
/// can steer the call to another path. The service's own ids are GUIDs; it answers 400 to anything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(!try_from)]
pub struct MachineActionId(
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$"))] String,
);

impl MachineActionId {
    /// What an id must be, for a playbook's author.
    pub(crate) const RULE: &str = "must be the id of a machine action, usually a GUID: 1 to 128 letters, digits, \".\", \"_\", \"~\" \
         or \"-\", and the first a letter or a digit";

    /// The id as it stands in the path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the id has the form of a device id (40 hexadecimal digits), which users take for an action's id.
    pub(crate) fn looks_like_device_id(&self) -> bool {
        self.0.len() == 40 && self.0.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

/// Whether `id` has the form of the service's own ids (RFC 9562, section 4).
pub(crate) fn is_guid(id: &str) -> bool {
    id.len() == 36
        && id.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

impl TryFrom<String> for MachineActionId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
        let begins_well = text.starts_with(|first: char| first.is_ascii_alphanumeric());
        if begins_well && text.len() <= 128 && text.bytes().all(unreserved) {
            Ok(Self(text))
        } else {
            Err(Self::RULE)
        }
    }
}

/// The body of the call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JsonBody {
    /// Comment to associate with the cancellation action.
    ///
    /// Optional, as in the specification; the service may insist on one.
    #[serde(
        rename = "Comment",
        default,
        deserialize_with = "present_string",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "String")]
    pub comment: Option<String>,
}

/// A key that may be absent, but not null: `null` is no comment, and a lost comment is a lost audit trail.
pub(crate) fn present_string<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

/// The request that `sample` prints and the schema shows; the id and the comment are those of the API's documentation.
pub(crate) fn example_with_comment() -> Input {
    example(Some("Machine action was canceled by automation"))
}

fn example_without_comment() -> Input {
    example(None)
}

fn example(comment: Option<&str>) -> Input {
    let id = MachineActionId("988cc94e-7a8f-4b28-ab65-54970c5d5018".to_owned());
    Input::new(id, comment.map(str::to_owned))
}

//! The machine action, as the service describes it: types for the output's schema. The answer itself is passed on
//! unparsed, so that a key that is not listed here is not lost.

use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::{Map, Value};

/// The service's object, unchanged. On success it is the machine action; on an error it is whatever the service or a
/// gateway before it says, usually under `error`. Any key may be missing or null, and others may be there.
///
/// Sources: the connector's specification of the step, "Output Parameters"; "MachineAction resource type"; captured answers.
#[derive(Serialize, JsonSchema)]
#[schemars(transform = nothing_required)]
#[expect(
    non_snake_case,
    reason = "every field carries its description for the schema, and the name that it has on the wire"
)]
pub struct MachineAction {
    /// The OData context of the entity.
    #[serde(rename = "@odata.context")]
    pub(crate) odata_context: Option<String>,
    /// The machine action's id: the one that was asked for.
    pub(crate) id: Option<String>,
    /// What kind of action it is: RunAntiVirusScan, Offboard, LiveResponse, CollectInvestigationPackage, Isolate, Unisolate,
    /// StopAndQuarantineFile, RestrictCodeExecution, UnrestrictCodeExecution, RequestSample, Unknown. Others may come.
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    /// The action's title.
    pub(crate) title: Option<String>,
    /// Scope of the action, such as Full or Selective for an isolation.
    pub(crate) scope: Option<String>,
    /// Who asked for the action.
    pub(crate) requestor: Option<String>,
    /// Comment written when the action was asked for.
    pub(crate) requestorComment: Option<String>,
    /// Identifier in the system that the action came from, in the spelling of the documentation.
    pub(crate) externalID: Option<String>,
    /// The same in the spelling of the wire.
    pub(crate) externalId: Option<String>,
    /// Where the action was asked for, such as Portal or PublicApi.
    pub(crate) requestSource: Option<String>,
    /// The commands of the action: objects for live response, otherwise names or nothing.
    pub(crate) commands: Option<Vec<Command>>,
    /// Who asked for the cancellation.
    pub(crate) cancellationRequestor: Option<String>,
    /// Comment written when the action was cancelled.
    pub(crate) cancellationComment: Option<String>,
    /// When the action was cancelled: ISO 8601, in UTC, with five to seven fractional digits.
    pub(crate) cancellationDateTimeUtc: Option<String>,
    /// State of the action: Pending and InProgress are open; Succeeded, Failed, TimeOut and Cancelled are final. Others may
    /// come. Some gateways put the HTTP status here when they refuse.
    pub(crate) status: Option<Status>,
    /// Id of the device that the action runs on: 40 hexadecimal digits.
    pub(crate) machineId: Option<String>,
    /// DNS name of the device that the action runs on.
    pub(crate) computerDnsName: Option<String>,
    /// When the action was created: ISO 8601, in UTC.
    pub(crate) creationDateTimeUtc: Option<String>,
    /// When the action last changed: ISO 8601, in UTC.
    pub(crate) lastUpdateDateTimeUtc: Option<String>,
    /// The file that the action is about.
    pub(crate) relatedFileInfo: Option<RelatedFile>,
    /// Result code of a failed action; 0 if there is none.
    pub(crate) errorHResult: Option<i64>,
    /// Hints on a failed action.
    pub(crate) troubleshootInfo: Option<String>,
    /// What the service says when it refuses: usually `{code, message, target}`; `code` may be empty or a number.
    pub(crate) error: Option<Value>,
}

/// The state of a machine action, or what a gateway puts in its place.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Status {
    /// The state's name.
    Name(String),
    /// The HTTP status.
    Number(u16),
}

/// A command of a machine action.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Command {
    /// The command's name.
    Name(String),
    /// A command of live response.
    LiveResponse(LiveResponseCommand),
}

/// A command of live response.
#[derive(Serialize, JsonSchema)]
#[schemars(transform = nothing_required)]
#[expect(
    non_snake_case,
    reason = "every field carries its description for the schema, and the name that it has on the wire"
)]
pub struct LiveResponseCommand {
    /// Place of the command in the action, from 0.
    pub(crate) index: Option<u64>,
    /// When the command began: ISO 8601, in UTC.
    pub(crate) startTime: Option<String>,
    /// When the command ended: ISO 8601, in UTC.
    pub(crate) endTime: Option<String>,
    /// State of the command: Created, Submitted, PendingResource, Executing, Completed, Failed.
    pub(crate) commandStatus: Option<String>,
    /// What went wrong.
    pub(crate) errors: Option<Vec<Value>>,
    /// The command itself: its type and parameters.
    pub(crate) command: Option<Value>,
}

/// The file that a machine action is about.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum RelatedFile {
    /// As it comes over the wire: `{fileIdentifier, fileIdentifierType}`, the type being Sha1, Sha256 or Md5.
    File(Map<String, Value>),
    /// As the connector's specification types it.
    Text(String),
}

/// For an object of which any key may be missing, and others may be there.
pub(crate) fn nothing_required(schema: &mut Schema) {
    schema.remove("required");
    if schema.get("additionalProperties").is_none() {
        schema.insert("additionalProperties".to_owned(), true.into());
    }
}

//! The machine action, as the service describes it: types for the output's schema. The answer itself is passed on
//! unparsed, so that a key that is not listed here is not lost.

use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::{Map, Value};

/// The object that the service returned, unchanged. On success it is the machine action; otherwise it is the error of the
/// service or of a gateway, usually under `error`. Any key may be missing or null, and there may be others.
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
    /// Id of the machine action.
    pub(crate) id: Option<String>,
    /// Type of the action: RunAntiVirusScan, Offboard, LiveResponse, CollectInvestigationPackage, Isolate, Unisolate,
    /// StopAndQuarantineFile, RestrictCodeExecution, UnrestrictCodeExecution, RequestSample, Unknown. There may be others.
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    /// Title of the action.
    pub(crate) title: Option<String>,
    /// Scope of the action, such as Full or Selective for an isolation.
    pub(crate) scope: Option<String>,
    /// Who requested the action.
    pub(crate) requestor: Option<String>,
    /// Comment of the requestor.
    pub(crate) requestorComment: Option<String>,
    /// Id of the action in the system that requested it, with the key as the documentation spells it.
    pub(crate) externalID: Option<String>,
    /// The same id, with the key as the service spells it.
    pub(crate) externalId: Option<String>,
    /// Where the action was requested, such as Portal or PublicApi.
    pub(crate) requestSource: Option<String>,
    /// Commands of the action: objects for live response, otherwise names; may be empty.
    pub(crate) commands: Option<Vec<Command>>,
    /// Who requested the cancellation.
    pub(crate) cancellationRequestor: Option<String>,
    /// Comment on the cancellation.
    pub(crate) cancellationComment: Option<String>,
    /// When the action was cancelled: ISO 8601, in UTC, with five to seven fractional digits.
    pub(crate) cancellationDateTimeUtc: Option<String>,
    /// Status of the action. Open: Pending, InProgress. Final: Succeeded, Failed, TimeOut, Cancelled. There may be others.
    /// When a gateway refuses the call, it may put the HTTP status here.
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
    /// Result code of a failed action; 0 for none.
    pub(crate) errorHResult: Option<i64>,
    /// Information on why the action failed.
    pub(crate) troubleshootInfo: Option<String>,
    /// Error of the service, usually `{code, message, target}`; `code` may be empty or a number.
    pub(crate) error: Option<Value>,
}

/// The status of a machine action, or the HTTP status of a gateway.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Status {
    /// Name of the status.
    Name(String),
    /// The HTTP status of a gateway.
    Number(u16),
}

/// A command of a machine action.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Command {
    /// Name of the command.
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
    /// Position of the command in the action, from 0.
    pub(crate) index: Option<u64>,
    /// When the command began: ISO 8601, in UTC.
    pub(crate) startTime: Option<String>,
    /// When the command ended: ISO 8601, in UTC.
    pub(crate) endTime: Option<String>,
    /// Status of the command: Created, Submitted, PendingResource, Executing, Completed, Failed.
    pub(crate) commandStatus: Option<String>,
    /// Errors of the command.
    pub(crate) errors: Option<Vec<Value>>,
    /// The command itself: its type and parameters.
    pub(crate) command: Option<Value>,
}

/// The file that a machine action is about.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum RelatedFile {
    /// As the service sends it: `{fileIdentifier, fileIdentifierType}`. The type is Sha1, Sha256 or Md5.
    File(Map<String, Value>),
    /// As the connector's specification has it: a text.
    Text(String),
}

/// For an object of which any key may be missing, and others may be there.
pub(crate) fn nothing_required(schema: &mut Schema) {
    schema.remove("required");
    if schema.get("additionalProperties").is_none() {
        schema.insert("additionalProperties".to_owned(), true.into());
    }
}

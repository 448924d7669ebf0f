//! The machine action of the embedded Defender, as the service writes it.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde::Serialize;
use serde_json::{Value, json};

use crate::call::sandbox::reply::{Asked, Reply};

/// An action that was open until now.
pub(super) fn cancelled(asked: &Asked) -> Reply {
    compressed(&MachineAction::cancelled(asked))
}

/// An action that is still open.
pub(super) fn pending(asked: &Asked) -> Reply {
    compressed(&MachineAction::with_status(asked, "Pending"))
}

/// An action as it is read: open until its cancel is accepted.
pub(super) fn now(asked: &Asked) -> Reply {
    match asked.was_accepted {
        true => cancelled(asked),
        false => pending(asked),
    }
}

/// The same of one that is cancelled too late.
pub(super) fn now_too_late(asked: &Asked) -> Reply {
    match asked.was_accepted {
        true => cancelled_too_late(asked),
        false => pending(asked),
    }
}

/// An action whose command had completed when it was cancelled.
pub(super) fn cancelled_too_late(asked: &Asked) -> Reply {
    let action = MachineAction {
        r#type: "LiveResponse",
        commands: &[Command {
            index: 0,
            start_time: "2025-02-07T10:55:40.186354Z",
            end_time: "2025-02-07T10:55:51.811356Z",
            command_status: "Completed",
        }],
        ..MachineAction::cancelled(asked)
    };
    compressed(&action)
}

/// An action that had finished before it could be cancelled.
pub(super) fn succeeded(asked: &Asked) -> Reply {
    compressed(&MachineAction::with_status(asked, "Succeeded"))
}

/// An action with `status` and of type `kind`, as a list has it.
pub(super) fn listed(id: &str, status: &'static str, kind: &'static str) -> Value {
    let asked = Asked {
        id: id.to_owned(),
        comment: None,
        token_was_renewed: true,
        count: 1,
        ..Asked::default()
    };
    let action = MachineAction {
        r#type: kind,
        ..MachineAction::with_status(&asked, status)
    };
    let mut action = json!(action);
    if let Some(action) = action.as_object_mut() {
        action.shift_remove("@odata.context");
    }
    action
}

/// Returns `value` with the documented headers, compressed as they say.
pub(super) fn compressed(value: &impl Serialize) -> Reply {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    // Neither the serialising of these fields nor the writing to a Vec can fail.
    let _ = encoder.write_all(&serde_json::to_vec(value).unwrap_or_default());
    let body = encoder.finish().unwrap_or_default();
    let reply = Reply::new(
        200,
        "application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8",
        body,
    );
    let headers = HEADERS.into_iter();
    headers.fold(reply, |reply, (name, value)| reply.header(name, value))
}

/// The headers of an answer.
///
/// Source: the connector's specification of the step, "Output".
const HEADERS: [(&str, &str); 6] = [
    ("Transfer-Encoding", "chunked"),
    ("Content-Encoding", "deflate"),
    ("Vary", "Accept-Encoding"),
    (
        "mise-correlation-id",
        "8d39c870-35e0-4d26-aa40-b15aa1b5c79a",
    ),
    ("OData-Version", "4.0"),
    (
        "Strict-Transport-Security",
        "max-age=31536000; includeSubDomains",
    ),
];

/// The machine action, with the keys of a captured answer in its order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MachineAction<'a> {
    #[serde(rename = "@odata.context")]
    odata_context: &'static str,
    id: &'a str,
    r#type: &'static str,
    title: Option<&'static str>,
    requestor: &'static str,
    requestor_comment: &'static str,
    status: &'static str,
    machine_id: &'static str,
    computer_dns_name: &'static str,
    creation_date_time_utc: &'static str,
    last_update_date_time_utc: &'static str,
    cancellation_requestor: Option<&'static str>,
    cancellation_comment: Option<&'a str>,
    cancellation_date_time_utc: Option<&'static str>,
    #[serde(rename = "errorHResult")]
    error_h_result: i64,
    scope: &'static str,
    external_id: Option<&'static str>,
    request_source: &'static str,
    related_file_info: Option<&'static str>,
    commands: &'static [Command],
    troubleshoot_info: Option<&'static str>,
}

impl<'a> MachineAction<'a> {
    fn cancelled(asked: &'a Asked) -> Self {
        Self {
            cancellation_requestor: Some("cancel-machine-action sandbox"),
            cancellation_comment: asked.comment.as_deref(),
            cancellation_date_time_utc: Some("2025-02-07T10:57:23.1480563Z"),
            last_update_date_time_utc: "2025-02-07T10:57:23.1480563Z",
            ..Self::with_status(asked, "Cancelled")
        }
    }

    fn with_status(asked: &'a Asked, status: &'static str) -> Self {
        Self {
            odata_context: "https://api.securitycenter.microsoft.com/api/$metadata#MachineActions/$entity",
            id: &asked.id,
            r#type: "Isolate",
            title: None,
            requestor: "Analyst@TestPrd.onmicrosoft.com",
            requestor_comment: "test for docs",
            status,
            machine_id: "7b1f4967d9728e5aa3c06a9e617a22a4a5a17378",
            computer_dns_name: "desktop-test",
            creation_date_time_utc: "2025-02-07T10:55:38.2262283Z",
            last_update_date_time_utc: "2025-02-07T10:56:44.6596267Z",
            cancellation_requestor: None,
            cancellation_comment: None,
            cancellation_date_time_utc: None,
            error_h_result: 0,
            scope: "Full",
            external_id: None,
            request_source: "PublicApi",
            related_file_info: None,
            commands: &[],
            troubleshoot_info: None,
        }
    }
}

/// A command of live response.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Command {
    index: u32,
    start_time: &'static str,
    end_time: &'static str,
    command_status: &'static str,
}

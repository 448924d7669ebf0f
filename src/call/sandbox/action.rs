//! The machine action of the embedded Defender, as the service writes it.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};

use crate::call::sandbox::reply::{Asked, Reply};

/// An action that was open until now.
pub(super) fn cancelled(asked: &Asked) -> Reply {
    compressed(&with_cancellation(asked))
}

/// An action that is still open.
pub(super) fn pending(asked: &Asked) -> Reply {
    compressed(&with_status(asked, "Pending"))
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
    let action = with_cancellation(asked);
    let command = json!({
        "index": 0,
        "startTime": "2025-02-07T10:55:40.186354Z",
        "endTime": "2025-02-07T10:55:51.811356Z",
        "commandStatus": "Completed",
    });
    let changes = json!({"type": "LiveResponse", "commands": [command]});
    compressed(&changed(action, changes))
}

/// An action that had finished before it could be cancelled.
pub(super) fn succeeded(asked: &Asked) -> Reply {
    compressed(&with_status(asked, "Succeeded"))
}

/// An action with `status` and of type `kind`, as a list has it.
pub(super) fn listed(id: String, status: &str, kind: &str) -> Value {
    let asked = Asked {
        id,
        ..Asked::default()
    };
    let mut action = changed(with_status(&asked, status), json!({"type": kind}));
    if let Some(action) = action.as_object_mut() {
        action.shift_remove("@odata.context");
    }
    action
}

/// Returns `value` with the documented headers, compressed as they say.
pub(super) fn compressed(value: &Value) -> Reply {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    // Writing to a Vec cannot fail.
    let _ = encoder.write_all(value.to_string().as_bytes());
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
fn with_status(asked: &Asked, status: &str) -> Value {
    json!({
        "@odata.context": "https://api.securitycenter.microsoft.com/api/$metadata#MachineActions/$entity",
        "id": asked.id,
        "type": "Isolate",
        "title": null,
        "requestor": "Analyst@TestPrd.onmicrosoft.com",
        "requestorComment": "test for docs",
        "status": status,
        "machineId": "7b1f4967d9728e5aa3c06a9e617a22a4a5a17378",
        "computerDnsName": "desktop-test",
        "creationDateTimeUtc": "2025-02-07T10:55:38.2262283Z",
        "lastUpdateDateTimeUtc": "2025-02-07T10:56:44.6596267Z",
        "cancellationRequestor": null,
        "cancellationComment": null,
        "cancellationDateTimeUtc": null,
        "errorHResult": 0,
        "scope": "Full",
        "externalId": null,
        "requestSource": "PublicApi",
        "relatedFileInfo": null,
        "commands": [],
        "troubleshootInfo": null,
    })
}

fn with_cancellation(asked: &Asked) -> Value {
    let at = "2025-02-07T10:57:23.1480563Z";
    let changes = json!({
        "cancellationRequestor": "cancel-machine-action sandbox",
        "cancellationComment": asked.comment,
        "cancellationDateTimeUtc": at,
        "lastUpdateDateTimeUtc": at,
    });
    changed(with_status(asked, "Cancelled"), changes)
}

/// Returns `action` with the values of `changes`.
fn changed(mut action: Value, changes: Value) -> Value {
    if let (Value::Object(action), Value::Object(changes)) = (&mut action, changes) {
        action.extend(changes);
    }
    action
}

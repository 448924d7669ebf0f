//! What the server says, one line each.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::MODERN;
use super::message::{Code, Error, Id};
use crate::output::document;

/// Which revisions a message belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Era {
    /// Those with a handshake, until 2025-11-25.
    Legacy,
    /// Those without, since 2026-07-28.
    Modern,
}

/// For how long a client may keep what it was told of the server, in milliseconds: it changes with the process only.
const KEPT_FOR: u32 = 60 * 60 * 1000;
/// Under what key a result says who the server is.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

#[derive(Serialize)]
struct Answer<'a, T> {
    jsonrpc: &'static str,
    id: &'a Id,
    result: Stamped<T>,
}

#[derive(Serialize)]
struct Stamped<T> {
    #[serde(flatten)]
    result: T,
    #[serde(flatten)]
    stamp: Option<Value>,
}

/// Who the server is.
pub(super) fn server() -> Value {
    json!({
        "name": env!("CARGO_PKG_NAME"),
        "title": "Cancel Machine Action",
        "version": env!("CARGO_PKG_VERSION"),
    })
}

/// What a call of a tool came to.
pub(super) struct CallResult {
    /// The document: one line of JSON, harmful letters escaped.
    pub(super) document: Box<RawValue>,
    /// Whether it is what the tool's output schema describes.
    pub(super) is_answer: bool,
    pub(super) is_error: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Content<'a> {
    content: [Text<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_content: Option<&'a RawValue>,
    is_error: bool,
}

#[derive(Serialize)]
struct Text<'a> {
    r#type: &'static str,
    text: &'a str,
}

/// Writes `result`, which a client may keep.
pub(super) fn lasting(out: &mut dyn Write, id: &Id, era: Era, result: Value) -> io::Result<()> {
    let stamp = json!({
        "resultType": "complete",
        "ttlMs": KEPT_FOR,
        "cacheScope": "private",
        "_meta": {SERVER_INFO: server()},
    });
    answer(out, id, result, stamped(era, stamp))
}

/// Writes a result that says nothing.
pub(super) fn nothing(out: &mut dyn Write, id: &Id) -> io::Result<()> {
    answer(out, id, json!({}), None)
}

/// Writes what a call came to: its document as it is, and as text.
pub(super) fn call(out: &mut dyn Write, id: &Id, era: Era, result: &CallResult) -> io::Result<()> {
    let document = &*result.document;
    let content = Content {
        content: [Text {
            r#type: "text",
            text: document.get(),
        }],
        structured_content: result.is_answer.then_some(document),
        is_error: result.is_error,
    };
    let stamp = json!({"resultType": "complete", "_meta": {SERVER_INFO: server()}});
    answer(out, id, content, stamped(era, stamp))
}

fn answer(
    out: &mut dyn Write,
    id: &Id,
    result: impl Serialize,
    stamp: Option<Value>,
) -> io::Result<()> {
    let answer = Answer {
        jsonrpc: "2.0",
        id,
        result: Stamped { result, stamp },
    };
    document::write(out, &answer, false)
}

/// What every result has since 2026-07-28.
fn stamped(era: Era, stamp: Value) -> Option<Value> {
    (era == Era::Modern).then_some(stamp)
}

/// Writes `error`.
pub(super) fn error(out: &mut dyn Write, error: &Error) -> io::Result<()> {
    let (code, message) = (error.code as i32, &error.message);
    let body = match error.code {
        Code::UnsupportedVersion => {
            json!({"code": code, "message": message, "data": {"supported": [MODERN]}})
        }
        _ => json!({"code": code, "message": message}),
    };
    let refusal = match &error.id {
        Some(id) => json!({"jsonrpc": "2.0", "id": id, "error": body}),
        // The schema forbids `null`.
        None => json!({"jsonrpc": "2.0", "error": body}),
    };
    document::write(out, &refusal, false)
}

//! What the server says, one line each.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::value::RawValue;

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
    stamp: Option<Stamp>,
}

/// What every result has since 2026-07-28.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stamp {
    result_type: &'static str,
    #[serde(flatten)]
    cache: Option<Cache>,
    #[serde(rename = "_meta")]
    meta: Meta,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cache {
    ttl_ms: u32,
    cache_scope: &'static str,
}

#[derive(Serialize)]
struct Meta {
    #[serde(rename = "io.modelcontextprotocol/serverInfo")]
    server: ServerInfo,
}

/// Who the server is.
#[derive(Serialize)]
pub(super) struct ServerInfo {
    name: &'static str,
    title: &'static str,
    version: &'static str,
}

pub(super) const SERVER: ServerInfo = ServerInfo {
    name: env!("CARGO_PKG_NAME"),
    title: "Cancel Machine Action",
    version: env!("CARGO_PKG_VERSION"),
};

#[derive(Serialize)]
struct Refusal<'a> {
    jsonrpc: &'static str,
    /// The schema forbids `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Id>,
    error: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    code: i32,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Supported>,
}

#[derive(Serialize)]
struct Supported {
    supported: [&'static str; 1],
}

/// What a call of a tool came to.
#[derive(Debug)]
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
pub(super) fn lasting(
    out: &mut dyn Write,
    id: &Id,
    era: Era,
    result: impl Serialize,
) -> io::Result<()> {
    let cache = Cache {
        ttl_ms: KEPT_FOR,
        cache_scope: "private",
    };
    answer(out, id, result, stamp(era, Some(cache)))
}

/// Writes a result that says nothing.
pub(super) fn nothing(out: &mut dyn Write, id: &Id) -> io::Result<()> {
    #[derive(Serialize)]
    struct Nothing {}
    answer(out, id, Nothing {}, None)
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
    answer(out, id, content, stamp(era, None))
}

fn answer(
    out: &mut dyn Write,
    id: &Id,
    result: impl Serialize,
    stamp: Option<Stamp>,
) -> io::Result<()> {
    let answer = Answer {
        jsonrpc: "2.0",
        id,
        result: Stamped { result, stamp },
    };
    document::write(out, &answer, false)
}

fn stamp(era: Era, cache: Option<Cache>) -> Option<Stamp> {
    (era == Era::Modern).then_some(Stamp {
        result_type: "complete",
        cache,
        meta: Meta { server: SERVER },
    })
}

/// Writes `error`.
pub(super) fn error(out: &mut dyn Write, error: &Error) -> io::Result<()> {
    let refusal = Refusal {
        jsonrpc: "2.0",
        id: error.id.as_ref(),
        error: Body {
            code: error.code as i32,
            message: &error.message,
            data: (error.code == Code::UnsupportedVersion).then_some(Supported {
                supported: [MODERN],
            }),
        },
    };
    document::write(out, &refusal, false)
}

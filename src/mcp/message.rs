//! A line becomes a message of JSON-RPC 2.0, or the error that answers it.
//!
//! Source: Model Context Protocol, "Base Protocol", "Messages": ids are strings or integers, and there are no batches.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// What a request is named by, and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Id {
    Number(i64),
    Text(String),
}

/// What a client sends.
pub(super) enum Message<'a> {
    /// It wants one answer.
    Request(Id, Call<'a>),
    /// It wants none.
    Notification(Call<'a>),
    /// An answer; nobody has asked for one.
    Response,
}

/// A method, and what it is given.
pub(super) struct Call<'a> {
    pub(super) method: String,
    pub(super) params: Option<&'a RawValue>,
}

/// Why there is no result.
pub(super) struct Error {
    /// Of the request; `None` if it could not be read.
    pub(super) id: Option<Id>,
    pub(super) code: Code,
    /// What is wrong, in one sentence; nothing that the client sent is repeated.
    pub(super) message: String,
}

/// The codes of errors. Sources: JSON-RPC 2.0, "Error object"; Model Context Protocol 2026-07-28, "Versioning".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Parse = -32700,
    InvalidRequest = -32600,
    MethodNotFound = -32601,
    InvalidParams = -32602,
    UnsupportedVersion = -32022,
}

impl Error {
    pub(super) fn new(id: Option<Id>, code: Code, message: impl Into<String>) -> Self {
        Self {
            id,
            code,
            message: message.into(),
        }
    }
}

/// The members that are known; a key that stands twice is an error, for no two parsers agree on which one counts.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

/// Whatever stands there, `null` included.
pub(super) fn present<'de, D: Deserializer<'de>>(
    json: D,
) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(json).map(Some)
}

/// Reads an object with the members of `T`. A list of their values is none, though the library would take it.
pub(super) fn object<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    let is_object = json.starts_with('{');
    is_object.then(|| serde_json::from_str(json).ok())?
}

impl<'a> Message<'a> {
    /// Reads the message that `line` is, or returns what answers it, because it is none.
    pub(super) fn read(line: &'a str) -> Result<Self, Error> {
        let json: &RawValue = serde_json::from_str(line)
            .map_err(|_| Error::new(None, Code::Parse, "the line is not JSON"))?;
        let envelope: Envelope<'_> = object(json.get()).ok_or_else(|| {
            let message = "the message is not one object with each key once; there are no batches";
            Error::new(None, Code::InvalidRequest, message)
        })?;
        envelope.message()
    }
}

impl<'a> Envelope<'a> {
    fn message(self) -> Result<Message<'a>, Error> {
        let invalid = |id, message: &str| Err(Error::new(id, Code::InvalidRequest, message));
        let answers = self.result.is_some() || self.error.is_some();
        if self.method.is_none() && answers {
            return Ok(Message::Response);
        }
        let id = self.id.map(id_of);
        if id == Some(None) {
            return invalid(None, "the id is not a string, nor an integer of 64 bits");
        }
        let id = id.flatten();
        if self.jsonrpc.and_then(text_of).as_deref() != Some("2.0") {
            return invalid(id, "jsonrpc is not \"2.0\"");
        }
        let Some(method) = self.method.and_then(text_of).filter(|_| !answers) else {
            return invalid(id, "the message has no method, or an answer besides");
        };
        let call = Call {
            method,
            params: self.params,
        };
        Ok(match id {
            Some(id) => Message::Request(id, call),
            None => Message::Notification(call),
        })
    }
}

/// Returns the id that `json` is, if it is one.
pub(super) fn id_of(json: &RawValue) -> Option<Id> {
    let number = serde_json::from_str(json.get()).ok().map(Id::Number);
    number.or_else(|| text_of(json).map(Id::Text))
}

/// Returns the text that `json` is, if it is one.
pub(super) fn text_of(json: &RawValue) -> Option<String> {
    serde_json::from_str(json.get()).ok()
}

//! What requests are given, and to which era of the protocol they belong by that.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::MODERN;
use super::message::{self, Call, Code, Error, Id, present, text_of};
use super::reply::Era;

/// What requests are given, of all methods.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Params<'a> {
    #[serde(rename = "_meta", borrow, default)]
    meta: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) protocol_version: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) cursor: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) name: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) arguments: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) request_id: Option<&'a RawValue>,
}

/// What each request says since 2026-07-28.
#[derive(Default, Deserialize)]
struct Meta<'a> {
    #[serde(
        rename = "io.modelcontextprotocol/protocolVersion",
        borrow,
        default,
        deserialize_with = "present"
    )]
    version: Option<&'a RawValue>,
    #[serde(rename = "io.modelcontextprotocol/clientCapabilities", borrow, default)]
    capabilities: Option<&'a RawValue>,
}

impl<'a> Params<'a> {
    /// Returns what `call` is given.
    pub(super) fn of(id: &Id, call: &Call<'a>) -> Result<Self, Error> {
        let Some(params) = call.params else {
            return Ok(Self::default());
        };
        message::object(params.get())
            .ok_or_else(|| invalid(id, "params is not an object with each key once"))
    }

    /// Returns the era of a request for `method`.
    pub(super) fn era(&self, id: &Id, method: &str, has_shaken_hands: bool) -> Result<Era, Error> {
        let (is_legacy, is_modern) = match method {
            // A handshake is one, whatever it carries.
            "initialize" => return Ok(Era::Legacy),
            "ping" => (true, false),
            "server/discover" => (false, true),
            "tools/list" | "tools/call" => (has_shaken_hands, true),
            _ => return Err(unknown_method(id)),
        };
        match self.is_stamped(id)? {
            true if is_modern => Ok(Era::Modern),
            true => Err(unknown_method(id)),
            false if is_legacy => Ok(Era::Legacy),
            false => Err(invalid(
                id,
                "_meta has no io.modelcontextprotocol/protocolVersion, and there was no initialize",
            )),
        }
    }

    /// Whether the request says what each has to say since 2026-07-28.
    fn is_stamped(&self, id: &Id) -> Result<bool, Error> {
        let meta: Meta<'_> = match self.meta {
            None => Meta::default(),
            Some(meta) => message::object(meta.get())
                .ok_or_else(|| invalid(id, "_meta is not an object with each key once"))?,
        };
        let Some(version) = meta.version else {
            return Ok(false);
        };
        let version = text_of(version).ok_or_else(|| invalid(id, "the version is not a string"))?;
        if !meta.capabilities.is_some_and(is_object) {
            let message = "_meta has no io.modelcontextprotocol/clientCapabilities";
            return Err(invalid(id, message));
        }
        match version == MODERN {
            true => Ok(true),
            false => Err(Error::new(
                Some(id.clone()),
                Code::UnsupportedVersion,
                "the version of the protocol is not supported",
            )),
        }
    }
}

pub(super) fn is_object(json: &RawValue) -> bool {
    json.get().starts_with('{')
}

pub(super) fn invalid(id: &Id, message: impl Into<String>) -> Error {
    Error::new(Some(id.clone()), Code::InvalidParams, message)
}

fn unknown_method(id: &Id) -> Error {
    let message = "there is no such method in this version of the protocol";
    Error::new(Some(id.clone()), Code::MethodNotFound, message)
}

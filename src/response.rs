//! What the service answered becomes an answer.

use std::io::{self, Read};

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use serde_json::value::RawValue;
use ureq::http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use ureq::http::{HeaderMap, HeaderValue, StatusCode};

use crate::error::{Failure, FailureCode, RequestSent};
use crate::input::Input;
use crate::output::{Answer, Body, Headers};

/// The greatest body of an answer, in bytes, both on the wire and decoded.
pub const MAX_BODY: usize = 10 << 20;

/// A whole answer as it came over the wire.
#[derive(Debug)]
pub struct Received {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, still compressed if it was.
    pub body: Vec<u8>,
}

/// The answer that stdout carries.
///
/// # Errors
///
/// The body is compressed and cannot be decoded, or not within bounds.
pub fn answer(received: &Received) -> Result<Answer, Failure> {
    let text = decoded_body(received).and_then(|body| whole_text(received, &body));
    let text = text.map_err(|error| {
        Failure::new(
            FailureCode::InvalidAnswer,
            format!(
                "the service answered with status {}, but the body of its answer cannot be read. Whether the action was \
                 cancelled is not known: read its status, or cancel it again.",
                received.status.as_u16()
            ),
        )
        .because(&error)
        .with_request_sent(RequestSent::Unknown)
    })?;
    Ok(Answer {
        status_code: received.status.as_u16(),
        reason: reason(received.status),
        response_headers: headers(&received.headers),
        body: body(text),
    })
}

/// The service's object as it is, or the text of anything else.
fn body(text: String) -> Body {
    match serde_json::from_str::<&RawValue>(&text) {
        Ok(value) if value.get().starts_with('{') => Body::Json(value.to_owned()),
        _ => Body::Text(text),
    }
}

/// Bytes that are not UTF-8 are shown as the replacement character: they can only stand in a text for people.
fn whole_text(received: &Received, body: &[u8]) -> io::Result<String> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let text = String::from_utf8_lossy(body).into_owned();
    // A body without a length ends with its connection, so that nothing but its grammar tells whether it is whole.
    let has_length = ["content-length", "transfer-encoding"]
        .iter()
        .any(|name| received.headers.contains_key(*name));
    if !has_length && !text.is_empty() && is_json(&received.headers) {
        match serde_json::from_str::<&RawValue>(&text) {
            Err(error) if error.is_eof() => return Err(error.into()),
            _ => {}
        }
    }
    Ok(text)
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type.is_some_and(|value| value.to_ascii_lowercase().starts_with(b"application/json"))
}

/// The standard phrase of `status`: the library's, but for those that RFC 9110 names otherwise or the registry does
/// not name at all.
fn reason(status: StatusCode) -> &'static str {
    match status.as_u16() {
        203 => "Non-Authoritative Information",
        413 => "Content Too Large",
        418 => "",
        422 => "Unprocessable Content",
        _ => status.canonical_reason().unwrap_or_default(),
    }
}

fn headers(headers: &HeaderMap) -> Headers {
    let names = headers.keys();
    let values_of = |name| {
        let values = headers.get_all(name).iter().map(value_text);
        values.collect::<Vec<String>>().join(", ")
    };
    Headers(
        names
            .map(|name| (Headers::spell(name.as_str()), values_of(name)))
            .collect(),
    )
}

/// A header's value is UTF-8, or else ISO 8859-1, as HTTP once had it.
fn value_text(value: &HeaderValue) -> String {
    let bytes = value.as_bytes();
    match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// The body without its compression (RFC 9110, section 8.4), which nobody asked for but a proxy may apply.
///
/// # Errors
///
/// The compression is unknown, damaged, cut short, or hides more than [`MAX_BODY`] bytes.
pub fn decoded_body(received: &Received) -> io::Result<Vec<u8>> {
    let mut body = received.body.clone();
    if body.is_empty() {
        return Ok(body);
    }
    let values = received.headers.get_all(CONTENT_ENCODING);
    let values: Vec<String> = values.iter().map(value_text).collect();
    let codings = values.iter().flat_map(|value| value.split(','));
    let codings: Vec<String> = codings
        .map(|coding| coding.trim().to_ascii_lowercase())
        .collect();
    // The coding that was applied last stands last.
    for coding in codings.iter().rev() {
        body = match coding.as_str() {
            "" | "identity" => body,
            "gzip" | "x-gzip" => bounded(MultiGzDecoder::new(body.as_slice()))?,
            "deflate" => inflate(&body)?,
            other => {
                return Err(io::Error::other(format!(
                    "unknown Content-Encoding {other:?}"
                )));
            }
        };
    }
    Ok(body)
}

/// `deflate` is zlib's format by the standard, and bare deflate by a widespread mistake.
fn inflate(body: &[u8]) -> io::Result<Vec<u8>> {
    match body {
        [method, flags, ..]
            if method & 0x0F == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0 =>
        {
            bounded(ZlibDecoder::new(body))
        }
        _ => bounded(DeflateDecoder::new(body)),
    }
}

fn bounded(decoder: impl Read) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    decoder.take(MAX_BODY as u64 + 1).read_to_end(&mut body)?;
    if body.len() > MAX_BODY {
        return Err(io::Error::other(format!(
            "the decoded body has more than {MAX_BODY} bytes"
        )));
    }
    Ok(body)
}

/// How long the service asks to wait before the next try, if it says so in seconds (RFC 9110, section 10.2.3).
#[must_use]
pub fn retry_after_seconds(received: &Received) -> Option<u64> {
    let value = received.headers.get(RETRY_AFTER)?;
    value.to_str().ok()?.trim().parse().ok()
}

/// What an answer that is no success means and what helps, for the one line on stderr. It does not repeat what the
/// service says, which names the application and the tenant; that is in the answer. `shortcoming` is what the token
/// lacks, where it can be read.
#[must_use]
pub fn advice(answer: &Answer, input: &Input, shortcoming: Option<&str>) -> String {
    let id = &input.path_parameters.machineactionid;
    let text = match answer.status_code {
        300..=399 => {
            "The step follows no redirect, so that the token goes to no other host: set MDE_BASE_URL to the API's own host."
        }
        400 | 404 if id.looks_like_device_id() => {
            "machineactionid has the form of a device id: give the id of the machine action."
        }
        400 => {
            "Check that machineactionid is the GUID of a machine action that is still pending, and that json_body has a Comment."
        }
        401 => "The token is not valid for this API: check MDE_SCOPE, MDE_BASE_URL and the tenant.",
        403 => {
            "Grant the application one of the permissions that allow a cancel (Machine.Isolate, Machine.Scan, \
             Machine.CollectForensics, …) with admin consent, or check MDE_SCOPE."
        }
        404 => {
            "There is no such machine action in this tenant; one that was just created may take a while to show."
        }
        409 => "The action is being changed by another call: read its status, then try again.",
        429 => "Wait as long as the answer's Retry-After header says, then try again.",
        500..=599 => {
            "Whether the action was cancelled is not known: read its status, or cancel it again shortly."
        }
        _ => "See the answer on stdout.",
    };
    let reason = answer.reason;
    let separator = if reason.is_empty() { "" } else { " " };
    let shortcoming = match (answer.status_code, shortcoming) {
        (401 | 403, Some(text)) => format!(" {text}"),
        _ => String::new(),
    };
    format!(
        "the service answered {}{separator}{reason}. {text}{shortcoming}",
        answer.status_code
    )
}

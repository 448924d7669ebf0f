//! What the service answered becomes an answer.

use std::borrow::Cow;
use std::io::{self, Read};
use std::time::SystemTime;

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use serde_json::value::RawValue;
use ureq::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, RETRY_AFTER, TRANSFER_ENCODING};
use ureq::http::{HeaderMap, HeaderValue, StatusCode};

use crate::call::pace::whole_seconds;
use crate::output::answer::{Answer, Body};
use crate::output::failure::{Failure, FailureCode, RequestSent};
use crate::output::headers::Headers;

/// The greatest body of an answer, in bytes, both on the wire and decoded.
pub const MAX_BODY: usize = 10 << 20;

/// The longest pause that is told: the greatest whole number that every reader of JSON keeps (RFC 8259, section 6).
const MAX_SECONDS: u64 = (1 << 53) - 1;

/// How many codings a body may have one over the other; each may blow it up anew.
const MAX_CODINGS: usize = 2;

/// A whole answer as it came over the wire.
#[derive(Debug)]
pub struct Received {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, still compressed if it was.
    pub body: Vec<u8>,
    /// What came of the tries, if there was more than this one; a sentence for messages.
    pub tries: String,
    /// Whether an earlier try was lost, which may have been carried out all the same.
    pub follows_lost: bool,
}

/// The answer that stdout carries.
///
/// # Errors
///
/// The body is compressed and cannot be decoded, or not within bounds.
pub fn answer(received: &Received) -> Result<Answer, Failure> {
    let body = whole_body(received).map_err(|error| unreadable(received, &error))?;
    Ok(Answer {
        status_code: received.status.as_u16(),
        reason: reason(received.status),
        response_headers: headers(&received.headers),
        body,
        outcome: None,
        advice: String::new(),
    })
}

fn unreadable(received: &Received, error: &io::Error) -> Failure {
    let status = received.status;
    let consequence = if status.is_redirection() || status.is_client_error() {
        "The cancel was refused."
    } else {
        "Whether the action was cancelled is not known: read its status, or cancel it again."
    };
    let message = format!(
        "the service answered with status {}, but the body of its answer cannot be read. {consequence}",
        status.as_u16()
    );
    Failure::new(FailureCode::InvalidAnswer, message)
        .because(error)
        .with_request_sent(RequestSent::Unknown)
}

/// The service's object as it is, or the text of anything else.
fn whole_body(received: &Received) -> io::Result<Body> {
    let has_length = has_length(&received.headers)?;
    let body = decoded_body(received)?;
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&body);
    let Ok(text) = str::from_utf8(body) else {
        // JSON is UTF-8: what is not is a text for people.
        return Ok(Body::Text(String::from_utf8_lossy(body).into_owned()));
    };
    match serde_json::from_str::<&RawValue>(text) {
        Ok(value) if value.get().starts_with('{') => Ok(Body::Json(value.to_owned())),
        // A body without a length ends with its connection: nothing but its grammar tells whether it is whole.
        Err(error)
            if error.is_eof() && !has_length && text.trim_start().starts_with(['{', '[']) =>
        {
            Err(error.into())
        }
        _ => Ok(Body::Text(text.to_owned())),
    }
}

/// Whether the end of the body was marked by more than the end of the connection (RFC 9112, section 6.3).
fn has_length(headers: &HeaderMap) -> io::Result<bool> {
    match headers.get(TRANSFER_ENCODING).map(HeaderValue::as_bytes) {
        None => Ok(headers.contains_key(CONTENT_LENGTH)),
        Some(coding) if coding.eq_ignore_ascii_case(b"chunked") => Ok(true),
        Some(coding) if coding.eq_ignore_ascii_case(b"identity") => {
            Ok(headers.contains_key(CONTENT_LENGTH))
        }
        Some(_) => Err(io::Error::other("unknown Transfer-Encoding")),
    }
}

/// The standard phrase of `status`: the library's, but for those that RFC 9110 names otherwise or the registry does
/// not name at all.
pub(crate) fn reason(status: StatusCode) -> &'static str {
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
pub fn decoded_body(received: &Received) -> io::Result<Cow<'_, [u8]>> {
    let mut body = Cow::Borrowed(received.body.as_slice());
    if body.is_empty() {
        return Ok(body);
    }
    let values = received.headers.get_all(CONTENT_ENCODING).iter();
    let values: Vec<String> = values.map(value_text).collect();
    let codings = values.iter().flat_map(|value| value.split(','));
    let codings: Vec<String> = codings
        .map(|coding| coding.trim().to_ascii_lowercase())
        .filter(|coding| !matches!(coding.as_str(), "" | "identity"))
        .collect();
    if codings.len() > MAX_CODINGS {
        return Err(io::Error::other("more than two Content-Encodings"));
    }
    // The coding that was applied last stands last.
    for coding in codings.iter().rev() {
        body = Cow::Owned(match coding.as_str() {
            "gzip" | "x-gzip" => bounded(MultiGzDecoder::new(&*body))?,
            "deflate" => inflate(&body)?,
            known @ ("br" | "zstd" | "compress") => {
                return Err(io::Error::other(format!(
                    "unknown Content-Encoding {known:?}"
                )));
            }
            // Any other is not shown: it may repeat what was sent, the token, too.
            _ => return Err(io::Error::other("unknown Content-Encoding")),
        });
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

/// How long the service asks to wait before the next try: in seconds, or until a date (RFC 9110, section 10.2.3).
#[must_use]
pub fn retry_after_seconds(received: &Received) -> Option<u64> {
    let text = received.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than fits is still a number: not to understand it would mean to come back at once.
        return Some(text.parse().unwrap_or(u64::MAX).min(MAX_SECONDS));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let wait = date.duration_since(SystemTime::now()).unwrap_or_default();
    Some(whole_seconds(wait))
}

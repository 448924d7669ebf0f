//! What came over the wire, and what it says of itself.

use std::borrow::Cow;
use std::io::{self, Read};
use std::time::SystemTime;

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ureq::http::header::{CONTENT_ENCODING, RETRY_AFTER};
use ureq::http::{HeaderMap, HeaderValue, StatusCode};

use crate::call::pace::whole_seconds;

/// The greatest body of an answer, in bytes, both on the wire and decoded.
pub(crate) const MAX_BODY: usize = 10 << 20;

/// The longest pause that is reported: the greatest whole number that every reader of JSON keeps (RFC 8259, section 6).
const MAX_SECONDS: u64 = (1 << 53) - 1;

/// How many codings a body may have one over the other; each may blow it up anew.
const MAX_CODINGS: usize = 2;

/// A whole answer as it came over the wire.
#[derive(Debug)]
pub struct Received {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, still compressed if it was.
    pub body: Vec<u8>,
}

/// A header's value is UTF-8, or else ISO 8859-1, as HTTP once had it.
pub(super) fn value_text(value: &HeaderValue) -> String {
    let bytes = value.as_bytes();
    match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// Returns the body without its compression (RFC 9110, section 8.4), which nobody asked for but a proxy may apply. Fails
/// if the compression is unknown, damaged, cut short, or hides more than [`MAX_BODY`] bytes.
pub(crate) fn decoded_body(received: &Received) -> io::Result<Cow<'_, [u8]>> {
    let mut body = Cow::Borrowed(received.body.as_slice());
    if body.is_empty() {
        return Ok(body);
    }
    let codings = codings(&received.headers);
    if codings.len() > MAX_CODINGS {
        return Err(io::Error::other("more than two Content-Encodings"));
    }
    // The coding that was applied last stands last.
    for coding in codings.iter().rev() {
        body = Cow::Owned(decoded(&body, coding)?);
    }
    Ok(body)
}

/// Returns the names of the codings, in the order in which they were applied.
fn codings(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(CONTENT_ENCODING).iter().map(value_text);
    let values = values.collect::<Vec<_>>().join(",").to_ascii_lowercase();
    let codings = values.split(',').map(str::trim);
    let is_coding = |coding: &&str| !matches!(*coding, "" | "identity");
    codings.filter(is_coding).map(str::to_owned).collect()
}

fn decoded(body: &[u8], coding: &str) -> io::Result<Vec<u8>> {
    match coding {
        "gzip" | "x-gzip" => bounded(MultiGzDecoder::new(body)),
        "deflate" => inflate(body),
        "br" | "zstd" | "compress" => Err(io::Error::other(format!(
            "unknown Content-Encoding {coding:?}"
        ))),
        // Any other is not shown: it may repeat what was sent, the token, too.
        _ => Err(io::Error::other("unknown Content-Encoding")),
    }
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

/// Returns how long the service asks to wait before the next try, in seconds; it may name a date (RFC 9110, section 10.2.3).
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

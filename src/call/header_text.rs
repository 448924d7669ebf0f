//! The value of a header as text.

use ureq::http::HeaderValue;

/// A header's value is UTF-8, or else ISO 8859-1, as HTTP once had it.
pub(super) fn header_text(value: &HeaderValue) -> String {
    let bytes = value.as_bytes();
    match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

//! What was received becomes an answer.

use std::io;

use serde_json::value::RawValue;
use ureq::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use ureq::http::{HeaderMap, HeaderValue, StatusCode};

use crate::call::header_text::header_text;
use crate::call::received::{Received, retry_after_seconds};
use crate::output::answer::{Answer, Body};
use crate::output::failure::{Failure, FailureCode, RequestSent};
use crate::output::headers::Headers;
use crate::output::retry_policy::may_pass;

/// Returns the answer to a cancel that stdout carries; fails if the body cannot be decoded within bounds, or is cut short.
pub(crate) fn cancel(received: &Received) -> Result<Answer, Failure> {
    answer(received).map_err(|error| unreadable(received, &error))
}

/// The same of a read.
pub(crate) fn read(received: &Received) -> Result<Answer, Failure> {
    answer(received).map_err(|error| {
        let status = received.status.as_u16();
        let message = format!(
            "the service answered with status {status}, but the body of its answer cannot be read. Check MDE_BASE_URL and any \
             proxy in between."
        );
        invalid_answer(received, message, &error)
    })
}

fn answer(received: &Received) -> io::Result<Answer> {
    let body = match &received.body {
        Ok(body) => whole_body(&received.headers, body)?,
        Err(error) => return Err(io::Error::new(error.kind(), error.to_string())),
    };
    let status_code = received.status.as_u16();
    let is_success = received.status.is_success();
    Ok(Answer {
        status_code,
        reason: reason(received.status),
        response_headers: headers(&received.headers),
        body,
        outcome: None,
        retryable: (!is_success).then(|| may_pass(status_code)),
        retry_after_seconds: (!is_success)
            .then(|| retry_after_seconds(received))
            .flatten(),
        is_doubtful: false,
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
    invalid_answer(received, message, error).with_request_sent(RequestSent::Unknown)
}

/// The failure of an answer whose body cannot be read: what its status and its headers say of another try holds all the same.
fn invalid_answer(received: &Received, message: String, error: &io::Error) -> Failure {
    let status = received.status;
    Failure {
        retryable: status.is_success() || may_pass(status.as_u16()),
        retry_after_seconds: retry_after_seconds(received).filter(|_| !status.is_success()),
        ..Failure::new(FailureCode::InvalidAnswer, message)
    }
    .because(error)
}

/// The service's object as it is, or the text of anything else.
fn whole_body(headers: &HeaderMap, body: &[u8]) -> io::Result<Body> {
    let has_length = has_length(headers)?;
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
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
        let values = headers.get_all(name).iter().map(header_text);
        values.collect::<Vec<String>>().join(", ")
    };
    Headers(
        names
            .map(|name| (Headers::spell(name.as_str()), values_of(name)))
            .collect(),
    )
}

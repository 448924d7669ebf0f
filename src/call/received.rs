//! What came over the wire, and what it says of itself.

use std::io;
use std::time::SystemTime;

use ureq::Body;
use ureq::http::header::{DATE, RETRY_AFTER};
use ureq::http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::call::pace::whole_seconds;
use crate::call::streamed_body::{Loss, Unread};
use crate::output::failure::Failure;

/// The longest pause that is reported: the greatest whole number that every reader of JSON keeps (RFC 8259, section 6).
const MAX_SECONDS: u64 = (1 << 53) - 1;

/// A whole answer as it came over the wire.
pub struct Received {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// How many bytes its body had on the wire.
    pub length: usize,
    /// Its decoded body, or why it cannot be decoded.
    pub body: io::Result<Vec<u8>>,
    /// The body that is still to be read, of the success of a call that is streamed; then `body` is empty.
    pub unread: Option<Unread>,
}

impl Received {
    /// Returns an answer whose body is read later. Fails if the connection broke before the first bytes of it came.
    pub(super) fn streamed(response: Response<Body>, loss: Loss) -> Result<Self, Failure> {
        let (head, body) = response.into_parts();
        let (body, unread) = match Unread::begin(&head.headers, body, loss)? {
            Ok(unread) => (Ok(Vec::new()), Some(unread)),
            Err(error) => (Err(error), None),
        };
        Ok(Self {
            status: head.status,
            headers: head.headers,
            length: 0,
            body,
            unread,
        })
    }

    /// Returns the decoded body; nothing if it cannot be decoded.
    pub(crate) fn decoded(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }
}

/// Returns how long the service asks to wait before the next try, in seconds: the longest, if it asks more than once.
pub fn retry_after_seconds(received: &Received) -> Option<u64> {
    // It counts from when the service answered: this machine's clock may be another.
    let date = received.headers.get(DATE).and_then(date_in);
    let answered_at = date.unwrap_or_else(SystemTime::now);
    let asked = received.headers.get_all(RETRY_AFTER).iter();
    asked
        .filter_map(|value| seconds_in(value, answered_at))
        .max()
}

/// Returns what a `Retry-After` says that came `answered_at`: seconds or a date (RFC 9110, section 10.2.3).
fn seconds_in(value: &HeaderValue, answered_at: SystemTime) -> Option<u64> {
    let text = value.to_str().ok()?.trim();
    let several = text.split(',').map(str::trim);
    if several.clone().all(is_number) {
        // More than fits is still a number: not to understand it would mean to come back at once.
        let seconds = several.map(|text| text.parse().unwrap_or(u64::MAX));
        return Some(seconds.max()?.min(MAX_SECONDS));
    }
    let date = date_in(value)?;
    // Before the answer itself: one of the two dates is wrong.
    let wait = date.duration_since(answered_at);
    let wait = wait.or_else(|_| date.duration_since(SystemTime::now()));
    Some(whole_seconds(wait.unwrap_or_default()))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn date_in(value: &HeaderValue) -> Option<SystemTime> {
    httpdate::parse_http_date(value.to_str().ok()?.trim()).ok()
}

//! What became of the tries of one call, and what comes next.

use std::fmt;
use std::mem;
use std::time::{Duration, Instant};

use crate::call::Call;
use crate::call::backoff;
use crate::call::received::Received;
use crate::output::failure::{Failure, FailureCode, RequestSent};

/// The tries of one call. Displayed, they are a clause for messages: empty if there was only one.
pub(crate) struct Tries {
    begun: Instant,
    said: Vec<String>,
    /// Whether one was lost, which may have been carried out all the same.
    pub(crate) was_lost: bool,
    /// Whether one may have changed something: it was lost after it was sent, or answered.
    pub(super) may_have_arrived: bool,
    was_repeated_at_once: bool,
}

impl Tries {
    /// No try yet; the first begins now.
    pub(crate) fn begin() -> Self {
        Self {
            begun: Instant::now(),
            said: Vec::new(),
            was_lost: false,
            may_have_arrived: false,
            was_repeated_at_once: false,
        }
    }

    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.said.len()).unwrap_or(u32::MAX)
    }

    /// Returns the last try in a few words.
    pub(super) fn last(&self) -> &str {
        self.said.last().map_or("", String::as_str)
    }

    /// Notes one more try of `call`.
    pub(super) fn note(&mut self, call: &Call, outcome: &Result<Received, Failure>) {
        self.said.push(match outcome {
            Ok(received) => {
                self.may_have_arrived |= call.may_change_something;
                format!("HTTP {}", received.status.as_u16())
            }
            Err(failure) => {
                self.was_lost |= failure.request_sent == RequestSent::Unknown;
                self.may_have_arrived |= self.was_lost;
                failure.what().to_owned()
            }
        });
    }

    /// Returns how long to wait before the next try of `call`, after the last one ended in `outcome`; `None` if that stands.
    /// One that was lost on a connection that was kept alive is repeated at once, but only once: the server has closed it
    /// just as the request went out.
    pub(super) fn next(
        &mut self,
        call: &Call,
        outcome: &Result<Received, Failure>,
        was_on_kept_connection: bool,
        longest_pause: Duration,
    ) -> Option<Duration> {
        let is_broken =
            matches!(outcome, Err(failure) if failure.code == FailureCode::NetworkError);
        if is_broken
            && was_on_kept_connection
            && !mem::replace(&mut self.was_repeated_at_once, true)
        {
            return Some(Duration::ZERO);
        }
        backoff::pause(call, outcome.as_ref(), self.count(), longest_pause)
    }

    /// Returns `failure` with all tries in its message, and whether the request may have been sent in any of them.
    pub(crate) fn explain(&self, mut failure: Failure) -> Failure {
        failure.message += &self.to_string();
        if self.may_have_arrived {
            failure.request_sent = RequestSent::Unknown;
        }
        failure
    }
}

impl fmt::Display for Tries {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.said.len() < 2 {
            return Ok(());
        }
        let (count, seconds) = (self.said.len(), self.begun.elapsed().as_secs_f64());
        let groups: Vec<&[String]> = self.said.chunk_by(PartialEq::eq).collect();
        let told = match groups.as_slice() {
            [same] => format!("all: {}", same.first().map_or("", String::as_str)),
            groups => groups
                .iter()
                .map(|group| told(group))
                .collect::<Vec<_>>()
                .join(", then "),
        };
        write!(formatter, " ({count} attempts in {seconds:.1} s, {told})")
    }
}

/// Tries that ended the same way.
fn told(group: &[String]) -> String {
    let said = group.first().map_or("", String::as_str);
    match group.len() {
        1 => said.to_owned(),
        count => format!("{count} times {said}"),
    }
}

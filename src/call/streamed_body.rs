//! A body that is read as it comes, because it may be larger than what is kept in memory.

use std::io::{self, BufRead, BufReader};
use std::time::Duration;

use ureq::http::HeaderMap;
use ureq::{Body, Error};

use crate::call::decompression;
use crate::call::diagnosis::{self, Peer};
use crate::call::wire::progress::{Progress, Stage};
use crate::output::failure::{Failure, FailureCode, RequestSent};
use crate::waiting::interrupt::Interrupt;

/// How much is read from the connection at once, in bytes.
const CHUNK: usize = 16 << 10;

/// The rest of an answer whose head has come, and the first bytes of whose body.
pub struct Unread {
    pub(super) body: Box<dyn BufRead>,
    /// What knows why it breaks.
    pub(super) loss: Loss,
}

impl Unread {
    /// Reads the first bytes of `body`, and leaves the others; or says why it cannot be decoded. Fails if the
    /// connection broke before they came.
    pub(super) fn begin(
        headers: &HeaderMap,
        body: Body,
        loss: Loss,
    ) -> Result<io::Result<Self>, Failure> {
        let mut body = BufReader::with_capacity(CHUNK, body.into_reader());
        if let Err(error) = body.fill_buf() {
            return Err(loss.explain(&error.into()));
        }
        let body = decompression::decoder(headers, body);
        Ok(body.map(|body| Self { body, loss }))
    }
}

/// What is known of a call in hand, to say why there is no answer, or only a part of one.
pub(super) struct Loss {
    pub(super) peer: Peer,
    pub(super) progress: Progress,
    pub(super) interrupt: Interrupt,
}

impl Drop for Loss {
    /// The call is over: its answer is read, or lost.
    fn drop(&mut self) {
        self.progress.end();
    }
}

impl Loss {
    /// Returns the failure of a call that `error` ended.
    pub(super) fn explain(&self, error: &Error) -> Failure {
        let stage = self.progress.stage();
        let failure = match self.interrupt.status() {
            Some(_) => diagnosis::broken_off(stage, &self.peer),
            None => diagnosis::explain(error, stage, &self.peer),
        };
        match stage >= Stage::Send && self.peer.call.may_change_something {
            true => failure.with_request_sent(RequestSent::Unknown),
            false => failure,
        }
    }

    /// Returns the failure of a body that `error` ended.
    pub(super) fn explain_body(&self, error: io::Error) -> Failure {
        match error.kind() {
            // What the decoders say; what the connection says is of other kinds, or ureq's.
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => self
                .not_as_expected("that cannot be decoded")
                .because(&error),
            _ => self.explain(&error.into()),
        }
    }

    /// Returns the failure of an answer that is something else than it should be: `what` says so.
    pub(super) fn not_as_expected(&self, what: &str) -> Failure {
        let message = format!(
            "{} answered something {what}. {} Check {} and any proxy in between.",
            self.peer.host, self.peer.call.if_lost, self.peer.call.host_setting
        );
        Failure {
            retryable: false,
            ..Failure::new(FailureCode::InvalidAnswer, message)
        }
    }

    /// Whether the connection ended without a proper close.
    pub(super) fn broke_off(&self) -> bool {
        self.progress.broke_off()
    }

    /// Notes that for so long nothing was read, because what had been read was not taken: this does not count.
    pub(super) fn was_held_up(&self, time: Duration) {
        if !time.is_zero() {
            self.progress.extend(time);
        }
    }
}

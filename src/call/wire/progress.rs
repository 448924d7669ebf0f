//! How far a call has come: ureq's errors do not say what was sent before them.

use std::sync::atomic::{
    AtomicBool, AtomicU8,
    Ordering::{Relaxed, SeqCst},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ureq::http::Uri;
use ureq::unversioned::transport::{NextTimeout, time};

use crate::call::Call;
use crate::waiting::deadline::Deadline;

/// The stages of a call, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Stage {
    /// The host's address is looked up.
    Resolve,
    /// A connection is opened.
    Connect,
    /// The TLS handshake is made.
    Handshake,
    /// The request is sent: from here on the service may have some of it.
    Send,
    /// The answer's headers are waited for.
    Wait,
    /// The answer's body is read.
    Read,
}

impl Stage {
    const ALL: [Self; 6] = [
        Self::Resolve,
        Self::Connect,
        Self::Handshake,
        Self::Send,
        Self::Wait,
        Self::Read,
    ];
}

/// The stage that a call has reached, shared with the links of the chain.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress(Arc<Notes>);

#[derive(Debug, Default)]
struct Notes {
    /// Host and port that the call is to, and its deadline. What is done with a proxy on the way there is part of
    /// connecting.
    target: Mutex<Option<(String, Deadline)>>,
    /// The stage, and [`CLOSED`].
    stage: AtomicU8,
    /// Whether a call of the API is in hand.
    is_of_the_api: AtomicBool,
    /// Whether the call may change something.
    changes: AtomicBool,
    /// Whether one that may change something has begun to be sent since [`Progress::forget_sent`].
    was_sent: AtomicBool,
    has_connected: AtomicBool,
    broke_off: AtomicBool,
}

/// Nothing more may be sent.
const CLOSED: u8 = 0x80;

impl Progress {
    /// Begins a new try of `call`, to `uri`.
    pub(crate) fn restart(&self, call: &Call, uri: &Uri, deadline: Deadline) {
        *self.target() = Some((authority(uri), deadline));
        self.0.stage.fetch_and(CLOSED, SeqCst);
        self.0.is_of_the_api.store(call.is_of_the_api, Relaxed);
        self.0.changes.store(call.may_change_something, Relaxed);
        self.0.has_connected.store(false, Relaxed);
        self.0.broke_off.store(false, Relaxed);
    }

    /// Notes that the try is over.
    pub(crate) fn end(&self) {
        self.0.is_of_the_api.store(false, Relaxed);
    }

    /// Notes that the first byte of the request is about to be sent. Returns `false` if it must not be any more.
    pub(super) fn begin_to_send(&self) -> bool {
        let send = |stage| (stage < CLOSED).then(|| (Stage::Send as u8).max(stage));
        let begun = self.0.stage.fetch_update(SeqCst, SeqCst, send).is_ok();
        if begun && self.0.changes.load(Relaxed) {
            self.0.was_sent.store(true, SeqCst);
        }
        begun || self.stage() >= Stage::Send
    }

    /// Lets no further request be sent. Returns whether one is in hand that may end: a call of the API, not a sign-in.
    pub(crate) fn close(&self) -> bool {
        self.0.stage.fetch_or(CLOSED, SeqCst);
        self.stage() >= Stage::Send && self.0.is_of_the_api.load(Relaxed)
    }

    /// Whether a request that may change something was sent, or a part of it.
    pub(crate) fn was_sent(&self) -> bool {
        self.0.was_sent.load(SeqCst)
    }

    /// Forgets what was sent: another action is worked on.
    pub(crate) fn forget_sent(&self) {
        self.0.was_sent.store(false, SeqCst);
    }

    /// Moves the deadline of the call by `time`.
    pub(crate) fn extend(&self, time: Duration) {
        if let Some((_, deadline)) = &mut *self.target() {
            *deadline = deadline.later(time);
        }
    }

    /// Returns `timeout`, or what is left until the call's deadline if that is less.
    pub(super) fn shorten(&self, mut timeout: NextTimeout) -> NextTimeout {
        if let Some((_, deadline)) = &*self.target() {
            let left = time::Duration::Exact(deadline.remaining());
            timeout.after = match timeout.after {
                time::Duration::Exact(after) => time::Duration::Exact(after.min(*left)),
                time::Duration::NotHappening => left,
            };
        }
        timeout
    }

    /// Whether `uri` is at the host that the call is to, not at a proxy on the way there.
    pub(super) fn is_target(&self, uri: &Uri) -> bool {
        let target = self.target();
        target
            .as_ref()
            .is_some_and(|(host, _)| *host == authority(uri))
    }

    fn target(&self) -> MutexGuard<'_, Option<(String, Deadline)>> {
        self.0.target.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the call is at least at `stage` now.
    pub(crate) fn reach(&self, stage: Stage) {
        let later = |now: u8| Some((now & CLOSED) | (now & !CLOSED).max(stage as u8));
        let _ = self.0.stage.fetch_update(SeqCst, SeqCst, later);
    }

    /// Notes that the call opens a connection.
    pub(super) fn connects(&self) {
        self.0.has_connected.store(true, Relaxed);
    }

    /// Whether the call went out on a connection that an earlier call had opened.
    pub(crate) fn is_on_kept_connection(&self) -> bool {
        self.stage() >= Stage::Send && !self.0.has_connected.load(Relaxed)
    }

    /// Returns the stage that the call has reached.
    pub(crate) fn stage(&self) -> Stage {
        let number = usize::from(self.0.stage.load(SeqCst) & !CLOSED);
        Stage::ALL.get(number).copied().unwrap_or(Stage::Read)
    }

    /// Notes that the connection ended without a proper close.
    pub(super) fn breaks_off(&self) {
        self.0.broke_off.store(true, Relaxed);
    }

    /// Whether the connection ended without a proper close (TLS without `close_notify`, a reset). ureq takes such an
    /// end for the end of a body that has no length; RFC 9112, section 9.8, takes the body for incomplete.
    pub(crate) fn broke_off(&self) -> bool {
        self.0.broke_off.load(Relaxed)
    }
}

fn authority(uri: &Uri) -> String {
    uri.authority().map(ToString::to_string).unwrap_or_default()
}

//! How far a call has come: ureq's errors do not say what was sent before them.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ureq::http::Uri;
use ureq::unversioned::transport::{NextTimeout, time};

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
    stage: AtomicU8,
    has_connected: AtomicBool,
    broke_off: AtomicBool,
}

impl Progress {
    /// Begins a new call, of `uri`.
    pub(crate) fn restart(&self, uri: &Uri, deadline: Deadline) {
        *self.target() = Some((authority(uri), deadline));
        self.0.stage.store(0, Ordering::Relaxed);
        self.0.has_connected.store(false, Ordering::Relaxed);
        self.0.broke_off.store(false, Ordering::Relaxed);
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
        self.0.stage.fetch_max(stage as u8, Ordering::Relaxed);
    }

    /// Notes that the call opens a connection.
    pub(super) fn connects(&self) {
        self.0.has_connected.store(true, Ordering::Relaxed);
    }

    /// Whether the call went out on a connection that an earlier call had opened.
    pub(crate) fn is_on_kept_connection(&self) -> bool {
        self.stage() >= Stage::Send && !self.0.has_connected.load(Ordering::Relaxed)
    }

    /// Returns the stage that the call has reached.
    pub(crate) fn stage(&self) -> Stage {
        let number = usize::from(self.0.stage.load(Ordering::Relaxed));
        Stage::ALL.get(number).copied().unwrap_or(Stage::Read)
    }

    /// Notes that the connection ended without a proper close.
    pub(super) fn breaks_off(&self) {
        self.0.broke_off.store(true, Ordering::Relaxed);
    }

    /// Whether the connection ended without a proper close (TLS without `close_notify`, a reset). ureq takes such an
    /// end for the end of a body that has no length; RFC 9112, section 9.8, takes the body for incomplete.
    pub(crate) fn broke_off(&self) -> bool {
        self.0.broke_off.load(Ordering::Relaxed)
    }
}

fn authority(uri: &Uri) -> String {
    uri.authority().map(ToString::to_string).unwrap_or_default()
}

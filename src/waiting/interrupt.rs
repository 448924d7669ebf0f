//! Waiting that can be cut short: by a signal, if one is listened for.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::output::exit_status::ExitStatus;

/// Whether the process was told to stop, shared with whoever hears of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// The status that the process is to end with.
    status: Mutex<Option<ExitStatus>>,
    heard: Condvar,
}

impl Interrupt {
    /// Wakes everybody who waits; the process is to end with `status`, unless it is to end already.
    pub(crate) fn stop(&self, status: ExitStatus) {
        let mut told = self.0.status.lock().unwrap_or_else(PoisonError::into_inner);
        told.get_or_insert(status);
        self.0.heard.notify_all();
    }

    /// Forgets that a stop was told: it was meant for a call that is over.
    pub(crate) fn resume(&self) {
        *self.0.status.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns the status that the process is to end with, if it was told to stop.
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        *self.0.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for `pause`, or until the process is told to stop.
    pub(crate) fn wait(&self, pause: Duration) {
        let told = self.0.status.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .0
            .heard
            .wait_timeout_while(told, pause, |told| told.is_none());
        drop(waited);
    }
}

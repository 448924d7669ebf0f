//! The one time limit of a run.

use std::time::{Duration, Instant};

/// The moment at which a run gives up, and the limit that it follows from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    limit: Duration,
}

impl Deadline {
    /// Returns the moment that is `limit` from now.
    pub(crate) fn after(limit: Duration) -> Self {
        Self {
            at: Instant::now() + limit,
            limit,
        }
    }

    /// Returns the moment that is `time` later.
    pub(crate) fn later(self, time: Duration) -> Self {
        Self {
            at: self.at + time,
            ..self
        }
    }

    /// Returns the time that is left; zero once the deadline has passed.
    pub(crate) fn remaining(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Returns the whole time limit, for messages.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }
}

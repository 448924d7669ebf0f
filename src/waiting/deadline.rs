//! The one time limit of a run.

use std::time::{Duration, Instant};

/// The moment at which a run gives up, and the limit that it follows from.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    at: Instant,
    limit: Duration,
}

impl Deadline {
    /// The deadline that is `limit` from now.
    #[must_use]
    pub fn after(limit: Duration) -> Self {
        Self {
            at: Instant::now() + limit,
            limit,
        }
    }

    /// The time that is left; zero when the deadline has passed.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// The whole time limit, for messages.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.limit
    }
}

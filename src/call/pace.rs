//! How fast a batch may call, so that it never earns a 429 by itself: pure, the clock is handed in.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The longest pause that a batch waits for: the longest window of the service's limits.
pub const LONGEST_PAUSE: Duration = HOUR;

/// A pause that a service asked for. It is kept by its length, because a service may ask for more than clocks can count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pause {
    begun: Instant,
    length: Duration,
}

impl Pause {
    /// A pause of `length` that begins at `begun`.
    pub(crate) fn new(begun: Instant, length: Duration) -> Self {
        Self { begun, length }
    }

    /// What is left of it at `now`.
    pub(crate) fn left(&self, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.begun);
        self.length.saturating_sub(passed)
    }
}

/// `time` in whole seconds, rounded up: whoever waits so long comes back no sooner than asked.
pub(crate) fn whole_seconds(time: Duration) -> u64 {
    time.as_secs()
        .saturating_add(u64::from(time.subsec_nanos() > 0))
}

/// The pace of the calls to one API.
///
/// Within a minute the calls are spread, but for a few at the beginning: in no stretch of time, however the service cuts
/// it, are there more than the minute's limit allows for it. Within an hour they are counted.
#[derive(Debug)]
pub struct Pacer {
    /// Between two calls; zero if the minute is not limited.
    spacing: Duration,
    /// How far the calls may be ahead of their spacing.
    allowance: Duration,
    /// When the next call would be due if all were evenly spaced.
    due: Option<Instant>,
    per_hour: usize,
    /// The calls of the last hour; no more than the hour's limit.
    last_hour: VecDeque<Instant>,
    /// What the service has asked for.
    asked: Option<Pause>,
}

impl Pacer {
    /// A pacer for so many calls in a minute and in an hour; 0 is no limit.
    pub fn new(per_minute: u32, per_hour: u32) -> Self {
        // A tenth of the limit, ten calls at most, may come at once; the others share nine tenths of the minute's limit.
        let burst = (per_minute / 10).clamp(1, 10) - 1;
        let spacing = match per_minute {
            0 => Duration::ZERO,
            _ => MINUTE.mul_f64(1.0 / (f64::from(per_minute) * 0.9)),
        };
        Self {
            spacing,
            allowance: spacing * burst,
            due: None,
            per_hour: usize::try_from(per_hour).unwrap_or(usize::MAX),
            last_hour: VecDeque::new(),
            asked: None,
        }
    }

    /// How long a call that is ready at `now` has to wait.
    pub fn wait(&self, now: Instant) -> Duration {
        let by_minute = self.due.and_then(|due| due.checked_sub(self.allowance));
        let by_hour = match self.last_hour.front() {
            Some(oldest) if self.per_hour > 0 && self.last_hour.len() >= self.per_hour => {
                Some(*oldest + HOUR)
            }
            _ => None,
        };
        let latest = by_minute.max(by_hour);
        let by_pace = latest.map_or(Duration::ZERO, |time| time.saturating_duration_since(now));
        by_pace.max(self.asked(now))
    }

    /// What is left at `now` of the pause that the service has asked for.
    pub fn asked(&self, now: Instant) -> Duration {
        self.asked.map_or(Duration::ZERO, |pause| pause.left(now))
    }

    /// Notes a call at `now`.
    pub fn called(&mut self, now: Instant) {
        if !self.spacing.is_zero() {
            self.due = Some(self.due.map_or(now, |due| due.max(now)) + self.spacing);
        }
        if self.per_hour > 0 {
            let is_over = |call: &Instant| now.saturating_duration_since(*call) >= HOUR;
            while self.last_hour.len() >= self.per_hour
                || self.last_hour.front().is_some_and(is_over)
            {
                self.last_hour.pop_front();
            }
            self.last_hour.push_back(now);
        }
    }

    /// The service asks at `now` to wait for `time`; a pause that ends later stands.
    pub fn pause(&mut self, now: Instant, time: Duration) {
        if time > self.asked(now) {
            self.asked = Some(Pause::new(now, time));
        }
    }
}

//! How fast a batch may call, so that it never earns a 429 by itself: pure, the clock is handed in.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

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
    /// The service has asked to wait until then.
    paused_until: Option<Instant>,
}

impl Pacer {
    /// A pacer for so many calls in a minute and in an hour; 0 is no limit.
    #[must_use]
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
            paused_until: None,
        }
    }

    /// How long a call that is ready at `now` has to wait.
    #[must_use]
    pub fn wait(&self, now: Instant) -> Duration {
        let by_minute = self.due.and_then(|due| due.checked_sub(self.allowance));
        let by_hour = match self.last_hour.front() {
            Some(oldest) if self.per_hour > 0 && self.last_hour.len() >= self.per_hour => {
                Some(*oldest + HOUR)
            }
            _ => None,
        };
        let times = [by_minute, by_hour, self.paused_until];
        let latest = times.into_iter().flatten().max();
        latest.map_or(Duration::ZERO, |time| time.saturating_duration_since(now))
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

    /// The service asks to wait until `time`; `None` is longer than can be counted.
    pub fn pause_until(&mut self, time: Option<Instant>) {
        let time = time.unwrap_or_else(|| Instant::now() + DAY);
        self.paused_until = Some(self.paused_until.map_or(time, |until| until.max(time)));
    }
}

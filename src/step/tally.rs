//! How far a batch is, and who hears of it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::output::exit_status::ExitStatus;
use crate::output::log::Log;
use crate::output::outcome::Outcome;

/// A pause of which everybody hears.
const LONG_PAUSE: Duration = Duration::from_secs(10);
/// How often a batch reports how far it is, where no person watches.
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// How many lines are done.
#[derive(Default)]
pub(super) struct Count {
    done: AtomicU64,
    cancelled: AtomicU64,
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = self.done.load(Ordering::Relaxed);
        let cancelled = self.cancelled.load(Ordering::Relaxed);
        let failed = done.saturating_sub(cancelled);
        write!(
            formatter,
            "{done} done, {cancelled} cancelled, {failed} failed"
        )
    }
}

/// Counts the lines, and reports how far they are.
pub(super) struct Tally {
    /// Shared with whoever speaks last if the process is stopped.
    pub(super) count: Arc<Count>,
    /// The worst status of a line.
    pub(super) worst: ExitStatus,
    reported: Instant,
}

impl Tally {
    pub(super) fn new(count: Arc<Count>) -> Self {
        Self {
            count,
            worst: ExitStatus::Accepted,
            reported: Instant::now(),
        }
    }

    /// Counts a line that is written.
    pub(super) fn add(&mut self, outcome: &Outcome) {
        let status = outcome.exit_status();
        let is_cancelled = u64::from(status == ExitStatus::Accepted);
        self.worst = self.worst.max(status);
        self.count
            .cancelled
            .fetch_add(is_cancelled, Ordering::Relaxed);
        self.count.done.fetch_add(1, Ordering::Relaxed);
    }

    /// Reports how many lines are done: to a person at once, otherwise once a minute.
    pub(super) fn report(&mut self, log: &mut Log<'_>) {
        self.report_with("", false, log);
    }

    /// Reports the same with what is left of a pause; that a long one begins is reported at once.
    pub(super) fn report_pause(&mut self, left: Duration, begins: bool, log: &mut Log<'_>) {
        let pause = match left.as_secs() {
            0 => String::new(),
            seconds => format!("; pausing for the service's limits, {seconds} s left"),
        };
        self.report_with(&pause, begins && left >= LONG_PAUSE, log);
    }

    fn report_with(&mut self, pause: &str, at_once: bool, log: &mut Log<'_>) {
        let count = &self.count;
        if log.is_terminal() {
            log.progress(format_args!("{count}{pause}"));
        } else if at_once || self.reported.elapsed() >= REPORT_EVERY {
            log.notice(format_args!("{count}{pause}."));
            self.reported = Instant::now();
        }
    }
}

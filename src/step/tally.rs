//! What became of the lines of a batch, and who hears of it.

use std::fmt;
use std::mem;
use std::time::{Duration, Instant};

use super::line::Number;
use crate::output::answer::Verdict;
use crate::output::exit_status::ExitStatus;
use crate::output::failure::RequestSent;
use crate::output::log::Log;
use crate::output::outcome::Outcome;

/// A pause of which everybody hears.
const LONG_PAUSE: Duration = Duration::from_secs(10);
/// A last read that comes so much later than --wait says is late.
const LATE: Duration = Duration::from_secs(2);
/// How often a batch reports how far it is, where no person watches.
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// What can become of a line, in the order in which it is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Cancelled,
    Accepted,
    TooLate,
    Unknown,
    Refused,
    NotNow,
    Failed,
}

impl Class {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Cancelled, "cancelled"),
        (Self::Accepted, "accepted"),
        (Self::TooLate, "too late"),
        (Self::Unknown, "not known to be cancelled"),
        (Self::Refused, "refused"),
        (Self::NotNow, "not now"),
        (Self::Failed, "failed"),
    ];

    const fn is_well(self) -> bool {
        matches!(self, Self::Cancelled | Self::Accepted)
    }

    fn of(outcome: &Outcome) -> Self {
        match (outcome.exit_status(), &outcome.0) {
            (ExitStatus::NotNow, _) => Self::NotNow,
            (_, Err(failure)) if failure.request_sent == RequestSent::Unknown => Self::Unknown,
            (_, Err(_)) => Self::Failed,
            (ExitStatus::Refused, _) => Self::Refused,
            (_, Ok(answer)) => match answer.outcome {
                Some(Verdict::Cancelled) => Self::Cancelled,
                Some(Verdict::CancelledTooLate | Verdict::AlreadyFinal) => Self::TooLate,
                Some(Verdict::Pending | Verdict::Unverified) => Self::Unknown,
                None if answer.is_doubtful => Self::Unknown,
                // The service accepted the cancel, but the action had already finished.
                None if !answer.advice.is_empty() => Self::TooLate,
                None => Self::Accepted,
            },
        }
    }
}

/// Counts the lines that are written, and reports how far they are.
pub(super) struct Tally {
    counts: [u64; Class::ALL.len()],
    /// The first line that is not well.
    first: Number,
    /// The worst status of a line.
    pub(super) worst: ExitStatus,
    reported: Instant,
    /// Whether the pace is waited for.
    pauses: bool,
    /// Whether it was said that reads come late.
    is_late: bool,
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total();
        let lines = if total == 1 { "line" } else { "lines" };
        write!(formatter, "{total} {lines} done")?;
        let counted = self.counts.iter().zip(Class::ALL);
        let told = counted.filter(|(count, _)| **count > 0);
        for (index, (count, (_, name))) in told.enumerate() {
            let separator = if index == 0 { ":" } else { "," };
            write!(formatter, "{separator} {count} {name}")?;
        }
        Ok(())
    }
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            counts: [0; Class::ALL.len()],
            first: None,
            worst: ExitStatus::Accepted,
            reported: Instant::now(),
            pauses: false,
            is_late: false,
        }
    }

    /// Counts a line that is written.
    pub(super) fn add(&mut self, outcome: &Outcome, number: Number) {
        self.worst = self.worst.max(outcome.exit_status());
        let class = Class::of(outcome);
        if !class.is_well() {
            self.first = self.first.or(number);
        }
        for (count, (of, _)) in self.counts.iter_mut().zip(Class::ALL) {
            *count += u64::from(of == class);
        }
    }

    fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Reports how many lines are done: to a person at once, otherwise once a minute.
    pub(super) fn report(&mut self, log: &mut Log<'_>) {
        self.report_with("", false, log);
    }

    /// Reports the same with what is left of a pause; that a long one begins is reported at once.
    pub(super) fn report_pause(&mut self, left: Duration, log: &mut Log<'_>) {
        let begins = !mem::replace(&mut self.pauses, true);
        let pause = match left.as_secs() {
            0 => String::new(),
            seconds => format!("; pausing for the service's limits, {seconds} s left"),
        };
        self.report_with(&pause, begins && left >= LONG_PAUSE, log);
    }

    /// The pause is over.
    pub(super) fn end_pause(&mut self) {
        self.pauses = false;
    }

    /// Says once what limits the reads, if one comes so much `later` than it should.
    pub(super) fn report_late(&mut self, later: Duration, log: &mut Log<'_>) {
        if later >= LATE && !mem::replace(&mut self.is_late, true) {
            log.notice(
                "some actions are read later than --wait says: MDE_CALLS_PER_MINUTE, MDE_CALLS_PER_HOUR and the service's \
                 pauses limit the calls, and one is made at a time.",
            );
        }
    }

    fn report_with(&mut self, pause: &str, at_once: bool, log: &mut Log<'_>) {
        if log.is_terminal() {
            log.progress(format_args!("{self}{pause}"));
        } else if at_once || self.reported.elapsed() >= REPORT_EVERY {
            log.notice(format_args!("{self}{pause}."));
            self.reported = Instant::now();
        }
    }

    /// Says what became of all before the process was told to stop.
    pub(super) fn conclude_stopped(&self, log: &mut Log<'_>) {
        log.clear_progress();
        log.error(format_args!(
            "told to stop: {self}. Each line that was begun has its answer; the others were not sent."
        ));
    }

    /// Says at the end what became of all: to a person, and to everybody if not all is well.
    pub(super) fn conclude(&self, log: &mut Log<'_>) {
        log.clear_progress();
        match self.first {
            Some(first) => log.notice(format_args!(
                "{self}. Line {first} is the first to look at: what it needs is said above."
            )),
            None if log.is_terminal() => log.notice(format_args!("{self}.")),
            None => log.detail(format_args!("{self}.")),
        }
    }
}

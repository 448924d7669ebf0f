//! Requests are worked off: one, or many that wait side by side. One thread decides what is next; one call is made at a
//! time.

mod cancels;
mod reads;

use std::io::Write;
use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::Step;
use super::cancel::Cancel;
use super::in_hand::InHand;
use crate::input::Input;
use crate::input::validate::validate_line;
use crate::output::exit_status::ExitStatus;
use crate::output::failure::Failure;
use crate::output::log::Log;
use crate::step::line::Number;
use crate::waiting::deadline::Deadline;
use crate::waiting::schedule::{Schedule, Turn};
use crate::waiting::signals;

/// A line with its number; `None` if there are no more, or the process was told to stop.
pub(super) type Event = Option<(NonZeroU64, Result<String, Failure>)>;

/// Requests, and how they are worked off.
pub(super) struct Work {
    /// Or why no request can be done.
    step: Result<Step, Failure>,
    in_hand: InHand,
    /// The time limit of a request.
    timeout: Duration,
    /// The request that is cancelled next.
    next: Option<Next>,
    /// Where further lines come from, until there are no more.
    lines: Option<Receiver<Event>>,
    is_batch: bool,
    /// When the watched actions are to be looked at, by the numbers of their lines, 0 being the only request.
    schedule: Schedule,
}

/// The request that is cancelled next.
struct Next {
    number: Number,
    cancel: Cancel,
    /// Until when it may take; it is not in hand before that is known.
    deadline: Option<Deadline>,
    /// When its next try is due.
    due: Instant,
}

impl Work {
    /// Work that `step` does, or the reason why it cannot be done; `in_hand` is where it is known. Each request may take
    /// `timeout`.
    pub(super) fn new(step: Result<Step, Failure>, in_hand: InHand, timeout: Duration) -> Self {
        Self {
            step,
            in_hand,
            timeout,
            next: None,
            lines: None,
            is_batch: false,
            schedule: Schedule::default(),
        }
    }

    /// The only request, which is in hand already, is `input`; it may take until `deadline`.
    pub(super) fn only(mut self, input: Input, deadline: Deadline) -> Self {
        let id = input.path_parameters.machineactionid.as_str();
        self.in_hand.lock().name(id);
        self.accept(None, input, Some(deadline));
        self
    }

    /// The requests are these `lines`.
    pub(super) fn each_of(mut self, lines: Receiver<Event>) -> Self {
        (self.lines, self.is_batch) = (Some(lines), true);
        self
    }

    /// Works until there is nothing more to do, or the process is told to stop. Returns the status that it ends with.
    pub(super) fn run(mut self, stdout: &mut dyn Write, log: &mut Log<'_>) -> ExitStatus {
        while self.in_hand.brake.interrupt.status().is_none() {
            if let Err(not_written) = self.write(stdout, log) {
                return not_written;
            }
            if self.takes_lines() {
                self.take_line();
            }
            match self.next_turn(log) {
                ControlFlow::Break(()) => break,
                ControlFlow::Continue(Some(Turn::Begin)) => self.go_on(log),
                ControlFlow::Continue(Some(Turn::Look(number))) => {
                    self.look(NonZeroU64::new(number), log);
                }
                ControlFlow::Continue(None) => {}
            }
        }
        self.end(stdout, log)
    }

    fn write(&mut self, stdout: &mut dyn Write, log: &mut Log<'_>) -> Result<(), ExitStatus> {
        let mut lines = self.in_hand.lock();
        lines.write_done(stdout, log)?;
        if self.is_batch {
            lines.tally.report(log);
        }
        Ok(())
    }

    /// Whether a line may be taken: its turn comes when the one before it is cancelled.
    fn takes_lines(&self) -> bool {
        self.lines.is_some() && self.next.is_none() && self.in_hand.lock().has_room()
    }

    /// Takes a line; waits for it until something is due.
    fn take_line(&mut self) {
        let Some(lines) = &self.lines else {
            return;
        };
        let event = match self.schedule.next_due() {
            None => lines.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => lines.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        match event {
            Ok(Some((number, text))) => match text.and_then(|text| validate_line(&text)) {
                Ok(input) => self.accept(Some(number), input, None),
                Err(failure) => self.refuse(number, failure),
            },
            Err(RecvTimeoutError::Timeout) => {}
            Ok(None) | Err(RecvTimeoutError::Disconnected) => self.lines = None,
        }
    }

    /// Returns what is next, if anything is due and the pace allows it now; waits for a while if not. Breaks if there is
    /// nothing more to do.
    fn next_turn(&mut self, log: &mut Log<'_>) -> ControlFlow<(), Option<Turn>> {
        let now = Instant::now();
        let next = self.next.as_ref().map(|next| next.due);
        let may_begin = next.is_some_and(|due| due <= now);
        let looks = self.schedule.next_due();
        match next.into_iter().chain(looks).min() {
            Some(due) if due <= now => {}
            // A line may come before that.
            Some(_) | None if self.takes_lines() => return ControlFlow::Continue(None),
            Some(due) => {
                self.in_hand.brake.interrupt.wait(due - now);
                return ControlFlow::Continue(None);
            }
            None if self.lines.is_none() => return ControlFlow::Break(()),
            None => return ControlFlow::Continue(None),
        }
        let pause = match &self.step {
            Ok(step) if step.sender.held_up().is_none() => step.sender.wait_for_turn(),
            _ => Duration::ZERO,
        };
        if pause.is_zero() {
            self.in_hand.lock().tally.end_pause();
            return ControlFlow::Continue(self.schedule.next(now, may_begin));
        }
        self.await_turn(pause, log);
        ControlFlow::Continue(None)
    }

    /// Waits for a while, because a call has to wait for `pause`. That does not count as the time of a batch's line.
    fn await_turn(&mut self, pause: Duration, log: &mut Log<'_>) {
        let begun = Instant::now();
        let mut lines = self.in_hand.lock();
        lines.tally.report_pause(pause, log);
        drop(lines);
        self.in_hand
            .brake
            .interrupt
            .wait(pause.min(Duration::from_secs(1)));
        if let Some(Next { deadline, .. }) = &mut self.next
            && self.is_batch
        {
            *deadline = deadline.map(|deadline| deadline.later(begun.elapsed()));
        }
    }

    /// Says how it ends, unless whoever heard the signal does.
    fn end(&mut self, stdout: &mut dyn Write, log: &mut Log<'_>) -> ExitStatus {
        self.give_up(log);
        let mut lines = self.in_hand.lock();
        if lines.is_over {
            drop(lines);
            signals::await_end();
            return ExitStatus::Terminated;
        }
        let Some(status) = self.in_hand.brake.interrupt.status() else {
            if self.is_batch {
                lines.tally.conclude(log);
            }
            return lines.tally.worst;
        };
        match lines.write_last(stdout, log, self.is_batch) {
            Ok(()) => status,
            Err(not_written) => not_written,
        }
    }
}

fn key(number: Number) -> u64 {
    number.map_or(0, NonZeroU64::get)
}

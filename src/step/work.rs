//! Requests are worked off: one, or many that wait side by side. One thread decides what is next; one call is made at a
//! time.

use std::io::Write;
use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::Step;
use super::in_hand::InHand;
use super::line::State;
use super::verify::Watch;
use crate::call::pace::whole_seconds;
use crate::call::send::Run;
use crate::input::Input;
use crate::input::validate::validate_line;
use crate::output::exit_status::ExitStatus;
use crate::output::failure::{Failure, FailureCode};
use crate::output::log::{Log, Subject};
use crate::waiting::deadline::Deadline;
use crate::waiting::interrupt::Interrupt;
use crate::waiting::schedule::{Schedule, Turn};
use crate::waiting::signals;

/// The number of a batch's line, from 1; `None` is the only request.
pub(super) type Number = Option<NonZeroU64>;

/// A line with its number; `None` if there are no more, or the process was told to stop.
pub(super) type Event = Option<(NonZeroU64, Result<String, Failure>)>;

/// Requests, and how they are worked off.
pub(super) struct Work {
    /// Or why no request can be done.
    step: Result<Step, Failure>,
    in_hand: InHand,
    interrupt: Interrupt,
    /// The time limit of a request.
    timeout: Duration,
    /// When the only request's time limit ends: it began with the process.
    deadline: Option<Deadline>,
    /// The request that is to be begun next.
    next: Option<(Number, Input)>,
    /// Where further lines come from, until there are no more.
    lines: Option<Receiver<Event>>,
    is_batch: bool,
    /// When the watched actions are to be looked at, by the numbers of their lines, 0 being the only request.
    schedule: Schedule,
    /// Whether the pace is being waited for.
    pauses: bool,
}

impl Work {
    /// Work that `step` does, or the reason why it cannot be done; `in_hand` is where it is known. Each request may take
    /// `timeout`.
    pub(super) fn new(
        step: Result<Step, Failure>,
        in_hand: InHand,
        interrupt: Interrupt,
        timeout: Duration,
    ) -> Self {
        if let Ok(step) = &step {
            in_hand.set_brake(step.brake());
        }
        Self {
            step,
            in_hand,
            interrupt,
            timeout,
            deadline: None,
            next: None,
            lines: None,
            is_batch: false,
            schedule: Schedule::default(),
            pauses: false,
        }
    }

    /// The only request, which is in hand already, is `input`; it may take until `deadline`.
    pub(super) fn only(mut self, input: Input, deadline: Deadline) -> Self {
        (self.next, self.deadline) = (Some((None, input)), Some(deadline));
        self
    }

    /// The requests are these `lines`.
    pub(super) fn each_of(mut self, lines: Receiver<Event>) -> Self {
        (self.lines, self.is_batch) = (Some(lines), true);
        self
    }

    /// Works until there is nothing more to do, or the process is told to stop. Returns the status that it ends with.
    pub(super) fn run(mut self, stdout: &mut dyn Write, log: &mut Log<'_>) -> ExitStatus {
        while self.interrupt.status().is_none() {
            if let Err(not_written) = self.write(stdout, log) {
                return not_written;
            }
            self.take_line();
            match self.next_turn(log) {
                ControlFlow::Break(()) => break,
                ControlFlow::Continue(Some(Turn::Begin)) => self.begin(log),
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

    /// Takes a line if there is room for one; waits for it until something is due.
    fn take_line(&mut self) {
        if self.next.is_some() || !self.in_hand.lock().has_room() {
            return;
        }
        let Some(lines) = &self.lines else {
            return;
        };
        let event = match self.schedule.next_due() {
            None => lines.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => lines.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        match event {
            Ok(Some((number, text))) => self.accept(number, text),
            Err(RecvTimeoutError::Timeout) => {}
            Ok(None) | Err(RecvTimeoutError::Disconnected) => self.lines = None,
        }
    }

    /// A line that is a request is the next; for any other there is nothing to do.
    fn accept(&mut self, number: NonZeroU64, text: Result<String, Failure>) {
        match text.and_then(|text| validate_line(&text)) {
            Ok(input) => self.next = Some((Some(number), input)),
            Err(failure) => {
                let mut lines = self.in_hand.lock();
                lines.begin(Some(number));
                lines.put(State::done(Err(failure)));
            }
        }
    }

    /// Returns what is next, if the pace allows it now; waits for a while if not. Breaks if there is nothing more to do.
    fn next_turn(&mut self, log: &mut Log<'_>) -> ControlFlow<(), Option<Turn>> {
        let now = Instant::now();
        let may_begin = self.next.is_some();
        match self.schedule.next_due() {
            _ if may_begin => {}
            Some(due) if due <= now => {}
            Some(due) => {
                // A line may come before that.
                if self.lines.is_none() || !self.in_hand.lock().has_room() {
                    self.interrupt.wait(due - now);
                }
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
            self.pauses = false;
            return ControlFlow::Continue(self.schedule.next(now, may_begin));
        }
        let begins = !std::mem::replace(&mut self.pauses, true);
        self.in_hand.lock().tally.report_pause(pause, begins, log);
        self.interrupt.wait(pause.min(Duration::from_secs(1)));
        ControlFlow::Continue(None)
    }

    /// Begins the next request.
    fn begin(&mut self, log: &mut Log<'_>) {
        let Some((number, input)) = self.next.take() else {
            return;
        };
        if number.is_some() {
            self.in_hand.lock().begin(number);
        }
        let id = input.path_parameters.machineactionid.as_str();
        self.in_hand.lock().name(id);
        log.set_subject(subject(number, id));
        let state = self.cancel(number, &input, log);
        log.set_subject(Subject::default());
        self.in_hand.lock().put(state);
    }

    fn cancel(&mut self, number: Number, input: &Input, log: &mut Log<'_>) -> State {
        let step = match &mut self.step {
            Err(failure) => return State::done(Err(failure.clone())),
            Ok(step) => step,
        };
        if let Some(left) = step.sender.held_up() {
            return State::done(Err(held_up(left)));
        }
        let deadline = self
            .deadline
            .unwrap_or_else(|| Deadline::after(self.timeout));
        let (cancelled, follows_lost) = step.cancel(input, &mut Run { deadline, log });
        let Some(wait) = step.wait else {
            return State::done(cancelled);
        };
        let id = &input.path_parameters.machineactionid;
        let now = Instant::now();
        let watch = Watch::begin(id, cancelled, follows_lost, wait, step.sender.asked(), now);
        let state = State::of(watch);
        if let Some(due) = state.due() {
            self.schedule.add(key(number), due);
        }
        state
    }

    /// Looks at the watched action of the line with this `number`.
    fn look(&mut self, number: Number, log: &mut Log<'_>) {
        let watched = self.in_hand.lock().watched(number);
        let (Some((id, patience)), Ok(step)) = (watched, &mut self.step) else {
            return;
        };
        log.set_subject(subject(number, id.as_str()));
        let seen = match step.sender.held_up() {
            Some(left) => Err(format!(
                "the service asks to wait for {} s, and a batch waits for an hour at most",
                whole_seconds(left)
            )),
            None => {
                let deadline = Deadline::after(patience);
                Ok(step.look(&id, &mut Run { deadline, log }))
            }
        };
        log.set_subject(Subject::default());
        // Whoever is told to stop concludes from what was known before.
        if self.interrupt.status().is_some() && !matches!(&seen, Ok(look) if look.has_read()) {
            return;
        }
        let (asked, now) = (step.sender.asked(), Instant::now());
        let due = self.in_hand.lock().update(number, |watch| match seen {
            Ok(look) => watch.see(look, asked, now),
            Err(obstacle) => watch.give_up(obstacle),
        });
        if let Some(due) = due {
            self.schedule.add(key(number), due);
        }
    }

    /// Says how it ends, unless whoever heard the signal does.
    fn end(&self, stdout: &mut dyn Write, log: &mut Log<'_>) -> ExitStatus {
        let mut lines = self.in_hand.lock();
        if lines.is_over() {
            drop(lines);
            signals::await_end();
            return ExitStatus::Terminated;
        }
        let Some(status) = self.interrupt.status() else {
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

fn subject(number: Number, id: &str) -> Subject<'_> {
    Subject {
        line: number.map(NonZeroU64::get),
        action: Some(id),
    }
}

fn key(number: Number) -> u64 {
    number.map_or(0, NonZeroU64::get)
}

/// The failure of a line that is held up by a pause of which so much is left.
pub(super) fn held_up(left: Duration) -> Failure {
    let seconds = whole_seconds(left);
    let message = format!(
        "the service asks to wait for {seconds} s, and a batch waits for an hour at most. This line was not sent: run it \
         again after that."
    );
    Failure {
        retry_after_seconds: Some(seconds),
        ..Failure::new(FailureCode::Throttled, message)
    }
}

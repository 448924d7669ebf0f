//! The requests in hand, each with what is known of it. It lies where whoever hears a signal can take it: who holds the
//! lock writes, and what is written is gone, so that nothing is written twice.

use std::collections::VecDeque;
use std::io::Write;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use super::line::{Line, Number, State};
use super::tally::Tally;
use super::verify::{Course, Watch};
use crate::call::exchange::Brake;
use crate::output::exit_status::ExitStatus;
use crate::output::log::Log;
use crate::waiting::deadline::Deadline;
use crate::waiting::timed_lock;

/// How many lines of a batch are in hand at most.
const MAX_LINES: usize = 100;
/// How large the answers that are in hand may be, in bytes, before none is added: no line is begun, none but the first is
/// looked at.
const MAX_BYTES: usize = 16 << 20;

/// The requests in hand, shared with whoever hears a signal.
#[derive(Clone)]
pub(super) struct InHand {
    lines: Arc<Mutex<Lines>>,
    pub(super) brake: Brake,
}

/// What is in hand. Whoever holds this may write.
pub(super) struct Lines {
    lines: VecDeque<Line>,
    pub(super) tally: Tally,
    brake: Brake,
    is_indented: bool,
    /// Nothing more is to be written: the last words were said.
    pub(super) is_over: bool,
}

impl InHand {
    /// Nothing is in hand yet. Documents are indented for a person at a terminal.
    pub(super) fn new(tally: Tally, is_indented: bool) -> Self {
        let brake = Brake::default();
        let lines = Lines {
            lines: VecDeque::new(),
            tally,
            brake: brake.clone(),
            is_indented,
            is_over: false,
        };
        Self {
            lines: Arc::new(Mutex::new(lines)),
            brake,
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Lines> {
        timed_lock::lock(&self.lines)
    }

    /// Locks what is in hand, if whoever writes is done before `deadline`.
    pub(super) fn lock_until(&self, deadline: Deadline) -> Option<MutexGuard<'_, Lines>> {
        timed_lock::lock_until(&self.lines, deadline)
    }
}

impl Lines {
    /// Takes a request in hand; `None` is the only one.
    pub(super) fn begin(&mut self, number: Number) {
        self.lines.push_back(Line {
            number,
            id: String::new(),
            state: State::Begun,
        });
    }

    /// The newest request is about the action `id`, and is going to be sent.
    pub(super) fn name(&mut self, id: &str) {
        if let Some(line) = self.lines.back_mut() {
            id.clone_into(&mut line.id);
        }
        self.brake.forget_sent();
    }

    /// Notes what is known of the newest request.
    pub(super) fn put(&mut self, state: State) {
        if let Some(line) = self.lines.back_mut() {
            line.state = state;
        }
    }

    /// Notes what a look at the watched request with this `number` has brought. Returns when it is due again, if it is.
    pub(super) fn update(
        &mut self,
        number: Number,
        see: impl FnOnce(Watch) -> Course,
    ) -> Option<Instant> {
        let line = self.lines.iter_mut().find(|line| line.number == number)?;
        let state = match mem::replace(&mut line.state, State::Begun) {
            State::Watched(watch) => State::of(see(*watch)),
            other => other,
        };
        line.state = state;
        line.state.due()
    }

    /// Returns what is watched of the request with this `number`, if it is.
    pub(super) fn watched(&self, number: Number) -> Option<&Watch> {
        let line = self.lines.iter().find(|line| line.number == number)?;
        match &line.state {
            State::Watched(watch) => Some(watch),
            _ => None,
        }
    }

    /// Whether another line may be taken in hand.
    pub(super) fn has_room(&self) -> bool {
        self.lines.len() < MAX_LINES && !self.is_full()
    }

    /// Whether the request with this `number` may be looked at: if there is no room for what that may bring, only the
    /// first, because it is the next to be written.
    pub(super) fn may_look(&self, number: Number) -> bool {
        !self.is_full() || self.lines.front().is_some_and(|line| line.number == number)
    }

    fn is_full(&self) -> bool {
        let sizes = self.lines.iter().map(|line| line.state.size());
        sizes.sum::<usize>() >= MAX_BYTES
    }

    /// Writes what is done, as far as no line before it is not. Fails if a document could not be written, which is told
    /// on stderr.
    pub(super) fn write_done(
        &mut self,
        stdout: &mut dyn Write,
        log: &mut Log<'_>,
    ) -> Result<(), ExitStatus> {
        while let Some(Line {
            state: State::Done(_),
            ..
        }) = self.lines.front()
        {
            self.write_first(stdout, log)?;
        }
        Ok(())
    }

    /// Writes what is known of everything in hand, because the process is told to stop; nothing is written after that.
    /// Fails if a document could not be written, which is told on stderr.
    pub(super) fn write_last(
        &mut self,
        stdout: &mut dyn Write,
        log: &mut Log<'_>,
        is_batch: bool,
    ) -> Result<(), ExitStatus> {
        self.is_over = true;
        while !self.lines.is_empty() {
            self.write_first(stdout, log)?;
        }
        if is_batch {
            self.tally.conclude_stopped(log);
        }
        Ok(())
    }

    fn write_first(&mut self, stdout: &mut dyn Write, log: &mut Log<'_>) -> Result<(), ExitStatus> {
        let Some(Line { number, id, state }) = self.lines.pop_front() else {
            return Ok(());
        };
        let was_sent = self.brake.was_sent();
        let outcome = state.when_stopped(was_sent).of_line(number);
        let action = (!id.is_empty()).then_some(id.as_str());
        log.set_subject(number, action);
        if self.is_over && number.is_none() {
            outcome.explain_stopped(log);
        }
        let status = outcome.deliver(stdout, self.is_indented, log);
        log.set_subject(None, None);
        self.tally.add(&outcome, number);
        match status {
            ExitStatus::NotWritten => Err(status),
            _ => Ok(()),
        }
    }
}

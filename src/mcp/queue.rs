//! The calls that wait, and the one in hand: shared by who reads, who works, and who hears a signal. Nobody holds the
//! lock while something is sent or written.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::message::Id;
use super::tools::Request;
use crate::call::exchange::Brake;
use crate::output::exit_status::ExitStatus;
use crate::waiting::deadline::Deadline;

/// How many calls wait at most.
const MAX_WAITING: usize = 32;

/// A call that was accepted.
pub(super) struct Call {
    pub(super) id: Id,
    pub(super) request: Request,
    /// Until when it is answered: its time began when it came.
    pub(super) deadline: Deadline,
}

/// Where a call is that is of no interest any more.
pub(super) enum Cancelled {
    /// It waited, and is never begun.
    Waiting(Call),
    /// It is not tried again; who works on it says what became of it.
    InHand,
    /// It is over, or never was.
    Unknown,
}

/// The calls, shared.
#[derive(Clone, Default)]
pub(super) struct Queue(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// How the call in hand is ended.
    brake: Brake,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Call>,
    in_hand: Option<Id>,
    /// The call in hand is of no interest any more.
    is_cancelled: bool,
    /// No more calls come.
    is_closed: bool,
    /// The process is to end with this status.
    stopped: Option<ExitStatus>,
    /// It is to end at once.
    is_over: bool,
    /// The call that was in hand before, and whether its cancel was sent.
    last: Option<(Id, bool)>,
    /// What is known was written.
    is_said: bool,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What ends the call in hand.
    pub(super) fn brake(&self) -> Brake {
        self.0.brake.clone()
    }

    /// Adds a call. Returns `false` if there is no room.
    pub(super) fn push(&self, call: Call) -> bool {
        let mut state = self.state();
        if state.waiting.len() >= MAX_WAITING {
            return false;
        }
        state.waiting.push_back(call);
        self.0.changed.notify_one();
        true
    }

    /// No more calls come.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.0.changed.notify_one();
    }

    /// Takes the next call in hand, as soon as there is one; `None` if no more come.
    pub(super) fn next(&self) -> Option<Call> {
        let idle = |state: &mut State| state.waiting.is_empty() && !state.is_closed;
        let waited = self.0.changed.wait_while(self.state(), idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if state.stopped.is_some() {
            return None;
        }
        let call = state.waiting.pop_front()?;
        state.in_hand = Some(call.id.clone());
        self.0.brake.forget_sent();
        Some(call)
    }

    /// Lets go of the call in hand. Returns whether it was cancelled, and if so, whether the action's cancel was sent.
    pub(super) fn finish(&self) -> Option<bool> {
        let mut state = self.state();
        let was_sent = self.was_sent();
        state.last = state.in_hand.take().map(|id| (id, was_sent));
        let is_cancelled = std::mem::take(&mut state.is_cancelled);
        if is_cancelled && state.stopped.is_none() {
            self.0.brake.resume();
        }
        is_cancelled.then_some(was_sent)
    }

    /// Whether the cancel of the call in hand was sent, or a part of it.
    pub(super) fn was_sent(&self) -> bool {
        self.0.brake.was_sent()
    }

    /// Whether the cancel that the call of this id asks for may have been sent: it is in hand, or was the last one.
    pub(super) fn may_have_sent(&self, id: &Id) -> bool {
        let state = self.state();
        match (&state.in_hand, &state.last) {
            (Some(in_hand), _) if in_hand == id => self.was_sent(),
            (_, Some((last, was_sent))) => last == id && *was_sent,
            _ => false,
        }
    }

    /// Cancels the call of this id: nothing is sent for it any more.
    pub(super) fn cancel(&self, id: &Id) -> Cancelled {
        let mut state = self.state();
        if let Some(place) = state.waiting.iter().position(|call| call.id == *id) {
            let call = state.waiting.remove(place);
            return call.map_or(Cancelled::Unknown, Cancelled::Waiting);
        }
        if state.in_hand.as_ref() != Some(id) {
            return Cancelled::Unknown;
        }
        state.is_cancelled = true;
        self.0.brake.stop(ExitStatus::Interrupted);
        Cancelled::InHand
    }

    /// The process is to end with `status`. Returns whether a call of the API is in hand that may end.
    pub(super) fn stop(&self, status: ExitStatus) -> bool {
        let mut state = self.state();
        state.stopped.get_or_insert(status);
        state.is_closed = true;
        self.0.changed.notify_one();
        self.0.brake.stop(status)
    }

    /// Breaks off the call in hand; the process ends at once.
    pub(super) fn break_off(&self) {
        self.state().is_over = true;
        self.0.brake.break_off();
    }

    /// Returns the status that the process is to end with, if it was told to stop.
    pub(super) fn stopped(&self) -> Option<ExitStatus> {
        self.state().stopped
    }

    /// Notes that nothing more is written.
    pub(super) fn note_said(&self) {
        self.state().is_said = true;
    }

    /// Whether nothing more is written.
    pub(super) fn is_said(&self) -> bool {
        self.state().is_said
    }

    /// Whether a call is in hand.
    pub(super) fn is_busy(&self) -> bool {
        self.state().in_hand.is_some()
    }

    /// Whether the process ends at once.
    pub(super) fn is_over(&self) -> bool {
        self.state().is_over
    }
}

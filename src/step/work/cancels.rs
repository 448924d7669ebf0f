//! One cancel after the other, each try by try: what is watched is looked at between two tries.

use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::time::Instant;

use super::{Next, Work, key};
use crate::call::send::Run;
use crate::input::{Input, MachineActionId};
use crate::output::failure::Failure;
use crate::output::log::Log;
use crate::step::cancel::Cancelled;
use crate::step::line::Number;
use crate::step::line::State;
use crate::step::verify::{Wait, Watch};
use crate::waiting::deadline::Deadline;

impl Work {
    /// The request with this `number` is the next.
    pub(super) fn accept(&mut self, number: Number, input: Input, deadline: Option<Deadline>) {
        match (&self.step, number) {
            (Ok(step), _) => {
                self.next = Some(Next {
                    number,
                    cancel: step.cancel_of(input),
                    deadline,
                    due: Instant::now(),
                });
            }
            (Err(failure), Some(number)) => {
                self.refuse(number, failure.clone());
                let id = input.path_parameters.machineactionid.as_str();
                self.in_hand.lock().name(id);
            }
            (Err(_), None) => {}
        }
    }

    /// There is nothing to do for the line with this `number`.
    pub(super) fn refuse(&self, number: NonZeroU64, failure: Failure) {
        let mut lines = self.in_hand.lock();
        lines.begin(Some(number));
        lines.put(State::done(Err(failure)));
    }

    /// Makes the next try of the request that is cancelled next.
    pub(super) fn go_on(&mut self, log: &mut Log<'_>) {
        let (Some(mut next), Ok(step)) = (self.next.take(), &mut self.step) else {
            return;
        };
        let number = next.number;
        let id = next.cancel.id().clone();
        let deadline = next.deadline.unwrap_or_else(|| {
            let mut lines = self.in_hand.lock();
            lines.begin(number);
            lines.name(id.as_str());
            Deadline::after(self.timeout)
        });
        log.set_subject(number, Some(id.as_str()));
        let tried = step.go_on_with(&mut next.cancel, &mut Run { deadline, log });
        log.set_subject(None, None);
        match tried {
            ControlFlow::Break(cancelled) => self.note(number, &id, cancelled),
            ControlFlow::Continue(pause) => {
                self.next = Some(Next {
                    deadline: Some(deadline),
                    due: Instant::now() + pause,
                    ..next
                });
            }
        }
    }

    /// Notes what the cancel of the newest request, with this `number`, has come to: whether it is watched from now on.
    fn note(&mut self, number: Number, id: &MachineActionId, cancelled: Cancelled) {
        let Ok(step) = &self.step else {
            return;
        };
        let state = match step.wait {
            None => State::done(cancelled.answer),
            Some(time) => {
                let may_be_late = self.is_batch;
                let wait = Wait { time, may_be_late };
                let (asked, now) = (step.sender.asked(), Instant::now());
                State::of(Watch::begin(id, cancelled, wait, asked, now))
            }
        };
        if let Some(due) = state.due() {
            self.schedule.add(key(number), due);
        }
        self.in_hand.lock().put(state);
    }

    /// Makes no further try of the request that is cancelled next, if one was made.
    pub(super) fn give_up(&mut self, log: &mut Log<'_>) {
        if let (Some(mut next), Ok(step)) = (self.next.take(), &mut self.step)
            && let Some(deadline) = next.deadline
            && next.cancel.is_begun()
        {
            let cancelled = step.give_up_cancel(&mut next.cancel, &mut Run { deadline, log });
            self.note(next.number, next.cancel.id(), cancelled);
        }
    }
}

//! One request, and what is known of it.

use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::time::Instant;

use super::verify::{Course, Watch};
use crate::output::answer::Answer;
use crate::output::failure::{Failure, FailureCode, RequestSent};
use crate::output::outcome::Outcome;

/// The number of a batch's line, from 1; `None` is the only request.
pub(super) type Number = Option<NonZeroU64>;

/// One request.
pub(super) struct Line {
    /// Of a batch's line, from 1.
    pub(super) number: Number,
    /// Of the action; empty if it is not known.
    pub(super) id: String,
    pub(super) state: State,
}

/// What is known of a request.
pub(super) enum State {
    /// It is being read, or sent.
    Begun,
    /// It was sent, and its action is watched.
    Watched(Box<Watch>),
    /// All there is to know.
    Done(Box<Outcome>),
}

impl State {
    pub(super) fn done(answer: Result<Answer, Failure>) -> Self {
        Self::Done(Box::new(Outcome(answer)))
    }

    pub(super) fn of(course: Course) -> Self {
        match course {
            ControlFlow::Break(answer) => Self::done(answer),
            ControlFlow::Continue(watch) => Self::Watched(Box::new(watch)),
        }
    }

    /// When it is to be looked at, if it is watched.
    pub(super) fn due(&self) -> Option<Instant> {
        match self {
            Self::Watched(watch) => Some(watch.due),
            Self::Begun | Self::Done(_) => None,
        }
    }

    /// What is known if the process is told to stop now; `was_sent` if a request that is being sent may have arrived.
    pub(super) fn when_stopped(self, was_sent: bool) -> Outcome {
        match self {
            Self::Done(outcome) => *outcome,
            Self::Watched(watch) => Outcome(watch.conclude_stopped()),
            Self::Begun => Outcome(Err(interrupted(was_sent))),
        }
    }

    /// About how much memory it takes, in bytes.
    pub(super) fn size(&self) -> usize {
        let size = |answer: &Result<Answer, Failure>| answer.as_ref().map_or(0, Answer::size);
        match self {
            Self::Begun => 0,
            Self::Watched(watch) => size(&watch.stands),
            Self::Done(outcome) => size(&outcome.0),
        }
    }
}

/// The failure of a request that was cut short by a signal.
pub(super) fn interrupted(was_sent: bool) -> Failure {
    let (request_sent, consequence) = match was_sent {
        true => (
            RequestSent::Unknown,
            "the cancel may have reached the service. Read the action's status with `cancel-machine-action get`, or \
             cancel it again",
        ),
        false => (
            RequestSent::No,
            "no cancel was sent. Run the step again if the action is still to be cancelled",
        ),
    };
    Failure::new(
        FailureCode::Interrupted,
        format!("the step was told to stop before there was an answer: {consequence}."),
    )
    .with_request_sent(request_sent)
}

//! A list that is told to stop.

use std::io;

use super::Step;
use crate::output::exit_status::ExitStatus;
use crate::output::failure::{Failure, FailureCode};
use crate::waiting::interrupt::Interrupt;
use crate::waiting::signals::{self, Listening};

/// Hears of signals from now on: they stop `interrupt`, and break off the call of `step`.
///
/// # Errors
///
/// They cannot be heard. A list that just ends could be taken for a whole one.
pub(super) fn listen(step: &Step, interrupt: &Interrupt) -> Result<Listening, Failure> {
    let in_hand = InHand {
        interrupt: interrupt.clone(),
        break_off: Some(step.sender.breaker()),
    };
    signals::listen(in_hand).map_err(|error| deaf(&error))
}

fn deaf(error: &io::Error) -> Failure {
    let message = "signals cannot be heard: the system has no thread or descriptor left for it. Raise the limits of \
                   processes (ulimit -u, or pids of the container) and open files (ulimit -n).";
    Failure::new(FailureCode::NoInput, message).because(error)
}

/// The failure of a list that was told to stop.
pub(super) fn stopped() -> Failure {
    let message = "the step was told to stop. The list is not whole. List again.";
    Failure::new(FailureCode::NetworkError, message)
}

/// A list, as far as the end of the process goes.
struct InHand<B> {
    interrupt: Interrupt,
    /// Breaks off the call in hand; once.
    break_off: Option<B>,
}

impl<B: FnOnce() + Send + 'static> signals::InHand for InHand<B> {
    fn stop(&mut self, status: ExitStatus) {
        self.interrupt.stop(status);
    }

    fn break_off(&mut self) {
        if let Some(break_off) = self.break_off.take() {
            break_off();
        }
    }

    fn last_words(&self) -> String {
        stopped().message
    }
}

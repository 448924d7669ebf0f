//! A command that only reads is told to stop: the last line that it writes is the failure `interrupted`.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::call::exchange::Brake;
use crate::output::exit_status::ExitStatus;
use crate::output::failure::{Failure, FailureCode};
use crate::output::log::Log;
use crate::output::outcome::Outcome;
use crate::waiting::deadline::Deadline;
use crate::waiting::signals::{self, Listening};
use crate::waiting::sink::Output;
use crate::waiting::timed_lock::{lock, lock_until};

/// Stops a command that only reads. What is said last is said once: by whoever has the pen.
#[derive(Clone)]
pub(super) struct InterruptedReads {
    pub(super) brake: Brake,
    /// Whether the last word is said.
    pen: Arc<Mutex<bool>>,
    /// What it means that the command was stopped.
    consequence: &'static str,
    /// Writes the last word.
    say: Say,
}

/// Says that a command failed: on stderr for people, on stdout with its document.
type Say = fn(Failure, &mut dyn Write, &mut Log<'_>) -> io::Result<()>;

impl InterruptedReads {
    pub(super) fn new(consequence: &'static str) -> Self {
        Self::saying(consequence, |failure, stdout, log| {
            let outcome = Outcome(Err(failure));
            outcome.explain(log);
            outcome.write(stdout, false)
        })
    }

    /// The same, of a command whose failure has a document of its own.
    pub(super) fn saying(consequence: &'static str, say: Say) -> Self {
        Self {
            brake: Brake::default(),
            pen: Arc::default(),
            consequence,
            say,
        }
    }

    /// Hears of signals from now on; fails if they cannot be heard.
    pub(super) fn listen(&self) -> Result<Listening, Failure> {
        signals::listen(self.clone())
            .map_err(|error| Failure::without_means("signals cannot be heard", "", &error))
    }

    /// Returns the pen for whoever writes next. Does not return if the last word is said: then the process is about to
    /// end.
    pub(super) fn pen(&self) -> MutexGuard<'_, bool> {
        loop {
            let is_said = lock(&self.pen);
            if !*is_said {
                return is_said;
            }
            drop(is_said);
            signals::await_end();
        }
    }

    /// The failure of the command if it was stopped.
    pub(super) fn failure(&self) -> Failure {
        failure(self.consequence)
    }
}

/// The failure of what was told to stop, with what that means.
pub(super) fn failure(consequence: &str) -> Failure {
    let message = format!("the step was told to stop. {consequence}");
    Failure::new(FailureCode::Interrupted, message)
}

impl signals::InHand for InterruptedReads {
    fn stop(&mut self, status: ExitStatus) -> bool {
        self.brake.stop(status)
    }

    fn break_off(&mut self) {
        self.brake.break_off();
    }

    fn say_what_is_known(&mut self, deadline: Deadline, log: &mut Log<'_>) {
        let Some(mut is_said) = lock_until(&self.pen, deadline) else {
            log.error(
                "told to stop. What is known could not be written, because nobody reads stdout. Run it again.",
            );
            return;
        };
        if !std::mem::replace(&mut *is_said, true) {
            let mut stdout = Output::never_blocking(rustix::stdio::stdout(), deadline.remaining());
            // There is nobody left to tell that it failed.
            let _ = (self.say)(self.failure(), &mut stdout, log);
        }
    }
}

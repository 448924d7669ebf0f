//! A command that only reads is told to stop: the last line that it writes is the failure `interrupted`.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use crate::call::exchange::Brake;
use crate::output::exit_status::ExitStatus;
use crate::output::failure::{Failure, FailureCode};
use crate::output::log::Log;
use crate::output::outcome::Outcome;
use crate::waiting::deadline::Deadline;
use crate::waiting::interrupt::Interrupt;
use crate::waiting::signals::{self, Listening};
use crate::waiting::sink::Output;
use crate::waiting::timed_lock::{lock, lock_until};

/// How long one line of the last words may wait for a reader of stderr.
const PATIENCE: Duration = Duration::from_millis(20);

/// Stops a command that only reads. What is said last is said once: by whoever has the pen.
#[derive(Clone)]
pub(super) struct InterruptedReads {
    pub(super) interrupt: Interrupt,
    /// How a call in hand is ended; none before the settings are read.
    brake: Arc<OnceLock<Brake>>,
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
            interrupt: Interrupt::default(),
            brake: Arc::default(),
            pen: Arc::default(),
            consequence,
            say,
        }
    }

    /// Hears of signals from now on.
    ///
    /// # Errors
    ///
    /// They cannot be heard.
    pub(super) fn listen(&self) -> Result<Listening, Failure> {
        signals::listen(self.clone()).map_err(|error| deaf(&error))
    }

    /// Tells how a call in hand is ended.
    pub(super) fn set_brake(&self, brake: Brake) {
        let _ = self.brake.set(brake);
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

fn deaf(error: &io::Error) -> Failure {
    let message = "signals cannot be heard: the system has no thread or descriptor left for it. Raise the limits of \
                   processes (ulimit -u, or pids of the container) and open files (ulimit -n).";
    Failure::new(FailureCode::NoInput, message).because(error)
}

impl signals::InHand for InterruptedReads {
    fn stop(&mut self, status: ExitStatus) -> bool {
        self.interrupt.stop(status);
        self.brake.get().is_some_and(Brake::close)
    }

    fn break_off(&mut self) {
        if let Some(brake) = self.brake.get() {
            brake.break_off();
        }
    }

    fn say_what_is_known(&mut self, deadline: Deadline) {
        let mut stderr = Output::never_blocking(rustix::stdio::stderr(), PATIENCE);
        let mut log = Log::new(&mut stderr, false);
        let Some(mut is_said) = lock_until(&self.pen, deadline) else {
            log.error(
                "told to stop. What is known could not be written, because nobody reads stdout. Run it again.",
            );
            return;
        };
        if !std::mem::replace(&mut *is_said, true) {
            let mut stdout = Output::never_blocking(rustix::stdio::stdout(), deadline.remaining());
            // There is nobody left to tell that it failed.
            let _ = (self.say)(self.failure(), &mut stdout, &mut log);
        }
    }
}

//! What one request comes to: an answer or a failure; the one place that says it.

use std::io::{self, Write};
use std::num::NonZeroU64;

use crate::output::answer::{Answer, Verdict};
use crate::output::document::{self, FailureDocument};
use crate::output::exit_status::ExitStatus;
use crate::output::failure::Failure;
use crate::output::log::Log;

/// What one request comes to.
pub(crate) struct Outcome(pub(crate) Result<Answer, Failure>);

impl Outcome {
    /// The same, of the line of a batch with that number.
    pub(crate) fn of_line(self, number: Option<NonZeroU64>) -> Self {
        Self(self.0.map_err(|failure| Failure {
            line: number,
            ..failure
        }))
    }

    /// Returns the status that a process with this one request ends with.
    pub(crate) fn exit_status(&self) -> ExitStatus {
        match &self.0 {
            Ok(answer) => answer.exit_status(),
            Err(failure) => failure.code.exit_status(),
        }
    }

    /// Says on stderr what is wrong and what helps, unless all is well.
    pub(crate) fn explain(&self, log: &mut Log<'_>) {
        match &self.0 {
            Ok(answer) if answer.advice.is_empty() => {}
            Ok(answer) if self.exit_status() == ExitStatus::Accepted => log.warning(&answer.advice),
            Ok(answer) => log.error(&answer.advice),
            Err(failure) => log.error(failure.with_causes()),
        }
    }

    /// Returns the document in half a sentence, for when it cannot be written.
    pub(crate) fn in_short(&self) -> String {
        match &self.0 {
            Ok(answer) => answer.in_short(),
            Err(_) => "there is no answer".to_owned(),
        }
    }

    /// Says that the process was told to stop when there was an answer already, unless the answer itself says it.
    pub(crate) fn explain_stopped(&self, log: &mut Log<'_>) {
        let is_said = |answer: &Answer| {
            matches!(answer.outcome, Some(Verdict::Pending | Verdict::Unverified))
        };
        if self.0.as_ref().is_ok_and(|answer| !is_said(answer)) {
            log.notice(format_args!(
                "told to stop after this: {}.",
                self.in_short()
            ));
        }
    }

    /// Says on stderr what people should know, then writes the document. Returns the exit status.
    pub(crate) fn deliver(
        &self,
        stdout: &mut dyn Write,
        is_terminal: bool,
        log: &mut Log<'_>,
    ) -> ExitStatus {
        self.explain(log);
        match self.write(stdout, is_terminal) {
            Ok(()) => self.exit_status(),
            Err(error) => document::not_written(&error, &self.in_short(), log),
        }
    }

    /// Writes the document on stdout.
    pub(crate) fn write(&self, stdout: &mut dyn Write, is_terminal: bool) -> io::Result<()> {
        match &self.0 {
            Ok(answer) => document::write(stdout, answer, is_terminal),
            Err(error) => document::write(stdout, &FailureDocument { error }, is_terminal),
        }
    }
}

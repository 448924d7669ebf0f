//! What a run ends with, and what becomes of it: a document, text for people, an exit status.

use std::io::{self, Write};

use crate::check::Report;
use crate::error::{ExitStatus, Failure};
use crate::log::Log;
use crate::output::{self, Answer, FailureDocument};

/// What a run ends with.
#[derive(Debug)]
pub enum Outcome {
    /// The service's answer.
    Answer(Answer),
    /// The worst status of a batch, whose lines are written.
    Batch(ExitStatus),
    /// Why there is none.
    Failure(Failure),
    /// What `check` reports.
    Report(Box<Report>),
    /// A text that was asked for: a schema, the manifest, the sample, the help, the version.
    Text(String),
}

impl Outcome {
    /// Says on stderr what people should know.
    pub fn tell(&self, log: &mut Log<'_>) {
        match self {
            Self::Failure(failure) => log.error(failure.with_causes()),
            Self::Report(report) => report.tell(log),
            Self::Answer(_) | Self::Batch(_) | Self::Text(_) => {}
        }
    }

    /// Writes the one document.
    ///
    /// # Errors
    ///
    /// It did not get out whole.
    pub fn write(&self, stdout: &mut dyn Write, is_terminal: bool) -> io::Result<()> {
        match self {
            Self::Answer(answer) => output::write(stdout, answer, is_terminal),
            Self::Batch(_) => Ok(()),
            Self::Failure(error) => output::write(stdout, &FailureDocument { error }, is_terminal),
            Self::Report(report) => output::write(stdout, report.as_ref(), is_terminal),
            Self::Text(text) => stdout
                .write_all(text.as_bytes())
                .and_then(|()| stdout.flush()),
        }
    }

    /// The status that the process ends with.
    #[must_use]
    pub fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Answer(answer) => answer.exit_status(),
            Self::Batch(status) => *status,
            Self::Text(_) => ExitStatus::Accepted,
            Self::Failure(failure) => failure.code.exit_status(),
            Self::Report(report) => report.exit_status(),
        }
    }

    /// The document in half a sentence, for when it cannot be written.
    #[must_use]
    pub fn in_short(&self) -> String {
        match self {
            Self::Answer(answer) => {
                format!(
                    "the service answered {} {}",
                    answer.status_code, answer.reason
                )
            }
            Self::Failure(_) => "there is no answer".to_owned(),
            Self::Batch(_) => "the batch".to_owned(),
            Self::Report(_) => "the report above".to_owned(),
            Self::Text(_) => "the text that was asked for".to_owned(),
        }
    }
}

//! The JSON on stdout: answer and failure, one document on one line.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use crate::output::exit_status::ExitStatus;
use crate::output::failure::Failure;
use crate::output::layout::Layout;
use crate::output::log::Log;

/// A failure. Its one key, `error`, distinguishes it from an answer.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Cancel Machine Action: failure")]
pub struct FailureDocument<'a> {
    /// Why there is no answer.
    pub(crate) error: &'a Failure,
}

/// Writes `document` and flushes it: on one line, or indented for a person at a terminal. Fails if it did not get out
/// whole.
pub(crate) fn write(
    stdout: &mut dyn Write,
    document: &impl Serialize,
    is_terminal: bool,
) -> io::Result<()> {
    let mut layout = Layout::new(stdout, is_terminal);
    serde_json::to_writer(&mut layout, document)?;
    layout.end()
}

/// Says that `error` kept from stdout what was `lost`, and returns the exit status.
pub(crate) fn not_written(error: &io::Error, lost: &str, log: &mut Log<'_>) -> ExitStatus {
    log.error(format_args!(
        "stdout cannot be written: {error}. What it would have said: {lost}."
    ));
    ExitStatus::NotWritten
}

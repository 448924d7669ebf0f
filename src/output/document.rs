//! The JSON on stdout: answer and failure, one document on one line.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use crate::output::failure::Failure;
use crate::output::layout::Layout;

/// A failure. Its one key, `error`, distinguishes it from an answer.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Cancel Machine Action: failure")]
pub struct FailureDocument<'a> {
    /// Why there is no answer.
    pub(crate) error: &'a Failure,
}

/// Writes `document` and flushes it: on one line, or indented for a person at a terminal.
///
/// # Errors
///
/// The document did not get out whole.
pub(crate) fn write(
    stdout: &mut dyn Write,
    document: &impl Serialize,
    is_terminal: bool,
) -> io::Result<()> {
    let mut layout = Layout::new(stdout, is_terminal);
    serde_json::to_writer(&mut layout, document)?;
    layout.end()
}

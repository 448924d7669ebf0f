//! Text for people, on stderr, one line each.

use std::fmt::Display;
use std::io::Write;
use std::num::NonZeroU64;

use crate::output::harmful_letters;

/// The longest line, in bytes, with its end: so much goes into a pipe in one piece (POSIX, `PIPE_BUF`), so that the lines
/// of parallel steps do not tear each other.
const MAX_LINE: usize = 4096;
/// Stands for what a line has no room for.
const GAP: &str = " […] ";
/// Removes the progress from its line.
const CLEAR: &str = "\r\x1b[K";

/// Writes lines that begin with the program's name. What cannot be written is lost: stderr is no reason to fail.
pub struct Log<'a> {
    stderr: &'a mut dyn Write,
    /// Whether a person watches.
    is_terminal: bool,
    is_verbose: bool,
    last_warning: String,
    shows_progress: bool,
    /// What the lines are about, as they begin.
    subject: String,
}

impl<'a> Log<'a> {
    /// A log that keeps quiet unless something is wrong.
    pub(crate) fn new(stderr: &'a mut dyn Write, is_terminal: bool) -> Self {
        Self {
            stderr,
            is_terminal,
            is_verbose: false,
            last_warning: String::new(),
            shows_progress: false,
            subject: String::new(),
        }
    }

    /// Whether a person watches, for whom progress may be shown.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Says what is done, too.
    pub(crate) fn set_verbose(&mut self, is_verbose: bool) {
        self.is_verbose = is_verbose;
    }

    /// Names the batch's line, and the action, in each line from now on.
    pub(crate) fn set_subject(&mut self, line: Option<NonZeroU64>, action: Option<&str>) {
        self.subject = match (line, action) {
            (None, None) => String::new(),
            (Some(line), None) => format!("line {line}: "),
            (None, Some(action)) => format!("action {action}: "),
            (Some(line), Some(action)) => format!("line {line}, action {action}: "),
        };
    }

    /// Removes the progress from its line, before something else is written there.
    pub(crate) fn clear_progress(&mut self) {
        self.write("");
    }

    /// Says what is wrong and what to do.
    pub(crate) fn error(&mut self, message: impl Display) {
        self.line("error: ", message);
    }

    /// Says what does not work, though the step goes on; the same twice in a row is said once.
    pub(crate) fn warning(&mut self, message: impl Display) {
        let message = message.to_string();
        if message != self.last_warning {
            self.line("warning: ", &message);
            self.last_warning = message;
        }
    }

    /// Says what people should know, though nothing is wrong.
    pub(crate) fn notice(&mut self, message: impl Display) {
        self.line("", message);
    }

    /// Says what is done, to those who asked.
    pub(crate) fn detail(&mut self, message: impl Display) {
        if self.is_verbose {
            self.notice(message);
        }
    }

    /// Shows how far things are, to a person at a terminal: on one line that the next line replaces.
    pub(crate) fn progress(&mut self, message: impl Display) {
        self.shows_progress = true;
        self.write(&message.to_string());
        self.shows_progress = true;
    }

    fn line(&mut self, kind: &str, message: impl Display) {
        let text = line(format_args!("{kind}{}{message}", self.subject), MAX_LINE);
        self.write(&text);
    }

    /// Writes in one call, so that nobody else's line comes in between.
    fn write(&mut self, text: &str) {
        let text = match std::mem::take(&mut self.shows_progress) {
            true => &format!("{CLEAR}{text}"),
            false => text,
        };
        let _ = self.stderr.write_all(text.as_bytes());
        let _ = self.stderr.flush();
    }
}

/// Returns the whole line that says `message`, of at most `limit` bytes. A message may repeat what a service said: it stays
/// on its line, and commands no terminal.
pub(crate) fn line(message: impl Display, limit: usize) -> String {
    let text = harmful_letters::harmless(&format!("{}: {message}", env!("CARGO_PKG_NAME")));
    let mut line = shortened(text, limit.saturating_sub(1));
    line.push('\n');
    line
}

/// Returns `text`, of at most `limit` bytes. What is too long loses its middle: the end says what to do.
fn shortened(text: String, limit: usize) -> String {
    if text.len() <= limit {
        return text;
    }
    let kept = limit.saturating_sub(GAP.len());
    let is_boundary = |at: &usize| text.is_char_boundary(*at);
    let head_end = (0..=kept * 3 / 4).rev().find(is_boundary);
    let tail_start = (text.len() - kept / 4..text.len()).find(is_boundary);
    let head = text.get(..head_end.unwrap_or_default());
    let tail = text.get(tail_start.unwrap_or(text.len())..);
    format!(
        "{}{GAP}{}",
        head.unwrap_or_default(),
        tail.unwrap_or_default()
    )
}

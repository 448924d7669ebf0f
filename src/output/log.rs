//! Text for people, on stderr, one line each.

use std::fmt::Display;
use std::io::Write;

use crate::output::letters;

/// The longest line, in bytes: what a service says has a place in it, but must not fill it.
const MAX_LINE: usize = 8000;
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
    /// The line of a batch that is worked on.
    place: String,
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
            place: String::new(),
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

    /// Begins what is said from now on with the number of a batch's line, or with none.
    pub(crate) fn set_line(&mut self, number: Option<u64>) {
        self.place = number.map_or_else(String::new, |number| format!("line {number}: "));
    }

    /// Removes the progress from its line, before something else is written there.
    pub(crate) fn clear_progress(&mut self) {
        self.write("");
    }

    /// Says what is wrong and what to do.
    pub(crate) fn error(&mut self, message: impl Display) {
        let place = self.place.clone();
        self.line(format_args!("error: {place}{message}"));
    }

    /// Says what does not work, though the step goes on; the same twice in a row is said once.
    pub(crate) fn warning(&mut self, message: impl Display) {
        let message = message.to_string();
        if message != self.last_warning {
            let place = self.place.clone();
            self.line(format_args!("warning: {place}{message}"));
            self.last_warning = message;
        }
    }

    /// Says what people should know, though nothing is wrong.
    pub(crate) fn notice(&mut self, message: impl Display) {
        let place = self.place.clone();
        self.line(format_args!("{place}{message}"));
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

    fn line(&mut self, message: impl Display) {
        let text = line(message, MAX_LINE);
        self.write(&text);
    }

    /// Writes at once, so that nobody else's line comes in between.
    fn write(&mut self, text: &str) {
        let text = match std::mem::take(&mut self.shows_progress) {
            true => &format!("{CLEAR}{text}"),
            false => text,
        };
        let _ = self.stderr.write_all(text.as_bytes());
        let _ = self.stderr.flush();
    }
}

/// Returns the whole line that says `message`, of at most `limit` bytes. A message may repeat what a service said: it stays on
/// its line, and commands no terminal.
pub(crate) fn line(message: impl Display, limit: usize) -> String {
    let mut text = letters::harmless(&format!("{}: {message}", env!("CARGO_PKG_NAME")));
    if text.len() >= limit {
        let ends = text
            .char_indices()
            .map(|(at, letter)| at + letter.len_utf8());
        let end = ends.take_while(|end| *end < limit).last();
        text.truncate(end.unwrap_or_default());
    }
    text.push('\n');
    text
}

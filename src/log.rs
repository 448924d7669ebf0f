//! Text for people, on stderr, one line each.

use std::fmt::Display;
use std::io::Write;

/// The longest line, in characters: what a service says has a place in it, but must not fill it.
const MAX_LINE: usize = 8000;

/// Writes lines that begin with the program's name. What cannot be written is lost: stderr is no reason to fail.
pub struct Log<'a> {
    stderr: &'a mut dyn Write,
    is_verbose: bool,
    last_warning: String,
    shows_progress: bool,
    /// The line of a batch that is worked on.
    place: String,
}

impl<'a> Log<'a> {
    /// A log that keeps quiet unless something is wrong.
    pub fn new(stderr: &'a mut dyn Write) -> Self {
        Self {
            stderr,
            is_verbose: false,
            last_warning: String::new(),
            shows_progress: false,
            place: String::new(),
        }
    }

    /// Says what is done, too.
    pub fn set_verbose(&mut self, is_verbose: bool) {
        self.is_verbose = is_verbose;
    }

    /// Begins what is said from now on with the number of a batch's line, or with none.
    pub fn set_line(&mut self, number: Option<u64>) {
        self.place = number.map_or_else(String::new, |number| format!("line {number}: "));
    }

    /// Takes the progress off its line, before something else is written there.
    pub fn clear_progress(&mut self) {
        if std::mem::take(&mut self.shows_progress) {
            let _ = write!(self.stderr, "\r\x1b[K");
            let _ = self.stderr.flush();
        }
    }

    /// What is wrong and what to do.
    pub fn error(&mut self, message: impl Display) {
        let place = self.place.clone();
        self.line(format_args!("error: {place}{message}"));
    }

    /// What does not work, though the step goes on; the same twice in a row is said once.
    pub fn warning(&mut self, message: impl Display) {
        let message = message.to_string();
        if message != self.last_warning {
            let place = self.place.clone();
            self.line(format_args!("warning: {place}{message}"));
            self.last_warning = message;
        }
    }

    /// What people should know, though nothing is wrong.
    pub fn notice(&mut self, message: impl Display) {
        let place = self.place.clone();
        self.line(format_args!("{place}{message}"));
    }

    /// What is done, for those who asked.
    pub fn detail(&mut self, message: impl Display) {
        if self.is_verbose {
            self.notice(message);
        }
    }

    /// How far things are, for a person at a terminal: on one line that the next line replaces.
    pub fn progress(&mut self, message: impl Display) {
        let _ = write!(self.stderr, "\r\x1b[K{message}");
        let _ = self.stderr.flush();
        self.shows_progress = true;
    }

    /// A message may repeat what a service said: it stays on its line, and commands no terminal.
    fn line(&mut self, message: impl Display) {
        let text = format!("{}: {message}", env!("CARGO_PKG_NAME"));
        let is_harmful = |letter: char| {
            // Line separators, and what turns the direction of writing around.
            letter.is_control()
                || matches!(letter, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        };
        let text = text.replace(is_harmful, " ");
        let text: String = text.chars().take(MAX_LINE).collect();
        self.clear_progress();
        let _ = writeln!(self.stderr, "{text}");
        let _ = self.stderr.flush();
    }
}

//! The same JSON, laid out: on one line, or indented for a person. It is not parsed for that, so that no number, key or
//! order can change.

use std::io::{self, Write};
use std::iter;

use crate::output::harmful_letters;

/// How deep the indentation goes. What lies deeper is compact: its indentation would be longer than the text.
const MAX_DEPTH: usize = 32;
/// After so many bytes the rest is compact: nobody reads more at a terminal, and indented it would be many times as long.
const MAX_INDENTED: usize = 1 << 20;
/// How long a document usually is, in bytes.
const USUAL: usize = 4 << 10;
/// How much is gathered before it is written, in bytes. A usual document is one write; a large one costs no more memory.
const CHUNK: usize = 64 << 10;

/// Where in the JSON the next letter is.
enum Place {
    /// Between strings: brackets, commas, colons, numbers, words, white space.
    Structure,
    String,
    /// In a string, behind a backslash.
    Escape,
}

/// Takes JSON, and writes it without the white space that the service may have sent in its object, or indented
/// throughout. Harmful letters in its strings are escaped.
pub struct Layout<'a> {
    sink: &'a mut dyn Write,
    /// What is not written yet.
    text: String,
    written: usize,
    indents: bool,
    depth: usize,
    place: Place,
    /// The last letter that is not white space, outside strings.
    previous: char,
}

impl<'a> Layout<'a> {
    /// Writes to `sink`.
    pub fn new(sink: &'a mut dyn Write, indents: bool) -> Self {
        Self {
            sink,
            text: String::with_capacity(USUAL),
            written: 0,
            indents,
            depth: 0,
            place: Place::Structure,
            previous: ' ',
        }
    }

    /// Ends the line, and writes what is left of it. Fails if it cannot be written.
    pub fn end(mut self) -> io::Result<()> {
        self.text.push('\n');
        self.flush()
    }

    fn write_text(&mut self) -> io::Result<()> {
        self.written += self.text.len();
        self.sink.write_all(self.text.as_bytes())?;
        self.text.clear();
        Ok(())
    }

    /// Returns how many bytes at the start of `text` stand as they are, and change nothing in where the rest stands.
    fn plain(&self, text: &str) -> usize {
        let is_plain = |byte: &u8| match self.place {
            Place::Structure => !self.indents && !byte.is_ascii_whitespace() && *byte != b'"',
            Place::String => matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'),
            Place::Escape => false,
        };
        text.bytes().take(CHUNK).take_while(is_plain).count()
    }

    fn take(&mut self, letter: char) {
        match self.place {
            Place::Structure if letter.is_ascii_whitespace() => {}
            Place::Structure => self.structure(letter),
            Place::String => {
                harmful_letters::push_in_json(&mut self.text, letter);
                self.place = match letter {
                    '\\' => Place::Escape,
                    '"' => Place::Structure,
                    _ => Place::String,
                };
            }
            Place::Escape => {
                self.text.push(letter);
                self.place = Place::String;
            }
        }
    }

    fn structure(&mut self, letter: char) {
        // A bracket that closes is still as deep as what it encloses.
        let indents = self.indents && self.depth <= MAX_DEPTH && self.written < MAX_INDENTED;
        let begins_line = indents && self.begins_line(letter);
        match letter {
            '{' | '[' => self.enter(begins_line),
            '}' | ']' => {
                self.depth = self.depth.saturating_sub(1);
                self.begin_line(begins_line);
            }
            _ => self.begin_line(begins_line),
        }
        self.text.push(letter);
        if indents && letter == ':' {
            self.text.push(' ');
        }
        if letter == '"' {
            self.place = Place::String;
        }
        self.previous = letter;
    }

    fn enter(&mut self, begins_line: bool) {
        self.begin_line(begins_line);
        self.depth += 1;
    }

    /// Each member and each item has a line of its own, and so has the bracket behind them.
    fn begins_line(&self, letter: char) -> bool {
        let follows_opening = matches!(self.previous, '{' | '[');
        match letter {
            '}' | ']' => !follows_opening,
            _ => follows_opening || self.previous == ',',
        }
    }

    fn begin_line(&mut self, begins_line: bool) {
        if begins_line {
            self.text.push('\n');
            self.text.extend(iter::repeat_n("  ", self.depth));
        }
    }
}

impl Write for Layout<'_> {
    /// Takes whole letters, as the serialiser hands them out.
    fn write(&mut self, json: &[u8]) -> io::Result<usize> {
        let mut text = str::from_utf8(json).map_err(io::Error::other)?;
        while let Some(letter) = text.chars().next() {
            let length = self.plain(text).max(letter.len_utf8());
            let (head, rest) = text.split_at_checked(length).unwrap_or((text, ""));
            match head.len() > letter.len_utf8() {
                true => self.text.push_str(head),
                false => self.take(letter),
            }
            if self.text.len() >= CHUNK {
                self.write_text()?;
            }
            text = rest;
        }
        Ok(json.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_text()?;
        self.sink.flush()
    }
}

/// Returns the name that documents have for `value`.
pub(crate) fn name_of(value: &impl serde::Serialize) -> String {
    let name = serde_json::to_string(value).unwrap_or_default();
    name.trim_matches('"').to_owned()
}

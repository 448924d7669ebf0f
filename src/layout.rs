//! The same JSON, laid out: on one line, or indented for a person. It is not parsed for that, so that no number, key or
//! order can change.

use std::iter;

use crate::letters;

/// How deep the indentation goes. What lies deeper is compact: its indentation would be longer than the text.
const MAX_DEPTH: usize = 32;
/// The longest JSON that is indented, in bytes: nobody reads more at a terminal, and it would grow many times over.
const MAX_INDENTED: usize = 1 << 20;

/// `json` without the white space that the service may have sent in its object, or `indented` throughout. Harmful
/// letters in its strings are escaped.
#[must_use]
pub fn lay_out(json: &str, indented: bool) -> String {
    let mut layout = Layout {
        text: String::with_capacity(json.len() + 1),
        indents: indented && json.len() <= MAX_INDENTED,
        depth: 0,
        place: Place::Structure,
        previous: ' ',
    };
    for letter in json.chars() {
        layout.take(letter);
    }
    layout.text
}

/// Where in the JSON the next letter is.
enum Place {
    /// Between strings: brackets, commas, colons, numbers, words, white space.
    Structure,
    String,
    /// In a string, behind a backslash.
    Escape,
}

struct Layout {
    text: String,
    indents: bool,
    depth: usize,
    place: Place,
    /// The last letter that is not white space, outside strings.
    previous: char,
}

impl Layout {
    fn take(&mut self, letter: char) {
        match self.place {
            Place::Structure if letter.is_ascii_whitespace() => {}
            Place::Structure => self.structure(letter),
            Place::String => {
                letters::push_in_json(&mut self.text, letter);
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
        let indents = self.indents && self.depth <= MAX_DEPTH;
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

//! Many requests, one a line.

use std::io::{self, BufRead, Read};

use super::invalid::{MAX_REQUEST, not_utf8, too_large, unreadable};
use super::source::{BYTE_ORDER_MARK, Source, Text};
use crate::output::failure::Failure;

/// How messages name one of the requests.
const NAME: &str = "the request";

/// The lines of an input that are not blank, each with its number, or with why it cannot be taken.
pub(crate) struct Lines {
    /// How messages name the whole.
    name: String,
    /// `None` once it broke.
    text: Option<Text>,
    /// Of the last line, counted from 1.
    number: u64,
}

impl Lines {
    /// Opens `source`; fails if it cannot be opened.
    pub(crate) fn of(source: Source) -> Result<Self, Failure> {
        let name = source.name();
        let text = source.open(None);
        Ok(Self {
            text: Some(text.map_err(|error| unreadable(&name, "", &error))?),
            name,
            number: 0,
        })
    }
}

impl Iterator for Lines {
    type Item = (u64, Result<String, Failure>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.number += 1;
            let line = match next_line(self.text.as_mut()?) {
                Ok(line) => line?,
                Err(error) => {
                    self.text = None;
                    Err(unreadable(&self.name, "", &error))
                }
            };
            let is_blank = matches!(&line, Ok(text) if text.trim_ascii().is_empty());
            if !is_blank {
                return Some((self.number, line));
            }
        }
    }
}

/// Reads one line, without its end; `None` at the end of input.
fn next_line(text: &mut Text) -> io::Result<Option<Result<String, Failure>>> {
    let mut line = Vec::new();
    // A byte order mark and the line's end are no part of the request.
    let limit = (BYTE_ORDER_MARK.len() + MAX_REQUEST + b"\r\n".len()) as u64;
    if text.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    let is_whole = line.ends_with(b"\n") || text.fill_buf()?.is_empty();
    if !is_whole {
        text.skip_until(b'\n')?;
        return Ok(Some(Err(too_large(NAME))));
    }
    Ok(Some(request_in(&line)))
}

/// Returns the text of a request in its `line`.
fn request_in(line: &[u8]) -> Result<String, Failure> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    if line.len() > MAX_REQUEST {
        return Err(too_large(NAME));
    }
    let text = String::from_utf8(line.to_vec());
    text.map_err(|error| not_utf8(NAME, &error.utf8_error()))
}

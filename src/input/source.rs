//! One request's text comes in, from stdin or a file: one value, then stop.

use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use std::time::Duration;

use crate::input::reading::{self, Reading};
use crate::input::validate;
use crate::output::failure::{Failure, FailureCode};
use crate::waiting::deadline::Deadline;
use crate::waiting::stream::{self, Patient, Stream};

/// The greatest request, in bytes.
pub const MAX_REQUEST: usize = 1 << 20;

/// How long a request may take to come in, whatever the time limit of the whole run.
pub const MAX_WAIT: Duration = Duration::from_secs(30);

/// Where the request comes from.
pub enum Source {
    /// The process's standard input.
    Stdin(Box<dyn Stream>),
    /// The file that the command line names.
    File(PathBuf),
}

impl Source {
    /// How messages name it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Stdin(_) => "the request on stdin",
            Self::File(_) => "the request in the file",
        }
    }

    /// What can be read of it until `deadline`.
    pub(crate) fn open(self, deadline: Option<Deadline>) -> io::Result<Input> {
        let stream: Box<dyn Stream> = match self {
            Self::Stdin(stdin) => stdin,
            Self::File(path) => Box::new(stream::open(path)?),
        };
        Ok(BufReader::new(Patient::new(stream, deadline)))
    }
}

/// What is read from.
pub(crate) type Input = BufReader<Patient<Box<dyn Stream>>>;

/// The one JSON value that `source` carries, as soon as it is complete: an engine may never close stdin.
///
/// # Errors
///
/// No value within `limit`, more than one, one that is too large, or not JSON.
pub fn read(source: Source, limit: Duration) -> Result<Reading, Failure> {
    let name = source.name();
    let input = source.open(Some(Deadline::after(limit)));
    let input = input.map_err(|error| unreadable(name, &error))?;
    read_value(name, limit, input)
}

/// What came to nothing: the time limit, or the reading itself.
fn broken(name: &str, limit: Duration, error: &io::Error) -> Failure {
    if error.kind() != io::ErrorKind::TimedOut {
        return unreadable(name, error);
    }
    Failure::new(
        FailureCode::NoInput,
        format!(
            "{name} was not complete within {} s. Write one JSON object to stdin, or name a file with it as the argument.",
            limit.as_secs_f64()
        ),
    )
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::new(
        FailureCode::NoInput,
        format!("{name} cannot be read. Check its path and its permissions."),
    )
    .because(error)
}

fn read_value(name: &str, limit: Duration, mut input: Input) -> Result<Reading, Failure> {
    let broken = |error: io::Error| broken(name, limit, &error);
    let start = skip_byte_order_mark(&mut input).map_err(broken)?;
    // One more byte than allowed is read, so that a request of exactly the limit is told from a larger one.
    let mut recorder = Recorder {
        input: start.chain(&mut input).take(MAX_REQUEST as u64 + 1),
        text: Vec::new(),
    };
    let reading = reading::read(&mut serde_json::Deserializer::from_reader(&mut recorder));
    let text = recorder.text;
    if text.len() > MAX_REQUEST {
        return Err(invalid(format!(
            "{name} is larger than {MAX_REQUEST} bytes. Send less."
        )));
    }
    let reading = reading.map_err(|error| match error.io_error_kind() {
        Some(kind) => broken(kind.into()),
        None => not_json(name, &text, &error),
    })?;
    if more_follows(&mut input).map_err(broken)? {
        return Err(invalid(format!(
            "more follows {name}: nothing was sent, so that no request is dropped silently. Send one request a call, or \
             use --batch for many."
        )));
    }
    Ok(reading)
}

/// Whether anything but white space is already there; the end is not waited for.
fn more_follows(input: &mut Input) -> io::Result<bool> {
    loop {
        if !input.buffer().trim_ascii().is_empty() {
            return Ok(true);
        }
        let count = input.buffer().len();
        input.consume(count);
        if !input.get_ref().is_ready()? || input.fill_buf()?.is_empty() {
            return Ok(false);
        }
    }
}

/// Skips the byte order mark that PowerShell writes; gives back what turned out not to be one.
fn skip_byte_order_mark(input: &mut impl BufRead) -> io::Result<&'static [u8]> {
    const MARK: &[u8] = b"\xEF\xBB\xBF";
    for (index, byte) in MARK.iter().enumerate() {
        if input.fill_buf()?.first() != Some(byte) {
            return Ok(MARK.get(..index).unwrap_or_default());
        }
        input.consume(1);
    }
    Ok(&[])
}

/// Keeps what the parser consumes, to say what it is if it is not JSON.
struct Recorder<R> {
    input: R,
    text: Vec<u8>,
}

impl<R: Read> Read for Recorder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.text
            .extend_from_slice(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

fn not_json(name: &str, text: &[u8], error: &serde_json::Error) -> Failure {
    if text.trim_ascii().is_empty() {
        return Failure::new(
            FailureCode::NoInput,
            format!(
                "{name} is empty. Write one JSON object to stdin, or name a file with it as the argument."
            ),
        );
    }
    // No UTF-8 begins with the bytes of UTF-16's byte order mark, and no JSON contains a zero.
    if text.starts_with(b"\xFF") || text.starts_with(b"\xFE") || text.contains(&0) {
        return invalid(format!(
            "{name} is UTF-16 or binary, not UTF-8. Write it as UTF-8."
        ));
    }
    // Cut off within a letter, it is not complete, rather than wrong.
    match str::from_utf8(text) {
        Err(cause) if cause.error_len().is_some() => {
            invalid(format!("{name} is not UTF-8. Write it as UTF-8.")).because(&cause)
        }
        _ => validate::not_json(name, error),
    }
}

fn invalid(message: String) -> Failure {
    Failure::new(FailureCode::InvalidInput, message)
}

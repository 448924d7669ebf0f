//! One request's text comes in, from stdin or a file: one value, then stop.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::invalid::{self, MAX_REQUEST, invalid, unreadable};
use super::reading::Reading;
use crate::output::failure::{Failure, FailureCode};
use crate::waiting::deadline::Deadline;
use crate::waiting::stream::{self, Patient, Stream};

/// What PowerShell writes before its text.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What helps where the request cannot be read.
const REMEDY: &str = " Check its path and its permissions.";

/// The longest path that messages repeat, in letters.
const MAX_SHOWN_PATH: usize = 300;

/// How the names of files with requests end.
const EXTENSIONS: [&str; 4] = ["json", "jsonl", "ndjson", "txt"];

/// How long a request may take to come in, whatever the time limit of the whole run.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// Where the request comes from.
pub(crate) enum Source {
    /// The process's standard input.
    Stdin(Box<dyn Stream>),
    /// The file that the command line names.
    File(PathBuf),
}

impl Source {
    /// How messages name it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin(_) => "the request on stdin".to_owned(),
            Self::File(path) if may_be_shown(path) => {
                let path: String = path.display().to_string().chars().take(MAX_SHOWN_PATH).collect();
                format!("the request in the file {path}")
            }
            Self::File(_) => {
                "the request in the file (its path is not repeated here, because it may be a secret)"
                    .to_owned()
            }
        }
    }

    /// Reads the one JSON value that the source carries, as soon as it is complete: an engine may never close stdin.
    /// Fails if there is none within `limit`, more than one, one that is too large, or something else.
    pub(crate) fn read(self, limit: Duration) -> Result<Reading, Failure> {
        let name = self.name();
        let limit = limit.min(MAX_WAIT);
        let text = self.open(Some(Deadline::after(limit)));
        read_value(
            &name,
            limit,
            text.map_err(|error| unreadable(&name, REMEDY, &error))?,
        )
    }

    /// Opens what can be read until `deadline`; for ever, if there is none.
    pub(super) fn open(self, deadline: Option<Deadline>) -> io::Result<Text> {
        let stream: Box<dyn Stream> = match self {
            Self::Stdin(stdin) => stdin,
            Self::File(path) => Box::new(stream::open(path)?),
        };
        Ok(BufReader::new(Patient::new(stream, deadline)))
    }
}

/// Whether messages may repeat `path`: it leads somewhere, or is named as a request is. Anything else may be a secret
/// that was put in the wrong place.
fn may_be_shown(path: &Path) -> bool {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let extension = path.extension().and_then(|extension| extension.to_str());
    path.exists()
        || folder.is_some_and(Path::is_dir)
        || extension.is_some_and(|extension| EXTENSIONS.contains(&extension))
}

/// What is read from.
pub(super) type Text = BufReader<Patient>;

/// The failure that `error` is: the time limit passed, or the reading broke.
fn broken(name: &str, limit: Duration, error: &io::Error) -> Failure {
    if error.kind() != io::ErrorKind::TimedOut {
        return unreadable(name, REMEDY, error);
    }
    let seconds = limit.as_secs_f64();
    no_input(format!("{name} was not complete within {seconds} s."))
}

fn no_input(what: String) -> Failure {
    let remedy = "Write one JSON object to stdin, or name a file that has it.";
    Failure::new(FailureCode::NoInput, format!("{what} {remedy}"))
}

fn read_value(name: &str, limit: Duration, mut input: Text) -> Result<Reading, Failure> {
    let broken = |error: io::Error| broken(name, limit, &error);
    let start = skip_byte_order_mark(&mut input).map_err(broken)?;
    // One more byte than allowed is read, to know a request of exactly the limit from a larger one.
    let mut recorder = Recorder {
        input: start.chain(&mut input).take(MAX_REQUEST as u64 + 1),
        text: Vec::with_capacity(USUAL),
    };
    let reading = Reading::of(&mut serde_json::Deserializer::from_reader(&mut recorder));
    let text = recorder.text;
    if text.len() > MAX_REQUEST {
        return Err(invalid::too_large(name));
    }
    let reading = reading.map_err(|error| match error.io_error_kind() {
        Some(kind) => broken(kind.into()),
        None => explain(name, &text, &error),
    })?;
    if more_follows(&mut input).map_err(broken)? {
        return Err(invalid(format!(
            "more input follows {name}: nothing was sent. Send one request for each run, or use --batch for many."
        )));
    }
    Ok(reading)
}

/// Whether anything but white space is already there; the end is not waited for.
fn more_follows(input: &mut Text) -> io::Result<bool> {
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

/// Skips the byte order mark; gives back what turned out not to be one.
fn skip_byte_order_mark(input: &mut impl BufRead) -> io::Result<&'static [u8]> {
    for (index, byte) in BYTE_ORDER_MARK.iter().enumerate() {
        if input.fill_buf()?.first() != Some(byte) {
            return Ok(BYTE_ORDER_MARK.get(..index).unwrap_or_default());
        }
        input.consume(1);
    }
    Ok(&[])
}

/// How long a request usually is at most, in bytes.
const USUAL: usize = 1 << 10;

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

/// Says what the text is, if it is not JSON.
fn explain(name: &str, text: &[u8], error: &serde_json::Error) -> Failure {
    if text.trim_ascii().is_empty() {
        return no_input(format!("{name} is empty."));
    }
    // No UTF-8 begins with the bytes of UTF-16's byte order mark, and no JSON contains a zero.
    if text.starts_with(b"\xFF") || text.starts_with(b"\xFE") || text.contains(&0) {
        return invalid(format!(
            "{name} is UTF-16 or binary, not UTF-8. Write it as UTF-8."
        ));
    }
    // Cut off within a letter, it is not complete, rather than wrong.
    match str::from_utf8(text) {
        Err(cause) if cause.error_len().is_some() => invalid::not_utf8(name, &cause),
        _ => invalid::not_json(name, error),
    }
}

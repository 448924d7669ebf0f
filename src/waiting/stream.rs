//! Bytes that may be slow to come: who should write them may never do so, nor close the pipe.

use std::fs::{File, OpenOptions};
use std::io::{self, Cursor, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::fs::OFlags;

use super::deadline::Deadline;
use super::ready::await_ready;

/// The largest file that a setting may name, in bytes: the trust stores of distributions have a quarter of it.
const MAX_FILE: u64 = 1 << 20;

/// What can be waited for with a limit.
pub trait Stream: Read + Send {
    /// Waits until there is something to read, or the end, or something broke; no longer than `limit`, if there is one.
    /// Returns `false` if the limit came first; fails if it cannot be waited for.
    fn wait(&self, limit: Option<Duration>) -> io::Result<bool>;
}

/// What the system knows by a descriptor: a file, a pipe, a terminal. It is read directly, past any buffer of its own,
/// for what is in a buffer cannot be waited for.
pub struct Descriptor<F>(pub F);

impl<F: AsFd> Read for Descriptor<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(&self.0, buffer)?)
    }
}

impl<F: AsFd + Send> Stream for Descriptor<F> {
    fn wait(&self, limit: Option<Duration>) -> io::Result<bool> {
        Ok(await_ready(&self.0, PollFlags::IN, limit)?)
    }
}

impl<T: AsRef<[u8]> + Send> Stream for Cursor<T> {
    fn wait(&self, _: Option<Duration>) -> io::Result<bool> {
        Ok(true)
    }
}

/// Opens a file that may be a pipe: one that nobody has opened for writing is not waited for here, but when it is read.
pub(crate) fn open(path: impl AsRef<Path>) -> io::Result<Descriptor<File>> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    Ok(Descriptor(file))
}

/// Reads a stream until a deadline; then it fails with [`io::ErrorKind::TimedOut`].
pub(crate) struct Patient {
    stream: Box<dyn Stream>,
    deadline: Option<Deadline>,
}

impl Patient {
    /// Reads `stream` until `deadline`; for ever, if there is none.
    pub(crate) fn new(stream: Box<dyn Stream>, deadline: Option<Deadline>) -> Self {
        Self { stream, deadline }
    }

    /// Whether a read would give something, or the end, at once. Fails if that cannot be asked.
    pub(crate) fn is_ready(&self) -> io::Result<bool> {
        self.stream.wait(Some(Duration::ZERO))
    }
}

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let limit = self.deadline.as_ref().map(Deadline::remaining);
            let read = match self.stream.wait(limit) {
                // A source that is always ready (`/dev/zero`) must still hit the deadline.
                Ok(true) if limit != Some(Duration::ZERO) => self.stream.read(buffer),
                Ok(_) => Err(io::ErrorKind::TimedOut.into()),
                Err(error) => Err(error),
            };
            match read {
                // A signal came in between, or another reader was faster.
                Err(error) if is_passing(&error) => {}
                read => return read,
            }
        }
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
    )
}

/// Reads the file that a setting names. It may be a pipe, as shells make for the output of another program, and is then
/// waited for no longer than `deadline`. Fails if it cannot be read in time, or is too large to be what it should; with
/// its path, unless that may be a secret.
pub(crate) fn read_file(path: &str, deadline: Deadline) -> io::Result<Vec<u8>> {
    read_until(path, deadline).map_err(|error| match is_path(path) {
        true => io::Error::new(error.kind(), format!("{path}: {error}")),
        false => error,
    })
}

fn read_until(path: &str, deadline: Deadline) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    Patient::new(Box::new(open(path)?), Some(deadline))
        .take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => no_end(deadline),
            _ => error,
        })?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::other(format!(
            "it is larger than {MAX_FILE} bytes"
        )));
    }
    Ok(bytes)
}

fn no_end(deadline: Deadline) -> io::Error {
    let seconds = deadline.limit().as_secs_f64();
    io::Error::other(format!(
        "its end did not come within {seconds} s; if it is a pipe, close the other end"
    ))
}

/// Whether `text` is surely a path: its folder is there. By mistake, a secret may stand where its file should be named.
fn is_path(text: &str) -> bool {
    let folder = Path::new(text).parent();
    // The root is the folder of anything that begins with a slash.
    folder.is_some_and(|folder| folder.file_name().is_some() && folder.is_dir())
}

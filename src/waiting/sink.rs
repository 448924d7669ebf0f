//! Bytes that may be slow to go: who should read them may never do so.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::io::Errno;

use super::deadline::Deadline;
use super::ready::await_ready;

/// What a write to a pipe takes at most without waiting, if the pipe has room at all, in bytes (POSIX, `PIPE_BUF`).
const MAX_AT_ONCE: usize = 4096;

/// What documents are written to.
pub trait Sink: Write {
    /// Sets how long one document may wait for room.
    fn set_patience(&mut self, patience: Duration);
}

/// There is always room.
impl Sink for Vec<u8> {
    fn set_patience(&mut self, _: Duration) {}
}

/// What the system knows by a descriptor: a file, a pipe, a terminal. It is written directly. The standard library would
/// take a write to a closed descriptor for a success, give up where one that does not block is full, and hold a lock
/// while it waits.
pub struct Output<F> {
    descriptor: F,
    /// How long what is written until the next flush may wait for room, where the descriptor does not block. One that
    /// blocks waits for as long as its reader wants.
    patience: Duration,
    /// When the patience ends; it begins with the first write after a flush.
    deadline: Option<Deadline>,
    /// The last write was given up: the next one does not wait.
    is_stuck: bool,
    /// Whether room is waited for before each write, even where the descriptor blocks.
    asks_first: bool,
}

impl<F: AsFd> Output<F> {
    /// Writes to `descriptor`, with that `patience`.
    pub fn new(descriptor: F, patience: Duration) -> Self {
        Self {
            descriptor,
            patience,
            deadline: None,
            is_stuck: false,
            asks_first: false,
        }
    }

    /// Writes to `descriptor` only what it has room for within that `patience`, even if it blocks.
    pub fn never_blocking(descriptor: F, patience: Duration) -> Self {
        Self {
            asks_first: true,
            ..Self::new(descriptor, patience)
        }
    }

    fn deadline(&mut self) -> Deadline {
        let patience = match self.is_stuck {
            true => Duration::ZERO,
            false => self.patience,
        };
        *self
            .deadline
            .get_or_insert_with(|| Deadline::after(patience))
    }

    fn write_until(&mut self, bytes: &[u8], deadline: Deadline) -> io::Result<usize> {
        loop {
            if self.asks_first {
                self.await_room(deadline)?;
            }
            match rustix::io::write(&self.descriptor, bytes) {
                Ok(0) if !bytes.is_empty() => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.is_stuck = false;
                    return Ok(count);
                }
                // A signal came in between.
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.await_room(deadline)?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn await_room(&mut self, deadline: Deadline) -> io::Result<()> {
        let left = Some(deadline.remaining());
        match await_ready(&self.descriptor, PollFlags::OUT, left) {
            Ok(false) => Err(self.stuck(deadline)),
            // A signal came, but there may be room: whoever asks will try.
            Ok(true) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn stuck(&mut self, deadline: Deadline) -> io::Error {
        self.is_stuck = true;
        let waited = deadline.limit().as_secs_f64();
        let message = format!(
            "not everything was read within {waited} s; its reader is slow, or has stopped"
        );
        io::Error::new(io::ErrorKind::TimedOut, message)
    }
}

impl<F: AsFd> Write for Output<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let deadline = self.deadline();
        let bytes = match self.asks_first {
            true => bytes.get(..MAX_AT_ONCE).unwrap_or(bytes),
            false => bytes,
        };
        self.write_until(bytes, deadline)
    }

    /// Nothing is kept back; what is written from now on has a new time limit.
    fn flush(&mut self) -> io::Result<()> {
        self.deadline = None;
        Ok(())
    }
}

impl<F: AsFd> Sink for Output<F> {
    fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }
}

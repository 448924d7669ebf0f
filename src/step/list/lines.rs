//! Actions become lines on stdout.

use std::io::{self, Write};
use std::mem;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::sieve::{Sieve, counted};
use crate::input::{Input, MachineActionId};
use crate::output::exit_status::ExitStatus;
use crate::output::failure::Failure;
use crate::output::layout::Layout;
use crate::output::log::Log;
use crate::settings::list_options::Listing;
use crate::step::interrupted_reads::InterruptedReads;
use crate::waiting::sink::Sink;

/// How many bytes of actions are gathered before they are written.
const CHUNK: usize = 64 << 10;
/// How many bytes of requests are: those of more than a page. Whoever takes them may take a second for each, and the
/// service would not wait so long for its page to be read.
const CHUNK_OF_REQUESTS: usize = 4 << 20;
/// How long an action waits for others before it is written.
const LONGEST_WAIT: Duration = Duration::from_millis(200);

/// The lines of a list.
pub(super) struct Lines<'a> {
    pub(super) listing: &'a Listing,
    pub(super) stdout: &'a mut dyn Sink,
    stop: InterruptedReads,
    /// What is not written yet: whole lines.
    pending: Vec<u8>,
    written_at: Instant,
    /// Why nothing more can be written.
    broken: Option<io::Error>,
    pub(super) count: u64,
    sieve: Sieve,
}

/// What a request needs of an action.
#[derive(Deserialize)]
struct Identified {
    id: MachineActionId,
}

impl<'a> Lines<'a> {
    pub(super) fn new(
        listing: &'a Listing,
        stdout: &'a mut dyn Sink,
        stop: InterruptedReads,
    ) -> Self {
        Self {
            listing,
            stdout,
            stop,
            pending: Vec::new(),
            written_at: Instant::now(),
            broken: None,
            count: 0,
            sieve: Sieve::default(),
        }
    }

    /// Takes an entity of a page. Returns how long it waited for stdout; `None` if no more is wanted.
    pub(super) fn take(&mut self, entity: &RawValue) -> Option<Duration> {
        if self.stop.brake.interrupt.status().is_some() || self.add(entity.get()).is_err() {
            return None;
        }
        let is_due = match self.listing.comment {
            Some(_) => self.pending.len() >= CHUNK_OF_REQUESTS,
            None => self.pending.len() >= CHUNK || self.written_at.elapsed() >= LONGEST_WAIT,
        };
        if !is_due {
            return Some(Duration::ZERO);
        }
        let begun = Instant::now();
        match self.put() {
            Ok(()) => Some(begun.elapsed()),
            Err(error) => {
                self.broken = Some(error);
                None
            }
        }
    }

    /// Adds the line of an entity, if it gets one.
    fn add(&mut self, json: &str) -> io::Result<()> {
        if !self.sieve.passes(&self.listing.filter, json) {
            return Ok(());
        }
        let Some(comment) = &self.listing.comment else {
            return self.push(|layout| layout.write_all(json.as_bytes()));
        };
        match serde_json::from_str::<Identified>(json) {
            Ok(Identified { id }) => {
                let request = Input::new(id, Some(comment.clone()));
                self.push(|layout| Ok(serde_json::to_writer(layout, &request)?))
            }
            Err(_) => {
                self.sieve.unusable += 1;
                Ok(())
            }
        }
    }

    /// Adds the line that `write` lays out.
    fn push(&mut self, write: impl FnOnce(&mut Layout<'_>) -> io::Result<()>) -> io::Result<()> {
        let mut layout = Layout::new(&mut self.pending, false);
        write(&mut layout)?;
        layout.end()?;
        self.count += 1;
        Ok(())
    }

    /// Writes what was gathered.
    pub(super) fn put(&mut self) -> io::Result<()> {
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        let _pen = self.stop.pen();
        self.stdout.write_all(&mem::take(&mut self.pending))?;
        self.stdout.flush()?;
        self.written_at = Instant::now();
        Ok(())
    }

    /// Says that stdout failed, and returns the exit status.
    pub(super) fn not_written(&self, error: &io::Error, log: &mut Log<'_>) -> ExitStatus {
        let lines = counted(self.count, "line", "lines");
        log.error(format_args!(
            "stdout cannot be written: {error}. The list has {lines} so far, and is incomplete."
        ));
        ExitStatus::NotWritten
    }

    /// Says what the service listed beside the actions that were asked for. Fails if there were entities that got no line.
    pub(super) fn finish(&self, log: &mut Log<'_>) -> Result<(), Failure> {
        self.sieve.finish(self.listing.comment.is_some(), log)
    }
}

//! Actions become lines on stdout.

use std::io::{self, Write};
use std::mem;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::input::{Input, MachineActionId};
use crate::output::exit_status::ExitStatus;
use crate::output::failure::{Failure, FailureCode};
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
    /// How many entities are no actions, or have no usable id.
    unusable: u64,
    /// How many actions were not asked for.
    strangers: u64,
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
            unusable: 0,
            strangers: 0,
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
        if !json.starts_with('{') {
            self.unusable += 1;
            return Ok(());
        }
        if !self.listing.filter.matches(json) {
            self.strangers += 1;
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
                self.unusable += 1;
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
        let count = self.count;
        log.error(format_args!(
            "stdout cannot be written: {error}. The list has {count} lines so far, and is not whole."
        ));
        ExitStatus::NotWritten
    }

    /// Warns if the service sent what was not asked for.
    pub(super) fn warn_of_strangers(&self, log: &mut Log<'_>) {
        warn_of_strangers(self.strangers, log);
    }

    /// Fails if there were entities that got no line.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match self.unusable {
            0 => Ok(()),
            count => Err(unusable(count, self.listing.comment.is_some())),
        }
    }
}

/// Warns if the service sent `count` actions that were not asked for.
pub(super) fn warn_of_strangers(count: u64, log: &mut Log<'_>) {
    if count > 0 {
        let actions = counted(count, "action does", "actions do");
        log.warning(format_args!(
            "{actions} not match the filters, and {} left out: something between may have removed the query. Check \
             MDE_BASE_URL and any proxy between.",
            if count == 1 { "was" } else { "were" }
        ));
    }
}

/// The failure of a list with `count` entities that are none.
pub(super) fn unusable(count: u64, are_requests: bool) -> Failure {
    let entries = counted(count, "entry", "entries");
    let (what, got) = match are_requests {
        true => ("an id that can be cancelled", "request"),
        false => ("the form of an action", "line"),
    };
    let message = format!(
        "the service listed {entries} without {what}, for which there is no {got}. All others have theirs. Check \
         MDE_BASE_URL and any proxy between."
    );
    Failure {
        retryable: false,
        ..Failure::new(FailureCode::InvalidAnswer, message)
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

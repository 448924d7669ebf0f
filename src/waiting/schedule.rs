//! What is next, of many things that are watched side by side: pure, the clock is handed in.

use std::collections::BTreeSet;
use std::time::Instant;

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Something new is begun.
    Begin,
    /// What has this number is looked at again.
    Look(u64),
}

/// When each of the things that are watched is to be looked at again. What has been due longest comes first; if new
/// things wait to be begun meanwhile, both take turns.
#[derive(Debug, Default)]
pub struct Schedule {
    due: BTreeSet<(Instant, u64)>,
    has_just_looked: bool,
}

impl Schedule {
    /// What has `number` is to be looked at again, at `due`.
    pub fn add(&mut self, number: u64, due: Instant) {
        self.due.insert((due, number));
    }

    /// Returns when something is due, if anything is watched.
    pub fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Returns what is next at `now`, if anything is; `may_begin` if something new waits. What is to be looked at is
    /// taken off: it is added again if that was not the last time.
    pub fn next(&mut self, now: Instant, may_begin: bool) -> Option<Turn> {
        let is_due = self.next_due().is_some_and(|due| due <= now);
        let looks = is_due && !(may_begin && self.has_just_looked);
        self.has_just_looked = looks;
        match looks {
            true => self.due.pop_first().map(|(_, number)| Turn::Look(number)),
            false => may_begin.then_some(Turn::Begin),
        }
    }
}

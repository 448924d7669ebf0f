//! Which entities of a page are the actions that were asked for, and what is said of the others.

use crate::call::filter::Filter;
use crate::output::failure::{Failure, FailureCode};
use crate::output::log::Log;

/// Holds entities to the filters, and counts what does not pass.
#[derive(Default)]
pub(super) struct Sieve {
    /// How many entities are no actions, have no usable id, or cannot be held to the filters.
    pub(super) unusable: u64,
    /// How many actions were not asked for.
    strangers: u64,
}

impl Sieve {
    /// Whether the entity that `json` is, is an action that `filter` asks for.
    pub(super) fn passes(&mut self, filter: &Filter, json: &str) -> bool {
        let matches = json.starts_with('{').then(|| filter.matches(json));
        match matches.flatten() {
            Some(true) => return true,
            Some(false) => self.strangers += 1,
            None => self.unusable += 1,
        }
        false
    }

    /// Warns of actions that were not asked for. Fails if there were entities that are none: each has no request or, if
    /// the list is not one of requests, no line.
    pub(super) fn finish(&self, are_requests: bool, log: &mut Log<'_>) -> Result<(), Failure> {
        if self.strangers > 0 {
            let actions = counted(self.strangers, "action does", "actions do");
            log.warning(format_args!(
                "{actions} not match the filters, and {} left out: something in between may have removed the query. Check \
                 MDE_BASE_URL and any proxy in between.",
                if self.strangers == 1 { "was" } else { "were" }
            ));
        }
        match self.unusable {
            0 => Ok(()),
            count => Err(unusable(count, are_requests)),
        }
    }
}

fn unusable(count: u64, are_requests: bool) -> Failure {
    let entries = counted(count, "entry", "entries");
    let (what, got) = match are_requests {
        true => ("an id that can be cancelled", "request"),
        false => ("the form of an action", "line"),
    };
    let message = format!(
        "the service listed {entries} without {what}, for which there is no {got}. All others have theirs. Check \
         MDE_BASE_URL and any proxy in between."
    );
    Failure {
        retryable: false,
        ..Failure::new(FailureCode::InvalidAnswer, message)
    }
}

/// Returns `count` with its noun.
pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

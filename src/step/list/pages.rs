//! Which page comes next: each is asked for once.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::call::next_link;
use crate::call::service_url::ServiceUrl;
use crate::output::failure::{Failure, FailureCode};

/// How many pages are read at most; one has up to ten thousand actions.
const MAX_PAGES: usize = 10_000;

/// The pages of a list, by their queries.
pub(super) struct Pages {
    next: Option<String>,
    /// The hashes of those that were asked for.
    seen: HashSet<u64>,
}

impl Pages {
    /// The pages that begin with that of `query`.
    pub(super) fn new(query: String) -> Self {
        Self {
            seen: HashSet::from([hash(&query)]),
            next: Some(query),
        }
    }

    /// Returns the query of the next page, if there is one.
    pub(super) fn next(&mut self) -> Option<String> {
        self.next.take()
    }

    /// Takes the `link` to the next page, which a service at `base` gave; or says why it is not followed.
    pub(super) fn follow(&mut self, link: &str, base: &ServiceUrl) -> Result<(), Failure> {
        let query = next_link::query(link, base).map_err(not_followed)?;
        if !self.seen.insert(hash(&query)) {
            return Err(not_followed("leads back to a page that was already read"));
        }
        if self.seen.len() > MAX_PAGES {
            return Err(not_followed("leads to more than 10,000 pages"));
        }
        self.next = Some(query);
        Ok(())
    }
}

fn hash(query: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    next_link::meaning(query).hash(&mut hasher);
    hasher.finish()
}

/// The failure of a list whose link breaks `rule`.
fn not_followed(rule: &str) -> Failure {
    let message = format!(
        "the service's link to the next page {rule}, and is not followed. The list is incomplete. Check MDE_BASE_URL and any \
         proxy in between."
    );
    Failure {
        retryable: false,
        ..Failure::new(FailureCode::InvalidAnswer, message)
    }
}

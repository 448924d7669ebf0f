//! The first actions of a list, for whoever cannot use all.

use std::time::Duration;

use serde_json::value::RawValue;

use super::lines;
use super::pages::Pages;
use crate::call::diagnosis;
use crate::call::filter::Filter;
use crate::call::send::Run;
use crate::call::{api, page};
use crate::output::actions::Actions;
use crate::output::failure::Failure;
use crate::output::outcome::Outcome;
use crate::step::Step;

/// How many actions there are at most.
const MAX_ACTIONS: usize = 100;
/// How large they are at most together, in bytes.
const MAX_BYTES: usize = 256 << 10;

impl Step {
    /// Reads the first actions that `filter` asks for. The error is the answer that refused it, or why there is none.
    pub(in crate::step) fn first_actions(
        &mut self,
        filter: &Filter,
        run: &mut Run<'_, '_>,
    ) -> Result<Actions, Outcome> {
        let failed = |failure| Outcome(Err(failure));
        let mut first = First::default();
        let mut pages = Pages::new(filter.query());
        while let Some(query) = pages.next() {
            self.await_turn(run).map_err(failed)?;
            let request = |api: &_, token: &_| api::list(api, &query, token);
            let reply = self.call(&api::LIST, run, request);
            let mut reply = reply.map_err(failed)?;
            let Some(unread) = reply.received.unread.take() else {
                return Err(Outcome(self.answer_to_read(&reply)));
            };
            let interrupt = self.sender.interrupt().clone();
            let link = page::read(unread, &mut |entity| match interrupt.status() {
                None => first.take(filter, entity),
                Some(_) => None,
            });
            if interrupt.status().is_some() {
                return Err(failed(diagnosis::stopped()));
            }
            if first.more {
                break;
            }
            if let Some(link) = link.map_err(failed)? {
                pages.follow(&link, &self.api).map_err(failed)?;
            }
        }
        lines::warn_of_strangers(first.strangers, run.log);
        first.checked().map_err(failed)
    }
}

/// What was taken so far.
#[derive(Default)]
struct First {
    actions: Vec<Box<RawValue>>,
    bytes: usize,
    /// There is another one.
    more: bool,
    /// How many entities are no actions.
    unusable: u64,
    /// How many actions were not asked for.
    strangers: u64,
}

impl First {
    /// Takes an entity of a page; `None` if there is no room for it.
    fn take(&mut self, filter: &Filter, entity: &RawValue) -> Option<Duration> {
        let json = entity.get();
        if !json.starts_with('{') {
            self.unusable += 1;
        } else if !filter.matches(json) {
            self.strangers += 1;
        } else {
            self.bytes += json.len();
            self.more = self.actions.len() == MAX_ACTIONS || self.bytes > MAX_BYTES;
            if self.more {
                return None;
            }
            self.actions.push(entity.to_owned());
        }
        Some(Duration::ZERO)
    }

    fn checked(self) -> Result<Actions, Failure> {
        match self.unusable {
            0 => Ok(Actions {
                actions: self.actions,
                more: self.more,
            }),
            count => Err(lines::unusable(count, false)),
        }
    }
}

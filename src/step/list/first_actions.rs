//! The first actions of a list, for whoever cannot use all.

use std::time::Duration;

use serde_json::value::RawValue;

use super::pages::Pages;
use super::sieve::Sieve;
use crate::call::diagnosis;
use crate::call::filter::Filter;
use crate::call::send::Run;
use crate::call::{api, page};
use crate::output::actions::Actions;
use crate::output::outcome::Outcome;
use crate::step::Step;
use crate::step::advice_on_read::Reads;

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
                return Err(Outcome(self.answer_to_read(&reply, Reads::AList)));
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
        first.sieve.finish(false, run.log).map_err(failed)?;
        Ok(Actions {
            actions: first.actions,
            more: first.more,
        })
    }
}

/// What was taken so far.
#[derive(Default)]
struct First {
    actions: Vec<Box<RawValue>>,
    bytes: usize,
    /// There are others.
    more: bool,
    sieve: Sieve,
}

impl First {
    /// Takes an entity of a page, if there is room for it; `None` if there is none for any other.
    fn take(&mut self, filter: &Filter, entity: &RawValue) -> Option<Duration> {
        let json = entity.get();
        if !self.sieve.passes(filter, json) {
            return Some(Duration::ZERO);
        }
        let is_full = self.actions.len() == MAX_ACTIONS;
        if is_full || self.bytes + json.len() > MAX_BYTES {
            self.more = true;
        } else {
            self.bytes += json.len();
            self.actions.push(entity.to_owned());
        }
        (!is_full).then_some(Duration::ZERO)
    }
}

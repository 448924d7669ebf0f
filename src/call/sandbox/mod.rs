//! An embedded Defender: ureq middleware that never calls the next, so that a playbook can be written and tested with
//! no tenant, no credentials and no network. Everything but the network is real: sign-in, the request as it would be
//! sent, the body's compression.
//!
//! The same request gets the same answer, byte for byte, in each run, but for the one that goes by the clock. Times are
//! those of the documentation's examples.

pub mod scenarios;
pub(crate) mod reply;
mod errors;
mod action;
mod identity;
mod list;

use std::collections::{HashMap, VecDeque};
use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use ureq::http::header::{AUTHORIZATION, HeaderValue};
use ureq::http::{Method, Request, Response, Uri};
use ureq::middleware::{Middleware, MiddlewareNext};
use ureq::{Body, Error, SendBody};

pub(crate) use self::identity::{CLIENT, TENANT};
use self::identity::{Identity, is_renewed};
use crate::call::api::PATH;
use crate::call::sandbox::reply::{Asked, Reply};
use crate::call::sandbox::scenarios::SCENARIO_PREFIX;
use crate::input::JsonBody;

/// Answers in the service's place.
#[derive(Default)]
pub(crate) struct Sandbox {
    identity: Identity,
    history: Mutex<History>,
}

/// What has been asked for so far.
#[derive(Default)]
struct History {
    /// How often a scenario was asked for: a cancel, or a read.
    counts: HashMap<(bool, String), u32>,
    /// The ids of the actions whose cancel was accepted: the last ones, more than a batch has in hand.
    accepted: VecDeque<String>,
}

/// How many ids are kept.
const MAX_ACCEPTED: usize = 1024;

impl Middleware for Sandbox {
    fn handle(
        &self,
        request: Request<SendBody<'_>>,
        _never_called: MiddlewareNext<'_>,
    ) -> Result<Response<Body>, Error> {
        let (head, body) = request.into_parts();
        let mut text = String::new();
        body.into_reader().read_to_string(&mut text)?;
        let second = SystemTime::now().duration_since(UNIX_EPOCH);
        let second = second.unwrap_or_default().as_secs();
        let reply = match asked_about(&head.method, &head.uri) {
            Some((id, is_cancel)) => {
                let token = head.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
                let body: JsonBody = serde_json::from_str(&text).unwrap_or_default();
                let asked = Asked {
                    id: id.to_owned(),
                    comment: body.comment,
                    token_was_renewed: token.is_some_and(is_renewed),
                    second,
                    ..Asked::default()
                };
                self.reply(asked, is_cancel)
            }
            None if head.uri.path().ends_with(PATH) => {
                list::page(head.uri.query().unwrap_or_default())
            }
            None if head.uri.path().ends_with("/oauth2/v2.0/token") => {
                self.identity.grant(&text, second)
            }
            None => Reply::text(404, "text/plain", ""),
        };
        reply.into_response()
    }
}

impl Sandbox {
    fn reply(&self, mut asked: Asked, is_cancel: bool) -> Reply {
        if !self.identity.set_roles_for(&asked.id) {
            return errors::revoked();
        }
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        asked.was_accepted = history.accepted.contains(&asked.id);
        // Of the reads only those count that follow a cancel.
        if asked.id.starts_with(SCENARIO_PREFIX) && (is_cancel || asked.was_accepted) {
            let key = (is_cancel, asked.id.clone());
            let count = history.counts.entry(key).or_default();
            *count += 1;
            asked.count = *count;
        }
        let reply = scenarios::reply(&asked, is_cancel);
        if is_cancel && reply.is_success() {
            history.accepted.truncate(MAX_ACCEPTED - 1);
            history.accepted.push_front(asked.id);
        }
        reply
    }
}

/// The id in `POST …/api/machineactions/{id}/cancel` or `GET …/api/machineactions/{id}`, and whether it is the former.
fn asked_about<'a>(method: &Method, uri: &'a Uri) -> Option<(&'a str, bool)> {
    let path = uri.path();
    let is_cancel = method == Method::POST;
    let path = if is_cancel {
        path.strip_suffix("/cancel")?
    } else {
        path
    };
    let (before, id) = path.rsplit_once('/')?;
    before
        .ends_with("/api/machineactions")
        .then_some((id, is_cancel))
}

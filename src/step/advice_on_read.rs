//! What the refusal of a read means and what helps, for the last line of stderr; and what helps alike if a cancel is refused.

use super::service_message::Said;
use super::{Reply, Step};
use crate::auth::permissions::Purpose;
use crate::output::answer::Answer;
use crate::output::retry_policy::may_pass;

pub(super) const REDIRECTED: &str = "The step follows no redirect, so that the token goes to no other host: set MDE_BASE_URL to the API's own host.";

pub(super) const BAD_TOKEN: &str = "The token is not valid for this API, or it has expired or been revoked: check MDE_SCOPE, MDE_BASE_URL and the tenant, \
     or get a new token.";

pub(super) const SWITCHED_OFF: &str =
    "Defender does not allow this operation here: ask who administers it.";

/// What was read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    OneAction,
    AList,
}

impl Step {
    /// Returns what `answer`, a refusal of a read, says of itself, and what helps.
    pub(super) fn refusal_of_read(
        &self,
        answer: &Answer,
        reply: &Reply,
        reads: Reads,
    ) -> (Said, String) {
        let said = Said::of(answer, reply.token.expose());
        let remedy = match (answer.status_code, self.shortcoming(reply, Purpose::Read)) {
            (status, _) if may_pass(status) => format!("Run the step again {}.", when(answer)),
            (401 | 403, Some(shortcoming)) if !is_switched_off(&said) => shortcoming,
            _ => of_status(answer.status_code, &said, reads).to_owned(),
        };
        (said, remedy)
    }
}

fn of_status(status: u16, said: &Said, reads: Reads) -> &'static str {
    match (status, reads) {
        (300..=399, _) => REDIRECTED,
        (400, Reads::OneAction) => {
            "Check that the id is that of a machine action (a GUID), and not of a device."
        }
        (400, Reads::AList) => "Check the values of the filters.",
        (401, _) => BAD_TOKEN,
        (403, _) if is_switched_off(said) => SWITCHED_OFF,
        (403, _) => {
            "Grant the application Machine.Read.All or Machine.ReadWrite.All with admin consent, or check MDE_SCOPE."
        }
        (404, Reads::OneAction) => not_found(said),
        _ => "Check MDE_BASE_URL (without /api) and any proxy in between.",
    }
}

/// What helps after a 404, in which the service always says what it has not found.
pub(super) fn not_found(said: &Said) -> &'static str {
    match said.is_empty() {
        true => {
            "There is no such machine action in this tenant, or something else has answered: check MDE_BASE_URL (without /api) \
             and any proxy in between."
        }
        false => {
            "There is no such machine action in this tenant; one that was just created may take a while to show."
        }
    }
}

/// Whether the service refuses to anybody what `said` is about.
pub(super) fn is_switched_off(said: &Said) -> bool {
    matches!(
        said.code.as_str(),
        "DisabledFeature" | "DisallowedOperation"
    )
}

/// When the same may be asked for again.
pub(super) fn when(answer: &Answer) -> String {
    match answer.retry_after_seconds {
        Some(0) => "now".to_owned(),
        Some(seconds) => format!("in {seconds} s"),
        None => "in a few minutes".to_owned(),
    }
}

//! Only what is allowed is cancelled: the action is read first, and its type is compared with those that are listed.
//!
//! A type never changes, so that nothing can come between the read and the cancel; a status can.

use super::action_state;
use super::service_message::Said;
use super::{Reply, Step};
use crate::call::diagnosis;
use crate::call::interpret;
use crate::input::MachineActionId;
use crate::output::answer::Answer;
use crate::output::exit_status::ExitStatus;
use crate::output::failure::{Failure, FailureCode, RequestSent};
use crate::output::retry_policy::may_pass;
use crate::settings::allowed_types::Allow;

/// The types that are known.
///
/// Source: "machineAction resource type", "Properties".
const KNOWN_TYPES: [&str; 11] = [
    "RunAntiVirusScan",
    "Offboard",
    "LiveResponse",
    "CollectInvestigationPackage",
    "Isolate",
    "Unisolate",
    "StopAndQuarantineFile",
    "RestrictCodeExecution",
    "UnrestrictCodeExecution",
    "Unknown",
    "RequestSample",
];

impl Step {
    /// Checks that the action `id` may be cancelled, by what reading it has brought. Fails if it may not, or its type
    /// cannot be read.
    pub(super) fn check_type(&self, reply: &Reply, id: &MachineActionId) -> Result<(), Failure> {
        let Some(Allow::Types(allowed)) = &self.allow else {
            return Ok(());
        };
        let answer = interpret::read(&reply.received).map_err(unread)?;
        let kind = answer
            .json()
            .filter(|_| answer.is_success())
            .and_then(|json| action_state::type_of(json, id.as_str()));
        match kind {
            Some(kind) if allowed.contains(&kind) => Ok(()),
            Some(kind) => Err(not_allowed(format!(
                "the action is of {}. The cancel was not sent.",
                match is_known(&kind) {
                    true => format!("type {kind}, which --allow does not list"),
                    false => "a type that --allow does not list".to_owned(),
                }
            ))),
            None => Err(unreadable(
                &answer,
                &Said::of(&answer, reply.token.expose()),
            )),
        }
    }
}

/// The type of the action is not in `answer`.
fn unreadable(answer: &Answer, said: &Said) -> Failure {
    let status = answer.status_code;
    let what = match answer.is_success() {
        true => "the answer was not this action with its one type".to_owned(),
        false => said.sentence(answer),
    };
    let message = unknown_type(&what, &remedy(status, answer.retry_after_seconds));
    Failure {
        retryable: may_pass(status),
        retry_after_seconds: answer.retry_after_seconds,
        ..not_allowed(message)
    }
}

fn remedy(status: u16, retry_after_seconds: Option<u64>) -> String {
    match (status, retry_after_seconds) {
        (400, _) => {
            "Check that machineactionid is the id of a machine action (a GUID), and not of a device."
                .to_owned()
        }
        (401, _) => {
            "The token is not valid for this API: check MDE_SCOPE, MDE_BASE_URL and the tenant."
                .to_owned()
        }
        (403, _) => {
            "Grant Machine.Read.All or Machine.ReadWrite.All with admin consent.".to_owned()
        }
        (404, _) => "Check machineactionid.".to_owned(),
        (_, Some(seconds)) if may_pass(status) => format!("Run the step again in {seconds} s."),
        _ if may_pass(status) => "Run the step again in a few minutes.".to_owned(),
        _ => "Check MDE_BASE_URL and any proxy in between.".to_owned(),
    }
}

/// The action could not be read, because of `failure`. One that has nothing to do with the action stays what it is.
pub(super) fn unread(failure: Failure) -> Failure {
    match failure.code {
        code if code.exit_status() == ExitStatus::NoAnswer => {
            let remedy = match failure.retryable {
                true => "Run the step again.",
                false => "Check MDE_BASE_URL, and any proxy in between.",
            };
            Failure {
                code: FailureCode::NotAllowed,
                message: unknown_type(failure.what(), remedy),
                request_sent: RequestSent::No,
                ..failure
            }
        }
        FailureCode::Interrupted => diagnosis::stopped(),
        _ => failure,
    }
}

fn unknown_type(why: &str, remedy: &str) -> String {
    format!(
        "the type of the action could not be read: {why}. The cancel was not sent, because --allow has to know the type. \
         {remedy}"
    )
}

fn not_allowed(message: String) -> Failure {
    Failure::new(FailureCode::NotAllowed, message)
}

/// Whether a type may be shown: it is one that is known, and nothing that was sent to the service.
pub(super) fn is_known(kind: &str) -> bool {
    KNOWN_TYPES.contains(&kind)
}

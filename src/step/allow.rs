//! Only what is allowed is cancelled: the action is read first, and its type is compared with those that are listed.
//!
//! A type never changes, so that nothing can come between the read and the cancel; a status can.

use super::action_state;
use super::advice_on_read::Reads;
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

const NOT_THE_ACTION: &str = "Check MDE_BASE_URL and any proxy in between.";

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
                    true => format!("type {kind}, which --allow (MDE_ALLOW) does not list"),
                    false => "a type that --allow (MDE_ALLOW) does not list".to_owned(),
                }
            ))),
            None => Err(self.unreadable(&answer, reply)),
        }
    }

    /// The type of the action is not in `answer`.
    fn unreadable(&self, answer: &Answer, reply: &Reply) -> Failure {
        let (what, remedy) = if answer.is_success() {
            let what = "the answer was not this action, or had no type".to_owned();
            (what, NOT_THE_ACTION.to_owned())
        } else {
            let (said, remedy) = self.refusal_of_read(answer, reply, Reads::OneAction);
            (said.sentence(answer), remedy)
        };
        Failure {
            retryable: may_pass(answer.status_code),
            retry_after_seconds: answer.retry_after_seconds,
            ..not_allowed(unknown_type(&what, &remedy))
        }
    }
}

/// The action could not be read, because of `failure`. One that has nothing to do with the action stays what it is.
pub(super) fn unread(failure: Failure) -> Failure {
    match failure.code {
        code if code.exit_status() == ExitStatus::NoAnswer => {
            let remedy = match failure.retryable {
                true => "Run the step again.",
                false => NOT_THE_ACTION,
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

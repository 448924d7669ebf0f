//! Only what is allowed is cancelled: the action is read first, and its type is compared with those that are listed.
//!
//! A type never changes, so that nothing can come between the read and the cancel; a status can.

use super::Step;
use super::action_state;
use super::work::held_up;
use crate::call::answer;
use crate::call::api;
use crate::call::send::Run;
use crate::input::MachineActionId;
use crate::output::answer::may_pass;
use crate::output::failure::{Failure, FailureCode, RequestSent};
use crate::settings::options::Allow;

/// The longest type that a message repeats, in letters.
const MAX_TYPE: usize = 64;

impl Step {
    /// Returns whether the action `id` may be cancelled.
    ///
    /// # Errors
    ///
    /// It may not, or its type cannot be read.
    pub(super) fn guard(
        &mut self,
        id: &MachineActionId,
        run: &mut Run<'_, '_>,
    ) -> Result<(), Failure> {
        let Some(Allow::Types(allowed)) = self.allow.clone() else {
            return Ok(());
        };
        let kind = self.type_of(id, run)?;
        if !allowed.contains(&kind) {
            return Err(not_allowed(format!(
                "the action is of type {}, which --allow does not list. The cancel was not sent.",
                shown(&kind)
            )));
        }
        // The read has used up this call's turn.
        while !self.sender.wait_for_turn().is_zero() {
            if let Some(left) = self.sender.held_up() {
                return Err(held_up(left));
            }
            self.sender.await_turn()?;
        }
        Ok(())
    }

    fn type_of(&mut self, id: &MachineActionId, run: &mut Run<'_, '_>) -> Result<String, Failure> {
        let reply = self.call(&api::READ, run, |api, token| api::read(api, id, token));
        let received = reply.map_err(unread)?.received;
        let answer = answer::of(&received).map_err(unread)?;
        let kind = answer
            .json()
            .filter(|_| answer.is_success())
            .and_then(|json| action_state::type_of(json, id.as_str()));
        kind.ok_or_else(|| {
            let status = answer.status_code;
            let message = format!(
                "the type of the action could not be read: the service answered with status {status}. The cancel was not \
                 sent, because --allow has to know the type. Reading needs the permission Machine.Read.All or \
                 Machine.ReadWrite.All."
            );
            Failure {
                retryable: may_pass(status),
                retry_after_seconds: answer.retry_after_seconds,
                ..not_allowed(message)
            }
        })
    }
}

/// The action could not be read, because of `failure`. One that has nothing to do with the action stays what it is.
fn unread(failure: Failure) -> Failure {
    match failure.code {
        FailureCode::NetworkError
        | FailureCode::TlsError
        | FailureCode::Timeout
        | FailureCode::InvalidAnswer => Failure {
            code: FailureCode::NotAllowed,
            message: format!(
                "the type of the action could not be read: {}. The cancel was not sent, because --allow has to know the \
                 type.",
                failure.what()
            ),
            request_sent: RequestSent::No,
            ..failure
        },
        _ => failure,
    }
}

fn not_allowed(message: String) -> Failure {
    Failure::new(FailureCode::NotAllowed, message)
}

/// A type as it may be shown: the service's own are letters and digits.
fn shown(kind: &str) -> &str {
    let is_plain = kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match is_plain && (1..=MAX_TYPE).contains(&kind.len()) {
        true => kind,
        false => "with another name",
    }
}

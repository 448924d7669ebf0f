//! One action is cancelled, if it is allowed: try by try.

use std::ops::ControlFlow;
use std::time::Duration;

use super::advice_on_cancel;
use super::allow;
use super::api_call::ApiCall;
use super::service_message::Said;
use super::{Reply, Step};
use crate::call::api;
use crate::call::bearer::AccessToken;
use crate::call::diagnosis;
use crate::call::interpret;
use crate::call::pace::whole_seconds;
use crate::call::send::Run;
use crate::call::service_url::ServiceUrl;
use crate::input::{Input, MachineActionId};
use crate::output::answer::Answer;
use crate::output::failure::{Failure, FailureCode};
use crate::settings::allowed_types::Allow;

/// A cancel that is worked on.
pub(super) struct Cancel {
    input: Input,
    /// The call that is made now.
    call: ApiCall,
    /// Whether that call is the read that `--allow` needs first.
    reads_type_first: bool,
}

/// What a cancel has come to.
pub(super) struct Cancelled {
    pub(super) answer: Result<Answer, Failure>,
    /// Whether it follows a try that was lost, which may have been carried out all the same.
    pub(super) follows_lost: bool,
    /// What helps if the action turns out to be open all the same; empty if that changes nothing.
    pub(super) advice_if_open: String,
}

impl Cancelled {
    pub(super) fn failed(failure: Failure) -> Self {
        Self {
            answer: Err(failure),
            follows_lost: false,
            advice_if_open: String::new(),
        }
    }
}

impl Cancel {
    /// The action's id.
    pub(super) fn id(&self) -> &MachineActionId {
        &self.input.path_parameters.machineactionid
    }

    /// Whether something was sent for it.
    pub(super) fn is_begun(&self) -> bool {
        self.call.is_begun()
    }
}

impl Step {
    /// Returns the cancel that `input` asks for, of which nothing was sent yet.
    pub(super) fn cancel_of(&self, input: Input) -> Cancel {
        let reads_type_first = matches!(self.allow, Some(Allow::Types(_)));
        let call = if reads_type_first {
            &api::READ
        } else {
            &api::CANCEL
        };
        Cancel {
            input,
            call: ApiCall::new(call),
            reads_type_first,
        }
    }

    /// Makes the next try of `cancel`, unless the service has asked for too long a pause or the time is up. Breaks with what
    /// it has come to, or returns how long to wait before the next try.
    pub(super) fn go_on_with(
        &mut self,
        cancel: &mut Cancel,
        run: &mut Run<'_, '_>,
    ) -> ControlFlow<Cancelled, Duration> {
        match (self.sender.held_up(), cancel.is_begun()) {
            (Some(left), false) => ControlFlow::Break(Cancelled::failed(held_up(left))),
            (Some(_), true) => ControlFlow::Break(self.give_up_cancel(cancel, run)),
            (None, true) if run.deadline.remaining().is_zero() => {
                ControlFlow::Break(self.give_up_cancel(cancel, run))
            }
            (None, _) => self.cancel(cancel, run),
        }
    }

    fn cancel(
        &mut self,
        cancel: &mut Cancel,
        run: &mut Run<'_, '_>,
    ) -> ControlFlow<Cancelled, Duration> {
        let tried = match cancel.reads_type_first {
            true => self.try_read_type(cancel, run),
            false => self.try_cancel(cancel, run),
        };
        tried.unwrap_or_else(|failure| ControlFlow::Break(Cancelled::failed(failure)))
    }

    fn try_read_type(
        &mut self,
        cancel: &mut Cancel,
        run: &mut Run<'_, '_>,
    ) -> Result<ControlFlow<Cancelled, Duration>, Failure> {
        let id = cancel.input.path_parameters.machineactionid.clone();
        let read = |api: &ServiceUrl, token: &AccessToken| api::read(api, &id, token);
        let tried = self.attempt(&mut cancel.call, run, &read);
        match tried.map_err(allow::unread)? {
            ControlFlow::Continue(pause) => Ok(ControlFlow::Continue(pause)),
            ControlFlow::Break(reply) => {
                self.check_type(&reply, &id)?;
                cancel.reads_type_first = false;
                cancel.call = ApiCall::new(&api::CANCEL);
                Ok(ControlFlow::Continue(Duration::ZERO))
            }
        }
    }

    fn try_cancel(
        &mut self,
        cancel: &mut Cancel,
        run: &mut Run<'_, '_>,
    ) -> Result<ControlFlow<Cancelled, Duration>, Failure> {
        let Cancel { input, call, .. } = cancel;
        let request = |api: &ServiceUrl, token: &AccessToken| api::cancel(api, input, token);
        Ok(match self.attempt(call, run, &request)? {
            ControlFlow::Continue(pause) => ControlFlow::Continue(pause),
            ControlFlow::Break(reply) => ControlFlow::Break(self.cancelled(input, call, &reply)),
        })
    }

    /// Returns what `cancel` has come to, of which no further try is made.
    pub(super) fn give_up_cancel(&self, cancel: &mut Cancel, run: &mut Run<'_, '_>) -> Cancelled {
        let stands = self.give_up(&mut cancel.call, run);
        if !cancel.reads_type_first {
            return match stands {
                Ok(reply) => self.cancelled(&cancel.input, &cancel.call, &reply),
                Err(failure) => Cancelled::failed(failure),
            };
        }
        let stands = stands.map_err(allow::unread);
        let judged = stands.and_then(|reply| self.check_type(&reply, cancel.id()));
        let failure = match self.sender.interrupt().status() {
            Some(_) => None,
            None => judged.err(),
        };
        Cancelled::failed(failure.unwrap_or_else(diagnosis::stopped))
    }

    fn cancelled(&self, input: &Input, call: &ApiCall, reply: &Reply) -> Cancelled {
        let follows_lost = call.was_lost_before(reply);
        let answer = interpret::cancel(&reply.received);
        let refused = answer.as_ref().ok().filter(|answer| !answer.is_success());
        let if_open = refused.and_then(|answer| {
            let said = Said::of(answer, reply.token.expose());
            advice_on_cancel::if_open(answer, input, &said)
        });
        Cancelled {
            answer: answer.map(|answer| self.advised(answer, input, reply, follows_lost)),
            follows_lost,
            advice_if_open: if_open
                .map_or(String::new(), |advice| format!("{advice}{}", reply.tries)),
        }
    }
}

/// The failure of a line that is held up by a pause of which so much is left.
fn held_up(left: Duration) -> Failure {
    let message = format!(
        "{}. This line was not sent: run it again after that.",
        advice_on_cancel::held_up(left)
    );
    Failure {
        retry_after_seconds: Some(whole_seconds(left)),
        ..Failure::new(FailureCode::Throttled, message)
    }
}

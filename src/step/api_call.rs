//! A call of the API with a token: try by try, so that whoever has more to do can do it in between.

use std::mem;
use std::ops::ControlFlow;
use std::time::Duration;

use ureq::http::{Request, StatusCode};

use super::{Reply, Step};
use crate::call::Call;
use crate::call::bearer::AccessToken;
use crate::call::diagnosis;
use crate::call::received::Received;
use crate::call::send::Run;
use crate::call::service_url::ServiceUrl;
use crate::call::tries::Tries;
use crate::output::failure::{Failure, RequestSent};

/// A call that is made.
pub(super) struct ApiCall {
    call: &'static Call,
    tries: Tries,
    /// What the next try shows; none if it is to be got.
    token: Option<AccessToken>,
    /// What stands if there is no further try.
    so_far: Option<Result<Received, Failure>>,
    /// The answer that made the token be renewed.
    rejected: Option<Reply>,
    /// Whether a try before that was lost, which may have been carried out all the same.
    was_lost: bool,
}

/// What a try comes to: the reply that stands, or how long to wait before the next try.
pub(super) type Attempt = Result<ControlFlow<Reply, Duration>, Failure>;

impl ApiCall {
    /// No try of `call` was made yet.
    pub(super) fn new(call: &'static Call) -> Self {
        Self {
            call,
            tries: Tries::begin(),
            token: None,
            so_far: None,
            rejected: None,
            was_lost: false,
        }
    }

    /// Whether a try was made.
    pub(super) fn is_begun(&self) -> bool {
        self.so_far.is_some() || self.rejected.is_some()
    }

    /// Whether `reply`, which stands, follows a try that was lost: it may have been carried out all the same.
    pub(super) fn was_lost_before(&self, reply: &Reply) -> bool {
        self.was_lost || reply.tries.was_lost
    }

    fn reply(&mut self, received: Received, token: AccessToken) -> Reply {
        let tries = mem::replace(&mut self.tries, Tries::begin());
        Reply {
            received,
            tries,
            token,
        }
    }

    /// Nothing was sent with the new token: the answer that the old one got stands.
    fn fall_back(&mut self, failure: Failure, run: &mut Run<'_, '_>) -> Result<Reply, Failure> {
        match self.rejected.take() {
            Some(rejected) if failure.request_sent == RequestSent::No => {
                run.log.error(failure.with_causes());
                Ok(rejected)
            }
            _ => Err(failure),
        }
    }
}

impl Step {
    /// Makes the call that `request` builds; a token that the API no longer takes is renewed once.
    pub(super) fn call(
        &mut self,
        call: &'static Call,
        run: &mut Run<'_, '_>,
        request: impl Fn(&ServiceUrl, &AccessToken) -> Result<Request<Vec<u8>>, Failure>,
    ) -> Result<Reply, Failure> {
        let mut call = ApiCall::new(call);
        loop {
            match self.attempt(&mut call, run, &request)? {
                ControlFlow::Break(reply) => return Ok(reply),
                ControlFlow::Continue(pause) if self.sender.wait(pause) => {}
                ControlFlow::Continue(_) => return self.give_up(&mut call, run),
            }
        }
    }

    /// Makes one try of the call that `request` builds. Fails if there is no answer, and will be none.
    pub(super) fn attempt(
        &mut self,
        call: &mut ApiCall,
        run: &mut Run<'_, '_>,
        request: &impl Fn(&ServiceUrl, &AccessToken) -> Result<Request<Vec<u8>>, Failure>,
    ) -> Attempt {
        match self.try_once(call, run, request) {
            Err(failure) => call.fall_back(failure, run).map(ControlFlow::Break),
            Ok(ControlFlow::Break(reply)) if reply.received.status == StatusCode::UNAUTHORIZED => {
                self.renew(reply, call, run)
            }
            tried => tried,
        }
    }

    /// Returns what stands of `call`, of which no further try is made. Fails if there is no answer.
    pub(super) fn give_up(
        &self,
        call: &mut ApiCall,
        run: &mut Run<'_, '_>,
    ) -> Result<Reply, Failure> {
        match (call.so_far.take(), call.token.take()) {
            (Some(so_far), Some(token)) => match self.sender.conclude(so_far, &call.tries) {
                Ok(received) => Ok(call.reply(received, token)),
                Err(failure) => call.fall_back(failure, run),
            },
            _ => call.rejected.take().ok_or_else(diagnosis::stopped),
        }
    }

    fn try_once(
        &mut self,
        call: &mut ApiCall,
        run: &mut Run<'_, '_>,
        request: &impl Fn(&ServiceUrl, &AccessToken) -> Result<Request<Vec<u8>>, Failure>,
    ) -> Attempt {
        let token = match call.token.take() {
            Some(token) => token,
            None => self.session.token(&mut self.sender, run)?,
        };
        let built = request(&self.api, &token)?;
        run.log
            .detail(format_args!("{} {}", built.method(), built.uri()));
        let tried = self
            .sender
            .try_once(call.call, &built, run, &mut call.tries);
        let received = match tried {
            ControlFlow::Break(outcome) => outcome?,
            ControlFlow::Continue(again) => {
                (call.token, call.so_far) = (Some(token), Some(again.so_far));
                return Ok(ControlFlow::Continue(again.pause));
            }
        };
        let status = received.status.as_u16();
        let bytes = match &received.unread {
            Some(_) => String::new(),
            None => format!(" and {} bytes", received.length),
        };
        let log = &mut *run.log;
        log.detail(format_args!("answered with status {status}{bytes}"));
        Ok(ControlFlow::Break(call.reply(received, token)))
    }

    /// The API does not take the token that `reply` was got with: there may be another, once.
    fn renew(&mut self, reply: Reply, call: &mut ApiCall, run: &mut Run<'_, '_>) -> Attempt {
        if call.rejected.is_some() {
            self.session.forget(&reply.token, run);
            return Ok(ControlFlow::Break(reply));
        }
        if self.sender.interrupt().status().is_some() {
            return Ok(ControlFlow::Break(reply));
        }
        match self.session.renew(&reply.token, &mut self.sender, run) {
            None => Ok(ControlFlow::Break(reply)),
            Some(Ok(token)) => {
                (call.token, call.so_far) = (Some(token), None);
                call.was_lost = reply.tries.was_lost;
                call.rejected = Some(reply);
                Ok(ControlFlow::Continue(Duration::ZERO))
            }
            // Nothing more was sent: the first answer stands, as the truth about the cancel.
            Some(Err(failure)) => {
                run.log.error(failure.with_causes());
                Ok(ControlFlow::Break(reply))
            }
        }
    }
}

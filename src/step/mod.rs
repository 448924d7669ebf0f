//! One request, from its text to its answer.

pub mod advice;
pub mod batch;
pub mod check;
pub mod state;
pub mod verify;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ureq::http::StatusCode;

use crate::auth::claims::Claims;
use crate::auth::session::Session;
use crate::call::answer;
use crate::call::bearer::AccessToken;
use crate::call::received::Received;
use crate::call::send::{Run, Sender, Sent};
use crate::call::service_url::ServiceUrl;
use crate::call::tries::Tries;
use crate::call::{Call, api};
use crate::input::Input;
use crate::input::source::{self, Source};
use crate::input::validate::validate;
use crate::output::answer::Answer;
use crate::output::failure::{Failure, RequestSent};
use crate::output::log::Log;
use crate::settings::variables::Reader;
use crate::settings::{Options, Settings};
use crate::waiting::deadline::Deadline;
use crate::waiting::interrupt::Interrupt;

/// Reads the request from `source`, makes the call, and returns the service's answer.
///
/// # Errors
///
/// There is no answer to give.
pub fn run(
    source: Source,
    options: Options,
    reader: Reader<'_>,
    log: &mut Log<'_>,
) -> Result<Answer, Failure> {
    let deadline = Deadline::after(options.timeout);
    let input = validate(source::read(source, options.timeout.min(source::MAX_WAIT))?)?;
    let mut run = Run { deadline, log };
    let mut step = Step::new(options, reader, Interrupt::default(), &mut run)?;
    step.answer(&input, &mut run)
}

/// What one run works with: for one request, or for one after the other.
pub struct Step {
    api: ServiceUrl,
    /// What a token must be for.
    resource: String,
    session: Session,
    sender: Sender,
    wait: Option<Duration>,
}

/// What came back, and the token that was shown for it.
struct Reply {
    received: Received,
    tries: Tries,
    token: AccessToken,
}

impl Step {
    /// Makes a step of the settings that `reader` reads; `interrupt` cuts its waiting short.
    ///
    /// # Errors
    ///
    /// The settings are not usable.
    pub fn new(
        options: Options,
        reader: Reader<'_>,
        interrupt: Interrupt,
        run: &mut Run<'_, '_>,
    ) -> Result<Self, Failure> {
        let settings = Settings::read(reader, options.sandbox, run.deadline)?;
        options.announce_sandbox(run.log);
        let resource = settings.resource().to_owned();
        let mut sender = Sender::new(settings.network, options.sandbox, interrupt);
        if options.batch {
            sender.pace(settings.calls_per_minute, settings.calls_per_hour);
        }
        Ok(Self {
            api: settings.base,
            resource,
            session: Session::new(settings.credentials, settings.token_cache.as_deref()),
            sender,
            wait: options.wait,
        })
    }

    /// What makes the calls.
    pub fn sender(&mut self) -> &mut Sender {
        &mut self.sender
    }

    /// Cancels, and if it was asked for waits until the action is final.
    ///
    /// # Errors
    ///
    /// There is no answer to give.
    pub fn answer(&mut self, input: &Input, run: &mut Run<'_, '_>) -> Result<Answer, Failure> {
        let (cancelled, follows_lost) = self.cancel(input, run);
        match self.wait {
            Some(wait) if follows_lost || may_have_been_carried_out(&cancelled) => {
                verify::verify(self, input, cancelled, wait, run)
            }
            _ => cancelled,
        }
    }

    /// Cancels; and says whether the answer follows a try that was lost.
    fn cancel(&mut self, input: &Input, run: &mut Run<'_, '_>) -> (Result<Answer, Failure>, bool) {
        let reply = match self.call(&api::CANCEL, input, run) {
            Ok(reply) => reply,
            Err(failure) => return (Err(failure), false),
        };
        let answer = answer::of(&reply.received).map(|answer| match answer.is_success() {
            true => answer,
            false => Answer {
                advice: self.advice(&answer, input, &reply),
                ..answer
            },
        });
        (answer, reply.tries.was_lost())
    }

    fn advice(&self, answer: &Answer, input: &Input, reply: &Reply) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs();
        let claims = Claims::of(reply.token.expose());
        let shortcoming = claims.map(|claims| claims.shortcoming(&self.resource, now));
        let advice = advice::of_answer(answer, input, shortcoming.as_deref());
        format!("{advice}{}", reply.tries)
    }

    /// Makes the call; a token that the API no longer takes is renewed once.
    fn call(
        &mut self,
        call: &'static Call,
        input: &Input,
        run: &mut Run<'_, '_>,
    ) -> Result<Reply, Failure> {
        let token = self.session.token(&mut self.sender, run)?;
        let first = self.call_with(token, call, input, run)?;
        if first.received.status != StatusCode::UNAUTHORIZED {
            return Ok(first);
        }
        let Some(renewed) = self.session.renew(&first.token, &mut self.sender, run) else {
            return Ok(first);
        };
        match renewed.and_then(|token| self.call_with(token, call, input, run)) {
            Ok(second) => {
                if second.received.status == StatusCode::UNAUTHORIZED {
                    self.session.forget(&second.token, run);
                }
                Ok(second)
            }
            // Nothing more was sent: the first answer stands, as the truth about the cancel.
            Err(failure) if failure.request_sent == RequestSent::No => {
                run.log.error(failure.with_causes());
                Ok(first)
            }
            Err(failure) => Err(failure),
        }
    }

    fn call_with(
        &mut self,
        token: AccessToken,
        call: &'static Call,
        input: &Input,
        run: &mut Run<'_, '_>,
    ) -> Result<Reply, Failure> {
        let request = match call.may_change_something {
            true => api::cancel(&self.api, input, &token)?,
            false => api::read(&self.api, input, &token)?,
        };
        run.log
            .detail(format_args!("{} {}", request.method(), request.uri()));
        let Sent { received, tries } = self.sender.send(call, &request, run)?;
        run.log.detail(format_args!(
            "answered with status {} and {} bytes",
            received.status.as_u16(),
            received.body.len()
        ));
        Ok(Reply {
            received,
            tries,
            token,
        })
    }
}

/// Whether the action may have been cancelled, or may have been final before: reading it tells.
fn may_have_been_carried_out(cancelled: &Result<Answer, Failure>) -> bool {
    match cancelled {
        Ok(answer) => answer.is_success() || matches!(answer.status_code, 400 | 409 | 500..=599),
        Err(failure) => failure.request_sent == RequestSent::Unknown,
    }
}

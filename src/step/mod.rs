//! One request, or many; is it cancelled? May the identity cancel?

pub(crate) mod single;
pub(crate) mod batch;
mod tally;
mod verify;
mod action_state;
mod advice;
pub(crate) mod check;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ureq::http::StatusCode;

use crate::auth::claims::Claims;
use crate::auth::permissions;
use crate::auth::session::Session;
use crate::call::answer;
use crate::call::bearer::AccessToken;
use crate::call::received::Received;
use crate::call::send::{Run, Sender, Sent};
use crate::call::service_url::ServiceUrl;
use crate::call::tries::Tries;
use crate::call::{Call, api};
use crate::input::Input;
use crate::output::answer::Answer;
use crate::output::failure::{Failure, RequestSent};
use crate::settings::Settings;
use crate::settings::options::Options;
use crate::settings::variables::Reader;
use crate::waiting::interrupt::Interrupt;

/// What one run works with: for one request, or for one after the other.
struct Step {
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
    fn new(
        options: &Options,
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

    /// Cancels; returns the answer, and whether it follows a try that was lost.
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
        let shortcoming =
            claims.map(|claims| permissions::shortcoming(&claims, &self.resource, now));
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
            received.length
        ));
        Ok(Reply {
            received,
            tries,
            token,
        })
    }
}

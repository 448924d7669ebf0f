//! One request, or many; what is open? Is it cancelled? May the identity cancel?

pub(crate) mod single;
pub(crate) mod batch;
mod work;
mod cancel;
mod api_call;
mod in_hand;
pub(crate) mod list;
pub(crate) mod get;
mod line;
mod interrupted_cancels;
mod tally;
mod verify;
mod action_state;
mod allow;
pub(crate) mod agent_calls;
mod interrupted_reads;
mod advice_on_cancel;
mod service_message;
mod advice_on_read;
pub(crate) mod check;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use self::action_state::State;
use self::advice_on_read::Reads;
use self::service_message::Said;
use self::verify::Look;
use crate::auth::claims::Claims;
use crate::auth::permissions::{self, Purpose};
use crate::auth::session::Session;
use crate::call::api;
use crate::call::bearer::AccessToken;
use crate::call::exchange::Brake;
use crate::call::interpret;
use crate::call::received::Received;
use crate::call::send::{Run, Sender};
use crate::call::service_url::ServiceUrl;
use crate::call::tries::Tries;
use crate::input::{Input, MachineActionId};
use crate::output::answer::Answer;
use crate::output::failure::Failure;
use crate::settings::Settings;
use crate::settings::allowed_types::Allow;
use crate::settings::environment::Reader;
use crate::settings::options::Options;

/// What one run works with: for one request, or for one after the other.
struct Step {
    api: ServiceUrl,
    /// What a token must be for.
    resource: String,
    session: Session,
    sender: Sender,
    wait: Option<Duration>,
    /// Which types of actions may be cancelled; all if none is named.
    allow: Option<Allow>,
}

/// What came back, and the token that was shown for it.
struct Reply {
    received: Received,
    tries: Tries,
    token: AccessToken,
}

impl Step {
    /// Makes a step of the settings that `reader` reads; `brake` stops it. Fails if the settings are
    /// not usable.
    fn new(
        options: Options,
        reader: Reader<'_>,
        brake: Brake,
        run: &mut Run<'_, '_>,
    ) -> Result<Self, Failure> {
        let settings = Settings::read(reader, options.sandbox, run.deadline)?;
        options.announce_sandbox(run.log);
        let resource = settings.resource().to_owned();
        let mut sender = Sender::new(settings.network, options.sandbox, brake);
        if options.batch {
            sender.pace(settings.calls_per_minute, settings.calls_per_hour);
        }
        Ok(Self {
            api: settings.base,
            resource,
            session: Session::new(settings.credentials, settings.token_cache.as_deref()),
            sender,
            wait: options.wait,
            allow: options.allow,
        })
    }

    /// Returns what the token lacks for `purpose`, if it can be read.
    fn shortcoming(&self, reply: &Reply, purpose: Purpose) -> Option<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs();
        let claims = Claims::of(reply.token.expose())?;
        Some(permissions::shortcoming(
            &claims,
            &self.resource,
            now,
            purpose,
        ))
    }

    /// Returns `answer` with what it means and what helps.
    fn advised(&self, answer: Answer, input: &Input, reply: &Reply, follows_lost: bool) -> Answer {
        if answer.is_success() {
            return advice_on_cancel::of_accepted(answer, &input.path_parameters.machineactionid);
        }
        let shortcoming = self.shortcoming(reply, Purpose::Cancel);
        let said = Said::of(&answer, reply.token.expose());
        let shortcoming = shortcoming.as_deref();
        let advice = advice_on_cancel::of_answer(&answer, input, &said, shortcoming, follows_lost);
        Answer {
            advice: format!("{advice}{}", reply.tries),
            ..answer
        }
    }

    /// Returns the answer that a read got.
    fn answer_to_read(&self, reply: &Reply, reads: Reads) -> Result<Answer, Failure> {
        let answer = interpret::read(&reply.received)?;
        if answer.is_success() {
            return Ok(answer);
        }
        let (said, remedy) = self.refusal_of_read(&answer, reply, reads);
        Ok(Answer {
            advice: format!("{}. {remedy}{}", said.sentence(&answer), reply.tries),
            ..answer
        })
    }

    /// Reads the action `id` once.
    fn look(&mut self, id: &MachineActionId, run: &mut Run<'_, '_>) -> Look {
        let read = self.call(&api::LOOK, run, |api, token| api::read(api, id, token));
        let read = read.and_then(|reply| Ok((interpret::read(&reply.received)?, reply)));
        let (answer, reply) = match read {
            Ok(read) => read,
            Err(failure) => {
                return Look::Failed(format!("the status read failed: {}", failure.what()));
            }
        };
        if matches!(answer.status_code, 401 | 403) {
            let (said, remedy) = self.refusal_of_read(&answer, &reply, Reads::OneAction);
            let why = said.sentence(&answer);
            let remedy = remedy.trim_end_matches('.');
            return Look::Forbidden(format!("when the status was read, {why}. {remedy}"));
        }
        let state = match answer.json() {
            Some(json) if answer.is_success() => action_state::of(json, id.as_str()),
            _ => State::NotTheAction,
        };
        Look::Read(answer, state)
    }
}

//! One request, from its text to its answer.

pub mod verify;
pub mod batch;
pub mod check;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ureq::http::StatusCode;

use self::verify::{Outcome, Reading};
use crate::auth::cache::{self, TokenCache, Turn};
use crate::auth::{AccessToken, Credentials, Grant, SignIn, TokenRequest};
use crate::call::api;
use crate::call::diagnosis::Call;
use crate::call::pace::{Pause, whole_seconds};
use crate::call::received::{self, Received};
use crate::call::send::Sender;
use crate::input::Input;
use crate::input::source::{self, Source};
use crate::input::validate::validate;
use crate::output::document::Answer;
use crate::output::failure::{ExitStatus, Failure, FailureCode, RequestSent};
use crate::output::log::Log;
use crate::settings::variables::Reader;
use crate::settings::{Options, Settings};
use crate::step::check::Report;
use crate::waiting::deadline::Deadline;
use crate::waiting::interrupt::Interrupt;

/// How long a token is good for, if the service does not say.
const USUAL_LIFETIME: Duration = Duration::from_secs(60 * 60);
/// How long a refused sign-in is not tried again: a batch of a thousand lines must not be refused a thousand times.
const REFUSAL_STANDS: Duration = Duration::from_secs(60);

/// Reads the request from `source`, makes the call, and gives the service's answer.
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
    let mut step = Step::new(options, reader, Interrupt::default(), deadline, log)?;
    step.answer(&input, deadline, log)
}

/// Signs in, and reports what the identity may do. Nothing is cancelled, and no token is taken from the cache.
#[must_use]
pub fn check(options: Options, reader: Reader<'_>, log: &mut Log<'_>) -> Report {
    let deadline = Deadline::after(options.timeout);
    let mut step = match Step::new(options, reader, Interrupt::default(), deadline, log) {
        Ok(step) => step,
        Err(failure) => return Report::of_failure(failure),
    };
    let token = match &step.settings.credentials {
        Credentials::AccessToken(token) => Ok(token.clone()),
        Credentials::SignIn(_) => step.sign_in(deadline, log),
    };
    let token = token.as_ref().map_err(Clone::clone);
    Report::new(&step.settings, token, SystemTime::now())
}

/// What one run works with: for one request, or for one after the other.
pub struct Step {
    settings: Settings,
    sender: Sender,
    interrupt: Interrupt,
    wait: Option<Duration>,
    /// The token of the last sign-in.
    token: Option<Held>,
    /// The token of the last call, for the diagnosis of a refusal.
    last_token: Option<AccessToken>,
    /// Why signing in again would fail again, and for how long.
    refusal: Option<(Failure, Pause)>,
    /// Whether the answer to the cancel follows a try that was lost.
    follows_lost: bool,
    /// What came of the tries of the last call.
    tries: String,
    /// Why the action could not be read.
    obstacle: String,
}

/// A token and its times.
struct Held {
    token: AccessToken,
    renewal: Instant,
    expiry: Instant,
}

impl Step {
    /// A step with the settings that `reader` reads until `deadline`; `interrupt` cuts its waiting short.
    ///
    /// # Errors
    ///
    /// The settings are not usable.
    pub fn new(
        options: Options,
        reader: Reader<'_>,
        interrupt: Interrupt,
        deadline: Deadline,
        log: &mut Log<'_>,
    ) -> Result<Self, Failure> {
        let mut settings = Settings::read(reader, options.sandbox, deadline)?;
        if options.sandbox {
            log.notice(
                "sandbox: the embedded Defender answers; nothing is sent, nothing is cancelled.",
            );
        }
        let network = std::mem::take(&mut settings.network);
        let mut sender = Sender::new(network, options.sandbox, interrupt.clone());
        if options.batch {
            sender.pace(settings.calls_per_minute, settings.calls_per_hour);
        }
        Ok(Self {
            settings,
            sender,
            interrupt,
            wait: options.wait,
            token: None,
            last_token: None,
            refusal: None,
            follows_lost: false,
            tries: String::new(),
            obstacle: String::new(),
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
    pub fn answer(
        &mut self,
        input: &Input,
        deadline: Deadline,
        log: &mut Log<'_>,
    ) -> Result<Answer, Failure> {
        self.follows_lost = false;
        let cancelled = self.cancel(input, deadline, log);
        let answer = match self.wait {
            Some(wait) if self.follows_lost || may_have_been_carried_out(&cancelled) => {
                self.verify(input, cancelled, wait, log)
            }
            _ => cancelled,
        }?;
        if answer.exit_status() != ExitStatus::Accepted {
            log.error(self.advice(&answer, input));
        }
        Ok(answer)
    }

    fn advice(&self, answer: &Answer, input: &Input) -> String {
        if let Some(outcome) = answer.outcome {
            return verify::advice(outcome, &self.obstacle);
        }
        let claims = self.last_token.as_ref().and_then(AccessToken::claims);
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs();
        let resource = self.settings.resource();
        let shortcoming = claims.map(|claims| claims.shortcoming(resource, now));
        let advice = received::advice(answer, input, shortcoming.as_deref());
        format!("{advice}{}", self.tries)
    }

    fn cancel(
        &mut self,
        input: &Input,
        deadline: Deadline,
        log: &mut Log<'_>,
    ) -> Result<Answer, Failure> {
        let received = self.authorized_call(Call::Cancel, input, deadline, log)?;
        self.follows_lost = received.follows_lost;
        received::answer(&received)
    }

    /// Makes the call; a token that the API no longer takes is renewed once.
    fn authorized_call(
        &mut self,
        call: Call,
        input: &Input,
        deadline: Deadline,
        log: &mut Log<'_>,
    ) -> Result<Received, Failure> {
        let token = self.token(deadline, log)?;
        let received = self.call(call, input, &token, deadline, log)?;
        let is_renewable = matches!(self.settings.credentials, Credentials::SignIn(_));
        if received.status != StatusCode::UNAUTHORIZED || !is_renewable {
            return Ok(received);
        }
        log.detail("the API does not take the token: signing in once more");
        self.forget(&token, log);
        let renewed = self.shared_token(deadline, log);
        let second = renewed.and_then(|token| {
            let second = self.call(call, input, &token, deadline, log)?;
            if second.status == StatusCode::UNAUTHORIZED {
                self.forget(&token, log);
            }
            Ok(second)
        });
        match second {
            // Nothing more was sent: the first answer stands, as the truth about the cancel.
            Err(failure) if failure.request_sent == RequestSent::No => {
                log.error(failure.with_causes());
                Ok(received)
            }
            second => second,
        }
    }

    /// Reads the action until its status is final or `wait` is over. What was read last is the answer; if nothing could
    /// be read, what the cancel brought stands.
    fn verify(
        &mut self,
        input: &Input,
        cancelled: Result<Answer, Failure>,
        wait: Duration,
        log: &mut Log<'_>,
    ) -> Result<Answer, Failure> {
        match &cancelled {
            Ok(answer) if !answer.is_success() => log.notice(self.advice(answer, input)),
            Ok(_) => {}
            Err(failure) => log.notice(failure),
        }
        "there was no time for it. Raise --wait.".clone_into(&mut self.obstacle);
        let deadline = Deadline::after(wait);
        let id = input.path_parameters.machineactionid.as_str();
        let mut last_read = None;
        let mut pause = Duration::ZERO;
        for reads in 1.. {
            if let Some(left) = self.sender.held_up() {
                self.obstacle = format!(
                    "the service asks to wait for {} s, and a batch waits for an hour at most. Read its status after that.",
                    whole_seconds(left)
                );
                break;
            }
            let turn = self.sender.wait_for_turn();
            if pause.max(turn) >= deadline.remaining() {
                break;
            }
            self.interrupt.wait(pause.max(turn));
            if self.interrupt.status().is_some() {
                break;
            }
            pause = verify::pause(reads);
            let read = self
                .authorized_call(Call::Read, input, deadline, log)
                .and_then(|received| received::answer(&received));
            let answer = match read {
                Ok(answer) => answer,
                Err(failure) => {
                    self.obstacle = failure.with_causes();
                    continue;
                }
            };
            if matches!(answer.status_code, 401 | 403) {
                self.obstacle = format!(
                    "reading it was answered with status {}. Grant Machine.Read.All or Machine.ReadWrite.All with admin \
                     consent.",
                    answer.status_code
                );
                break;
            }
            let reading = match answer.json() {
                Some(entity) if answer.is_success() => verify::read(entity, id),
                _ => Reading::NotTheAction,
            };
            match reading {
                Reading::Final(outcome) => {
                    return Ok(Answer {
                        outcome: Some(outcome),
                        ..answer
                    });
                }
                Reading::Open => last_read = Some(answer),
                Reading::NotTheAction => {
                    self.obstacle = format!(
                        "reading it was answered with status {}, but not with the action. Look at it in the portal.",
                        answer.status_code
                    );
                }
            }
        }
        match (last_read, cancelled) {
            (Some(answer), _) => Ok(Answer {
                outcome: Some(Outcome::Pending),
                ..answer
            }),
            (None, Ok(answer)) => Ok(Answer {
                outcome: Some(Outcome::Unverified),
                ..answer
            }),
            (None, Err(failure)) => Err(failure),
        }
    }

    /// The token that is at hand and good for a while, or else a new one.
    fn token(&mut self, deadline: Deadline, log: &mut Log<'_>) -> Result<AccessToken, Failure> {
        if let Credentials::AccessToken(token) = &self.settings.credentials {
            return Ok(token.clone());
        }
        let now = Instant::now();
        if let Some(held) = self.token.as_ref().filter(|held| now < held.renewal) {
            return Ok(held.token.clone());
        }
        match (self.shared_token(deadline, log), &self.token) {
            // What is only to be renewed is still good.
            (Err(failure), Some(held)) if now < held.expiry => {
                log.warning(format_args!(
                    "the token cannot be renewed: {}",
                    failure.with_causes()
                ));
                Ok(held.token.clone())
            }
            (granted, _) => granted,
        }
    }

    /// The token in the cache, or else a new one: of several steps that need it, one signs in, and the others wait.
    fn shared_token(
        &mut self,
        deadline: Deadline,
        log: &mut Log<'_>,
    ) -> Result<AccessToken, Failure> {
        let Some(cache) = self.cache() else {
            return self.sign_in(deadline, log);
        };
        let found = cache.find(SystemTime::now()).unwrap_or_else(|error| {
            cache::warn(&error, log);
            None
        });
        let turn = match found {
            Some((token, remaining)) => Turn::Take(token, remaining),
            // Nobody is waited for to be refused again.
            None if self.standing_refusal().is_some() => Turn::SignIn(None),
            None => cache.turn(deadline, &self.interrupt, log),
        };
        let lock = match turn {
            Turn::Take(token, remaining) => {
                log.detail("taking the token from the cache");
                self.keep(&token, remaining);
                return Ok(token);
            }
            Turn::SignIn(lock) => lock,
            Turn::Stop => return Err(stopped()),
        };
        let granted = self.sign_in(deadline, log);
        if let Some(lock) = lock {
            lock.release(&cache);
        }
        granted
    }

    /// Keeps `token`, good for `lifetime` from now, for the calls to come.
    fn keep(&mut self, token: &AccessToken, lifetime: Duration) {
        let lifetime = lifetime.min(Grant::LONGEST);
        // Of a short life, half; of one that was not told, what is usual: a 401 renews the token anyway.
        let good_for = match lifetime {
            Duration::ZERO => USUAL_LIFETIME,
            lifetime => lifetime.saturating_sub(Grant::MARGIN).max(lifetime / 2),
        };
        let now = Instant::now();
        self.token = Some(Held {
            token: token.clone(),
            renewal: now + good_for,
            expiry: now + lifetime.max(good_for),
        });
    }

    fn sign_in(&mut self, deadline: Deadline, log: &mut Log<'_>) -> Result<AccessToken, Failure> {
        if let Some(refusal) = self.standing_refusal() {
            return Err(refusal);
        }
        let granted = self.new_token(deadline, log);
        if let Err(failure) = &granted {
            let least = match failure.code {
                FailureCode::SignInRefused | FailureCode::InvalidSettings => REFUSAL_STANDS,
                _ => Duration::ZERO,
            };
            let asked = Duration::from_secs(failure.retry_after_seconds.unwrap_or_default());
            let pause = Pause::new(Instant::now(), asked.max(least));
            self.refusal = Some((failure.clone(), pause));
        }
        granted
    }

    /// The refusal of the last sign-in, while none is tried again.
    fn standing_refusal(&self) -> Option<Failure> {
        let (refusal, pause) = self.refusal.as_ref()?;
        let left = pause.left(Instant::now());
        (!left.is_zero()).then(|| Failure {
            retry_after_seconds: refusal.retry_after_seconds.map(|_| whole_seconds(left)),
            ..refusal.clone()
        })
    }

    fn new_token(&mut self, deadline: Deadline, log: &mut Log<'_>) -> Result<AccessToken, Failure> {
        let sign_in = match &self.settings.credentials {
            Credentials::AccessToken(token) => return Ok(token.clone()),
            Credentials::SignIn(sign_in) => sign_in,
        };
        log.detail(format_args!("signing in: {sign_in}"));
        let now = SystemTime::now();
        let TokenRequest { call, proof } = sign_in.request(now, deadline)?;
        let received = self.sender.send(sign_in.call(), &call, deadline, log)?;
        let grant = sign_in.grant(&received, proof.as_ref())?;
        if let Some(cache) = self.cache()
            && let Err(error) = cache.keep(&grant, now)
        {
            cache::warn(&error, log);
        }
        self.keep(&grant.token, grant.lifetime());
        Ok(grant.token)
    }

    fn forget(&mut self, token: &AccessToken, log: &mut Log<'_>) {
        self.token = None;
        if let Some(cache) = self.cache()
            && let Err(error) = cache.forget(token)
        {
            cache::warn(&error, log);
        }
    }

    /// Only an application's tokens are kept: a managed identity's endpoint keeps its own.
    fn cache(&self) -> Option<TokenCache> {
        let folder = self.settings.token_cache.as_ref()?;
        match &self.settings.credentials {
            Credentials::SignIn(SignIn::Application(application)) => {
                Some(TokenCache::new(folder, application))
            }
            _ => None,
        }
    }

    fn call(
        &mut self,
        call: Call,
        input: &Input,
        token: &AccessToken,
        deadline: Deadline,
        log: &mut Log<'_>,
    ) -> Result<Received, Failure> {
        let base = &self.settings.base;
        let request = match call {
            Call::Read => api::read(base, input, token)?,
            _ => api::cancel(base, input, token)?,
        };
        self.last_token = Some(token.clone());
        log.detail(format_args!("{} {}", request.method(), request.uri()));
        let received = self.sender.send(call, &request, deadline, log)?;
        self.tries.clone_from(&received.tries);
        log.detail(format_args!(
            "answered with status {} and {} bytes",
            received.status.as_u16(),
            received.body.len()
        ));
        Ok(received)
    }
}

/// Whether the action may have been cancelled, or may have been final before: reading it tells.
fn may_have_been_carried_out(cancelled: &Result<Answer, Failure>) -> bool {
    match cancelled {
        Ok(answer) => answer.is_success() || matches!(answer.status_code, 400 | 409 | 500..=599),
        Err(failure) => failure.request_sent == RequestSent::Unknown,
    }
}

/// The failure of a step that was told to stop while it waited for another step's token.
fn stopped() -> Failure {
    Failure::new(
        FailureCode::NetworkError,
        "the step was told to stop while it waited for a token. The call was not made.",
    )
}

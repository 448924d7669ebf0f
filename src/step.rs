//! One request, from its text to its answer.

use std::time::SystemTime;

use ureq::http::StatusCode;

use crate::auth::{AccessToken, Credentials, SignIn};
use crate::cache::TokenCache;
use crate::check::Report;
use crate::deadline::Deadline;
use crate::environment::Reader;
use crate::error::{Failure, RequestSent};
use crate::input::Input;
use crate::log::Log;
use crate::lost::Call;
use crate::output::Answer;
use crate::read::{self, Source};
use crate::request;
use crate::response::{self, Received};
use crate::send::Sender;
use crate::settings::{Options, Settings};
use crate::validate::validate;

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
    let text = read::read(source, options.timeout.min(read::MAX_WAIT))?;
    let input = validate(&text)?;
    let step = Step::new(options, reader, deadline, log)?;
    step.cancel(&input, log)
}

/// Signs in, and reports what the identity may do. Nothing is cancelled, and no token is taken from the cache.
#[must_use]
pub fn check(options: Options, reader: Reader<'_>, log: &mut Log<'_>) -> Report {
    let deadline = Deadline::after(options.timeout);
    let step = match Step::new(options, reader, deadline, log) {
        Ok(step) => step,
        Err(failure) => return Report::of_failure(failure),
    };
    let token = match &step.settings.credentials {
        Credentials::AccessToken(token) => Ok(token.clone()),
        Credentials::SignIn(sign_in) => step.sign_in(sign_in, log),
    };
    Report::new(
        &step.settings,
        token.as_ref().map_err(Clone::clone),
        SystemTime::now(),
    )
}

/// What one run works with.
struct Step {
    settings: Settings,
    sender: Sender,
}

impl Step {
    fn new(
        options: Options,
        reader: Reader<'_>,
        deadline: Deadline,
        log: &mut Log<'_>,
    ) -> Result<Self, Failure> {
        let mut settings = Settings::read(reader, options.sandbox, deadline.remaining())?;
        if options.sandbox {
            log.notice(
                "sandbox: the embedded Defender answers; nothing is sent, nothing is cancelled.",
            );
        }
        let network = std::mem::take(&mut settings.network);
        let sender = Sender::new(network, deadline, options.sandbox);
        Ok(Self { settings, sender })
    }

    /// Cancels; a token that the API no longer takes is renewed once.
    fn cancel(&self, input: &Input, log: &mut Log<'_>) -> Result<Answer, Failure> {
        let mut token = match &self.settings.credentials {
            Credentials::AccessToken(token) => token.clone(),
            Credentials::SignIn(sign_in) => self.token(sign_in, log)?,
        };
        let mut received = self.call(input, &token, log)?;
        if received.status == StatusCode::UNAUTHORIZED
            && let Credentials::SignIn(sign_in) = &self.settings.credentials
        {
            log.detail("the API does not take the token: signing in once more");
            self.forget(sign_in, &token, log);
            let renewed = self.sign_in(sign_in, log);
            let second = renewed.and_then(|renewed| {
                token = renewed;
                self.call(input, &token, log)
            });
            match second {
                Ok(second) => received = second,
                // Nothing more was sent: the first answer stands, as the truth about the cancel.
                Err(failure) if failure.request_sent == RequestSent::No => {
                    log.error(failure.with_causes());
                }
                Err(failure) => return Err(failure),
            }
        }
        let answer = response::answer(&received)?;
        if !answer.is_success() {
            let claims = token.claims();
            let shortcoming = claims.map(|claims| claims.shortcoming(self.settings.resource()));
            log.error(response::advice(&answer, input, shortcoming.as_deref()));
        }
        Ok(answer)
    }

    fn token(&self, sign_in: &SignIn, log: &mut Log<'_>) -> Result<AccessToken, Failure> {
        if let Some(cache) = self.cache(sign_in) {
            match cache.find(SystemTime::now()) {
                Ok(Some(token)) => {
                    log.detail("taking the token from the cache");
                    return Ok(token);
                }
                Ok(None) => {}
                Err(error) => warn_of_cache(&error, log),
            }
        }
        self.sign_in(sign_in, log)
    }

    fn sign_in(&self, sign_in: &SignIn, log: &mut Log<'_>) -> Result<AccessToken, Failure> {
        log.detail(format_args!("signing in: {sign_in}"));
        let now = SystemTime::now();
        let received = self
            .sender
            .send(sign_in.call(), &sign_in.request(now)?, log)?;
        let grant = sign_in.grant(&received)?;
        if let Some(cache) = self.cache(sign_in)
            && let Err(error) = cache.keep(&grant, now)
        {
            warn_of_cache(&error, log);
        }
        Ok(grant.token)
    }

    fn forget(&self, sign_in: &SignIn, token: &AccessToken, log: &mut Log<'_>) {
        if let Some(cache) = self.cache(sign_in)
            && let Err(error) = cache.forget(token)
        {
            warn_of_cache(&error, log);
        }
    }

    /// Only an application's tokens are kept: a managed identity's endpoint keeps its own.
    fn cache(&self, sign_in: &SignIn) -> Option<TokenCache> {
        match (sign_in, &self.settings.token_cache) {
            (SignIn::Application(application), Some(folder)) => {
                Some(TokenCache::new(folder, application))
            }
            _ => None,
        }
    }

    fn call(
        &self,
        input: &Input,
        token: &AccessToken,
        log: &mut Log<'_>,
    ) -> Result<Received, Failure> {
        let request = request::cancel(&self.settings.base, input, token)?;
        log.detail(format_args!("POST {}", request.uri()));
        let received = self.sender.send(Call::Cancel, &request, log)?;
        log.detail(format_args!(
            "answered with status {} and {} bytes",
            received.status.as_u16(),
            received.body.len()
        ));
        Ok(received)
    }
}

fn warn_of_cache(error: &std::io::Error, log: &mut Log<'_>) {
    log.warning(format_args!(
        "the token cache is not used: {error}. Check MDE_TOKEN_CACHE."
    ));
}

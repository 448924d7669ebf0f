//! One request, from its text to its answer.

use ureq::http::StatusCode;

use crate::auth::{AccessToken, Credentials};
use crate::deadline::Deadline;
use crate::error::Failure;
use crate::input::Input;
use crate::log::Log;
use crate::lost::Call;
use crate::output::Answer;
use crate::read::{self, Source};
use crate::request;
use crate::response::{self, Received};
use crate::send::Sender;
use crate::settings::{Environment, Options, Settings};
use crate::validate::validate;

/// Reads the request from `source`, makes the call, and gives the service's answer.
///
/// # Errors
///
/// There is no answer to give.
pub fn run(
    source: Source,
    options: Options,
    environment: &Environment<'_>,
    log: &mut Log<'_>,
) -> Result<Answer, Failure> {
    let deadline = Deadline::after(options.timeout);
    let text = read::read(source, options.timeout.min(read::MAX_WAIT))?;
    let input = validate(&text)?;
    let settings = Settings::read(environment, options.sandbox)?;
    if options.sandbox {
        log.notice(
            "sandbox: the embedded Defender answers; nothing is sent, nothing is cancelled.",
        );
    }
    let step = Step {
        sender: Sender::new(&settings, deadline, options.sandbox),
        settings,
    };
    let received = step.cancel(&input, log)?;
    let answer = response::answer(&received)?;
    if !received.status.is_success() {
        log.error(response::advice(&answer, &input));
    }
    Ok(answer)
}

struct Step {
    sender: Sender,
    settings: Settings,
}

impl Step {
    /// Cancels; a token that the API no longer takes is renewed once.
    fn cancel(&self, input: &Input, log: &mut Log<'_>) -> Result<Received, Failure> {
        let token = self.token(log)?;
        let received = self.call(input, &token, log)?;
        let is_renewable = !matches!(self.settings.credentials, Credentials::AccessToken(_));
        if received.status != StatusCode::UNAUTHORIZED || !is_renewable {
            return Ok(received);
        }
        log.detail("the API does not take the token: signing in once more");
        match self.token(log) {
            Ok(token) => self.call(input, &token, log),
            // The API's answer stands: it is the truth about the cancel.
            Err(failure) => {
                log.error(failure.with_causes());
                Ok(received)
            }
        }
    }

    fn token(&self, log: &mut Log<'_>) -> Result<AccessToken, Failure> {
        match &self.settings.credentials {
            Credentials::AccessToken(token) => Ok(token.clone()),
            Credentials::ClientSecret(client) => {
                log.detail(format_args!(
                    "signing in at {} as application {} of tenant {} with a client secret",
                    client.authority, client.client_id, client.tenant
                ));
                let received = self.sender.send(Call::SignIn, client.request()?)?;
                client.token(&received)
            }
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
        let received = self.sender.send(Call::Cancel, request)?;
        log.detail(format_args!(
            "answered with status {} and {} bytes",
            received.status.as_u16(),
            received.body.len()
        ));
        Ok(received)
    }
}

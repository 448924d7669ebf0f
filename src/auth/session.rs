//! The tokens of one run: at hand, renewed in time, and shared with other runs through the cache.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use crate::auth::cache::lock::Turn;
use crate::auth::cache::{self, TokenCache};
use crate::auth::grant::{Grant, TokenRequest};
use crate::auth::{Credentials, SignIn};
use crate::call::bearer::AccessToken;
use crate::call::diagnosis;
use crate::call::pace::{Pause, whole_seconds};
use crate::call::send::{Run, Sender, Sent};
use crate::output::failure::{Failure, FailureCode};

/// How long a token is good for, if the service does not say.
const USUAL_LIFETIME: Duration = Duration::from_secs(3600);
/// How long a refused sign-in is not tried again: a batch of a thousand lines must not be refused a thousand times.
const REFUSAL_STANDS: Duration = Duration::from_secs(60);

/// Who calls, and the token that was got last.
pub(crate) struct Session {
    credentials: Credentials,
    /// Only an application's tokens are kept: a managed identity's endpoint keeps its own.
    cache: Option<TokenCache>,
    held: Option<Held>,
    /// Why signing in again would fail again, and for how long.
    refusal: Option<(Failure, Pause)>,
}

/// A token and its times.
struct Held {
    token: AccessToken,
    renewal: Instant,
    expiry: Instant,
}

impl Session {
    /// A session that has not signed in yet; `folder` is where tokens are kept between runs.
    pub(crate) fn new(credentials: Credentials, folder: Option<&Path>) -> Self {
        let cache = match (&credentials, folder) {
            (Credentials::SignIn(SignIn::Application(application)), Some(folder)) => {
                Some(TokenCache::new(folder, application))
            }
            _ => None,
        };
        Self {
            credentials,
            cache,
            held: None,
            refusal: None,
        }
    }

    /// Returns the token that is good for a while, or else a new one. Fails if sign-in was refused, or brought no
    /// answer.
    pub(crate) fn token(
        &mut self,
        sender: &mut Sender,
        run: &mut Run<'_, '_>,
    ) -> Result<AccessToken, Failure> {
        if let Credentials::AccessToken(token) = &self.credentials {
            return Ok(token.clone());
        }
        let now = Instant::now();
        if let Some(held) = self.held.as_ref().filter(|held| now < held.renewal) {
            return Ok(held.token.clone());
        }
        match (self.shared(sender, run), &self.held) {
            // What is only to be renewed is still good.
            (Err(failure), Some(held)) if now < held.expiry => {
                run.log.warning(format_args!(
                    "the token cannot be renewed: {}",
                    failure.with_causes()
                ));
                Ok(held.token.clone())
            }
            (granted, _) => granted,
        }
    }

    /// Forgets `rejected`, and returns another token; `None` if the token was given, and there is no other.
    pub(crate) fn renew(
        &mut self,
        rejected: &AccessToken,
        sender: &mut Sender,
        run: &mut Run<'_, '_>,
    ) -> Option<Result<AccessToken, Failure>> {
        if matches!(self.credentials, Credentials::AccessToken(_)) {
            return None;
        }
        run.log
            .detail("the API rejected the token: signing in again");
        self.forget(rejected, run);
        Some(self.shared(sender, run))
    }

    /// Forgets `token`, which the API does not take.
    pub(crate) fn forget(&mut self, token: &AccessToken, run: &mut Run<'_, '_>) {
        self.held = None;
        if let Some(cache) = &self.cache
            && let Err(error) = cache.forget(token)
        {
            cache::warn(&error, run.log);
        }
    }

    /// Returns the token in the cache, or else a new one: of several steps that need it, one signs in, and the others
    /// wait.
    fn shared(
        &mut self,
        sender: &mut Sender,
        run: &mut Run<'_, '_>,
    ) -> Result<AccessToken, Failure> {
        let lock = match self.turn(sender, run) {
            Turn::Take(token, remaining) => {
                run.log.detail("using the token from the cache");
                self.hold(&token, remaining);
                return Ok(token);
            }
            Turn::SignIn(lock) => lock,
            Turn::Stop => return Err(diagnosis::stopped()),
        };
        let granted = self.sign_in(sender, run);
        if let (Some(lock), Some(cache)) = (lock, &self.cache) {
            lock.release(cache);
        }
        granted
    }

    fn turn(&self, sender: &Sender, run: &mut Run<'_, '_>) -> Turn {
        let Some(cache) = &self.cache else {
            return Turn::SignIn(None);
        };
        let found = cache.find(SystemTime::now()).unwrap_or_else(|error| {
            cache::warn(&error, run.log);
            None
        });
        match found {
            Some((token, remaining)) => Turn::Take(token, remaining),
            // Nobody is waited for to be refused again.
            None if self.standing_refusal().is_some() => Turn::SignIn(None),
            None => cache.turn(run.deadline, sender.interrupt(), run.log),
        }
    }

    /// Holds `token`, good for `lifetime` from now, for the calls to come.
    fn hold(&mut self, token: &AccessToken, lifetime: Duration) {
        let lifetime = lifetime.min(Grant::LONGEST);
        // Of a short life, half; of one that was not told, what is usual: a 401 renews the token anyway.
        let good_for = match lifetime {
            Duration::ZERO => USUAL_LIFETIME,
            lifetime => lifetime.saturating_sub(Grant::MARGIN).max(lifetime / 2),
        };
        let now = Instant::now();
        self.held = Some(Held {
            token: token.clone(),
            renewal: now + good_for,
            expiry: now + lifetime.max(good_for),
        });
    }

    /// Signs in, unless a refusal stands. Fails if it was refused, or there is no answer.
    pub(crate) fn sign_in(
        &mut self,
        sender: &mut Sender,
        run: &mut Run<'_, '_>,
    ) -> Result<AccessToken, Failure> {
        if let Some(refusal) = self.standing_refusal() {
            return Err(refusal);
        }
        let granted = self.new_token(sender, run);
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

    /// Returns the refusal of the last sign-in, while none is tried again.
    fn standing_refusal(&self) -> Option<Failure> {
        let (refusal, pause) = self.refusal.as_ref()?;
        let left = pause.left(Instant::now());
        (!left.is_zero()).then(|| Failure {
            retry_after_seconds: refusal.retry_after_seconds.map(|_| whole_seconds(left)),
            ..refusal.clone()
        })
    }

    fn new_token(
        &mut self,
        sender: &mut Sender,
        run: &mut Run<'_, '_>,
    ) -> Result<AccessToken, Failure> {
        let sign_in = match &self.credentials {
            Credentials::AccessToken(token) => return Ok(token.clone()),
            Credentials::SignIn(sign_in) => sign_in,
        };
        run.log.detail(format_args!("signing in: {sign_in}"));
        let now = SystemTime::now();
        let TokenRequest { call, proof } = sign_in.request(now, run.deadline)?;
        let Sent { received, tries } = sender.send(sign_in.call(), &call, run)?;
        let grant = sign_in.grant(&received, proof.as_ref());
        let grant = grant.map_err(|failure| tries.explain(failure))?;
        if let Some(cache) = &self.cache
            && let Err(error) = cache.keep(&grant, now)
        {
            cache::warn(&error, run.log);
        }
        self.hold(&grant.token, grant.lifetime());
        Ok(grant.token)
    }
}

//! What `check` reports: whether this identity may cancel, and if not, what to grant. It cancels nothing.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use schemars::JsonSchema;
use serde::Serialize;

use super::interrupted_reads::InterruptedReads;
use crate::auth::Credentials;
use crate::auth::claims::Claims;
use crate::auth::permissions::{self, Problem, ProblemCode};
use crate::auth::session::Session;
use crate::call::bearer::AccessToken;
use crate::call::send::{Run, Sender};
use crate::output::document;
use crate::output::exit_status::ExitStatus;
use crate::output::failure::Failure;
use crate::output::log::Log;
use crate::settings::Settings;
use crate::settings::environment::Reader;
use crate::settings::options::Options;
use crate::waiting::deadline::Deadline;

/// Signs in, and writes a report of what the identity may do; indented for a person. Nothing is cancelled, and no token is
/// taken from the cache.
pub(crate) fn run(
    options: &Options,
    reader: Reader<'_>,
    stdout: &mut dyn Write,
    is_indented: bool,
    log: &mut Log<'_>,
) -> ExitStatus {
    let stop = InterruptedReads::saying("Run `check` again.", |failure, stdout, log| {
        let report = Report::of_failure(failure);
        report.explain(log);
        document::write(stdout, &report, false)
    });
    // It can be done without hearing signals: then they end the process as they always do.
    let _listening = stop.listen();
    let report = report(options, reader, &stop, log);
    // Whoever is told to stop meanwhile ends the process, even if nobody reads what is written.
    let mut is_said = stop.pen();
    *is_said = true;
    let stopped = stop.brake.interrupt.status();
    let report = match stopped {
        Some(_) if report.token.is_none() => report.failed(stop.failure()),
        _ => report,
    };
    report.explain(log);
    match document::write(stdout, &report, is_indented) {
        Ok(()) => stopped.unwrap_or_else(|| report.exit_status()),
        Err(error) => document::not_written(&error, "the report above", log),
    }
}

fn report(
    options: &Options,
    reader: Reader<'_>,
    stop: &InterruptedReads,
    log: &mut Log<'_>,
) -> Report {
    let deadline = Deadline::after(options.timeout());
    let settings = match Settings::read(reader, options.sandbox, deadline) {
        Ok(settings) => settings,
        Err(failure) => return Report::of_failure(failure),
    };
    options.announce_sandbox(log);
    let mut report = Report::on(&settings);
    let resource = settings.resource().to_owned();
    let mut sender = Sender::new(settings.network, options.sandbox, stop.brake.clone());
    let mut session = Session::new(settings.credentials, settings.token_cache.as_deref());
    let token = session.sign_in(&mut sender, &mut Run { deadline, log });
    report.add_token(token, &resource, SystemTime::now());
    report
}

/// What an identity may do, according to its token.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(title = "Cancel Machine Action: check")]
pub(crate) struct Report {
    /// Whether the identity may cancel machine actions.
    pub(crate) may_cancel: bool,
    /// Whether it may also list and read them, which `list`, `get`, `--wait` and `--allow` need.
    pub(crate) may_read: bool,
    /// Which identity signs in, and where; null if the settings give none.
    pub(crate) identity: Option<String>,
    /// URL of the API; null if the settings are not usable.
    pub api: Option<String>,
    /// Scope of the token; null if the settings are not usable.
    pub(crate) scope: Option<String>,
    /// The claims of the token; null if there is no token, or it cannot be read.
    pub(crate) token: Option<TokenReport>,
    /// Everything that keeps the identity from cancelling, listing or reading, or limits it, each with what to do.
    pub(crate) problems: Vec<Problem>,
    /// The failure, if there is no token; as in `error.schema.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Failure>,
}

/// The claims of a token.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TokenReport {
    /// The API that the token is for.
    pub(crate) audience: Option<String>,
    /// Tenant of the token.
    pub(crate) tenant: Option<String>,
    /// Application that the token was issued to.
    pub(crate) application: Option<String>,
    /// When the token expires, in seconds since 1970.
    pub(crate) expires_at: Option<u64>,
    /// How many more seconds the token is valid; negative if it has expired.
    pub(crate) expires_in: Option<i64>,
    /// Whether the token acts for a signed-in user.
    pub(crate) delegated: bool,
    /// Permissions of the token: application roles, or delegated scopes.
    pub(crate) roles: Vec<String>,
}

impl TokenReport {
    fn of(claims: &Claims, now: u64) -> Self {
        let signed = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
        Self {
            audience: (!claims.audiences.is_empty()).then(|| claims.audience()),
            tenant: claims.tenant.clone(),
            application: claims.application.clone(),
            expires_at: claims.expires_at,
            expires_in: claims
                .expires_at
                .map(|at| signed(at).saturating_sub(signed(now))),
            delegated: claims.scopes.is_some(),
            roles: claims.permissions().map(str::to_owned).collect(),
        }
    }
}

impl Report {
    /// The report on an identity of which nothing is known yet.
    fn on(settings: &Settings) -> Self {
        Self {
            identity: Some(match &settings.credentials {
                Credentials::AccessToken(_) => "the given access token".to_owned(),
                Credentials::SignIn(sign_in) => sign_in.to_string(),
            }),
            api: Some(settings.base.to_string()),
            scope: Some(settings.scope.clone()),
            ..Self::default()
        }
    }

    /// Adds what `token` is good for at `now`; or why there is none.
    fn add_token(&mut self, token: Result<AccessToken, Failure>, resource: &str, now: SystemTime) {
        match token.map(|token| Claims::of(token.expose())) {
            Err(failure) => self.fail(failure),
            Ok(Some(claims)) => self.judge(&claims, resource, now),
            Ok(None) => self.add(
                ProblemCode::UnreadableToken,
                "the token is not a JSON Web Token, so its permissions are not known".to_owned(),
            ),
        }
    }

    /// The report of a run that ended before anything was known.
    fn of_failure(failure: Failure) -> Self {
        Self::default().failed(failure)
    }

    /// The same report of a run that has come to `failure`, whatever it had come to before.
    fn failed(mut self, failure: Failure) -> Self {
        self.problems.clear();
        self.fail(failure);
        self
    }

    /// Adds that there is no token, and why.
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.add(ProblemCode::NoToken, failure.with_causes());
        self.error = Some(failure);
    }

    fn add(&mut self, code: ProblemCode, message: String) {
        self.problems.push(Problem { code, message });
    }

    /// Adds what a token with `claims` is good for at `now`.
    pub(crate) fn judge(&mut self, claims: &Claims, resource: &str, now: SystemTime) {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.problems = permissions::problems(claims, resource, now);
        let mut codes = self.problems.iter().map(|problem| problem.code);
        self.may_cancel = codes.clone().all(ProblemCode::allows_cancel);
        self.may_read = codes.all(ProblemCode::allows_read);
        self.token = Some(TokenReport::of(claims, now));
    }

    /// Returns the status that the process ends with.
    pub(crate) fn exit_status(&self) -> ExitStatus {
        match &self.error {
            _ if self.may_cancel => ExitStatus::Accepted,
            Some(failure) => failure.code.exit_status(),
            None => ExitStatus::BadSettings,
        }
    }

    /// Says on stderr what people should know; stdout has the rest.
    pub(crate) fn explain(&self, log: &mut Log<'_>) {
        let is_note = |problem: &&Problem| self.may_cancel || problem.code.allows_cancel();
        let (notes, obstacles): (Vec<_>, Vec<_>) = self.problems.iter().partition(is_note);
        for note in notes {
            log.notice(format_args!("note: {}.", note.message));
        }
        let obstacles: Vec<&str> = obstacles.iter().map(|it| it.message.as_str()).collect();
        let obstacles = obstacles.join("; ");
        // The last line says it all, because some engines show no other.
        match (self.may_cancel, self.may_read, &self.token) {
            (true, true, _) => {
                log.notice("this identity is allowed to cancel, list and read machine actions.")
            }
            (true, false, _) => {
                log.notice("this identity is allowed to cancel machine actions, but not to list or read them.");
            }
            (false, _, None) => log.error(format_args!(
                "it is not known whether this identity is allowed to cancel machine actions: {obstacles}"
            )),
            (false, _, Some(_)) => log.error(format_args!(
                "this identity is not allowed to cancel machine actions: {obstacles}"
            )),
        }
    }
}

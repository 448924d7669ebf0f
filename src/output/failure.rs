//! What can go wrong: one failure type, and its closed set of codes.

use std::error::Error;
use std::fmt;
use std::io;
use std::num::NonZeroU64;

use schemars::JsonSchema;
use serde::Serialize;

use crate::output::answer::Verdict;
use crate::output::exit_status::ExitStatus;
use crate::output::violation::{Violation, Violations};

/// What kind of failure it is: a closed set, for a playbook to branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// The command line is wrong (exit status 2).
    InvalidUsage,
    /// No request came in time, its file cannot be read, or the system has no means left to listen (exit status 2).
    NoInput,
    /// The request is not what `input.schema.json` asks for (exit status 2).
    InvalidInput,
    /// The action is of a type that `--allow` does not list, or its type could not be read (exit status 2).
    NotAllowed,
    /// Settings or credentials are missing, contradictory or unusable (exit status 3).
    InvalidSettings,
    /// The sign-in service refused the credentials (exit status 4).
    SignInRefused,
    /// The sign-in service answered, but neither granted a token nor refused the credentials: it is throttled, or it fails
    /// (exit status 8).
    SignInUnavailable,
    /// The host could not be found or reached, or the connection broke (exit status 5).
    NetworkError,
    /// No secure connection to the host could be made (exit status 5).
    TlsError,
    /// The time limit passed (exit status 5).
    Timeout,
    /// What came back is not a whole HTTP answer, or not one of the service that was asked (exit status 5).
    InvalidAnswer,
    /// The service asked for a longer pause than a batch waits for: the line was not sent (exit status 8).
    Throttled,
    /// The process was told to stop before there was an answer (exit status 130 or 143).
    Interrupted,
}

impl FailureCode {
    /// Every code.
    pub const ALL: [Self; 13] = [
        Self::InvalidUsage,
        Self::NoInput,
        Self::InvalidInput,
        Self::NotAllowed,
        Self::InvalidSettings,
        Self::SignInRefused,
        Self::SignInUnavailable,
        Self::NetworkError,
        Self::TlsError,
        Self::Timeout,
        Self::InvalidAnswer,
        Self::Throttled,
        Self::Interrupted,
    ];

    /// The exit status that goes with the code. [`Self::Interrupted`] goes with that of the signal: this one or
    /// [`ExitStatus::Interrupted`].
    pub const fn exit_status(self) -> ExitStatus {
        match self {
            Self::InvalidUsage | Self::NoInput | Self::InvalidInput | Self::NotAllowed => {
                ExitStatus::BadRequest
            }
            Self::InvalidSettings => ExitStatus::BadSettings,
            Self::SignInRefused => ExitStatus::SignInRefused,
            Self::NetworkError | Self::TlsError | Self::Timeout | Self::InvalidAnswer => {
                ExitStatus::NoAnswer
            }
            Self::SignInUnavailable | Self::Throttled => ExitStatus::NotNow,
            Self::Interrupted => ExitStatus::Terminated,
        }
    }

    /// Whether the same request may succeed later with nothing changed.
    const fn retryable(self) -> bool {
        matches!(
            self,
            Self::SignInUnavailable
                | Self::NetworkError
                | Self::Timeout
                | Self::InvalidAnswer
                | Self::Throttled
                | Self::Interrupted
        )
    }
}

/// Whether the cancel may have reached the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestSent {
    /// Not a byte of the cancel was sent: nothing was cancelled.
    No,
    /// The cancel was sent, or part of it: whether it was carried out is not known.
    Unknown,
}

/// Why there is no answer to give. Its serialised form is what stdout carries under `error`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What kind of failure it is.
    pub(crate) code: FailureCode,
    /// What is wrong, where, and what to do: the sentence that stderr shows.
    pub message: String,
    /// What is wrong alone, where it is said apart; for a line about one try of several.
    #[serde(skip)]
    pub(crate) what: Box<str>,
    /// The line of the batch, counted from 1; only in a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    pub(crate) line: Option<NonZeroU64>,
    /// What is known of the action; only with `--wait` (`MDE_WAIT`), if the cancel may have been sent: it is still open, or it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Verdict")]
    pub(crate) outcome: Option<Verdict>,
    /// Whether the same request may succeed later with nothing changed.
    pub(crate) retryable: bool,
    /// How long to wait before the next try, in seconds; only where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    pub(crate) retry_after_seconds: Option<u64>,
    /// Whether the cancel may have reached the service.
    pub(crate) request_sent: RequestSent,
    /// Every violation that was found; empty where the failure is not one of the request or the settings.
    pub(crate) details: Vec<Violation>,
    /// The chain of causes, the nearest first, where there is one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) caused_by: Vec<String>,
}

impl Failure {
    /// How many violations the message names.
    const MAX_SHOWN: usize = 20;

    /// Makes a failure that came before anything was sent.
    pub(crate) fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            what: Box::default(),
            line: None,
            outcome: None,
            retryable: code.retryable(),
            retry_after_seconds: None,
            request_sent: RequestSent::No,
            details: Vec::new(),
            caused_by: Vec::new(),
        }
    }

    /// Makes one failure that lists every problem found: `what` is wrong, namely each of `found`, and `remedy` helps.
    pub(crate) fn of_violations(
        code: FailureCode,
        what: &str,
        found: impl Into<Violations>,
        remedy: &str,
    ) -> Self {
        let (details, total) = found.into().into_parts();
        let shown = details.iter().take(Self::MAX_SHOWN);
        let mut sentences: Vec<String> = shown.map(ToString::to_string).collect();
        if total > Self::MAX_SHOWN {
            sentences.push(format!("and {} more", total - Self::MAX_SHOWN));
        }
        let message = format!("{what}: {}. {remedy}", sentences.join("; "));
        Self {
            details,
            ..Self::new(code, message)
        }
    }

    /// Makes the failure of a machine at its limits: `what` cannot be done for want of a thread or descriptor; `or` ends the
    /// remedy.
    pub(crate) fn without_means(what: &str, or: &str, error: &io::Error) -> Self {
        let message = format!(
            "{what}: the system has no thread or descriptor left for it. Raise the limits of processes (ulimit -u, or pids \
             of the container) and open files (ulimit -n){or}."
        );
        Self::new(FailureCode::NoInput, message).because(error)
    }

    /// What is wrong, in a clause.
    pub(crate) fn what(&self) -> &str {
        match &*self.what {
            "" => self.message.trim_end_matches('.'),
            what => what,
        }
    }

    /// Adds the cause and the cause's causes.
    pub(crate) fn because(mut self, cause: &dyn Error) -> Self {
        let mut next = Some(cause);
        while let Some(cause) = next {
            self.caused_by.push(cause.to_string());
            next = cause.source();
        }
        self
    }

    /// Sets whether the cancel may have reached the service.
    pub(crate) fn with_request_sent(mut self, request_sent: RequestSent) -> Self {
        self.request_sent = request_sent;
        self
    }

    /// Returns the message and why it came to that, for the one line on stderr.
    pub(crate) fn with_causes(&self) -> String {
        match self.caused_by.as_slice() {
            [] => self.message.clone(),
            causes => format!("{} (Cause: {})", self.message, causes.join(": ")),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error for Failure {}

//! What can go wrong: one failure type, its closed set of codes, and the one table of exit statuses.

use std::error::Error;
use std::fmt;
use std::num::NonZeroU64;

use schemars::JsonSchema;
use serde::Serialize;

/// The exit status of the process; a greater one is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitStatus {
    /// The service answered 2xx.
    Accepted = 0,
    /// The service answered something else.
    Refused = 1,
    /// The request or the command line is wrong.
    BadRequest = 2,
    /// Settings or credentials are missing or unusable.
    BadSettings = 3,
    /// Sign-in was refused.
    SignInRefused = 4,
    /// There is no answer.
    NoAnswer = 5,
    /// With `--wait`: the service answered, but the action did not end as cancelled.
    NotCancelled = 6,
    /// The answer could not be written.
    NotWritten = 7,
    /// The service is throttled: the same request may succeed later.
    NotNow = 8,
    /// A batch was ended by SIGINT.
    Interrupted = 130,
    /// A batch was ended by SIGTERM.
    Terminated = 143,
}

impl ExitStatus {
    /// Every exit status that tells of an answer, in their order: the table that `--help`, the manifest and the README
    /// show. A signal's are those of every program.
    pub const ALL: [Self; 9] = [
        Self::Accepted,
        Self::Refused,
        Self::BadRequest,
        Self::BadSettings,
        Self::SignInRefused,
        Self::NoAnswer,
        Self::NotCancelled,
        Self::NotWritten,
        Self::NotNow,
    ];

    /// The number that the process ends with.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// What the status tells, in half a sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Accepted => "the service answered 2xx (with --wait: and the action is cancelled)",
            Self::Refused => "the service answered something else",
            Self::BadRequest => "the request or the command line is wrong; nothing was sent",
            Self::BadSettings => {
                "settings or credentials are missing or unusable; nothing was sent"
            }
            Self::SignInRefused => "sign-in was refused",
            Self::NoAnswer => "no answer: network, TLS, time-out, not HTTP",
            Self::NotCancelled => "with --wait: answered, but the action did not end as cancelled",
            Self::NotWritten => "the answer could not be written",
            Self::NotNow => {
                "not now: the service is throttled, and a line of the batch was held up and not sent; it may succeed later"
            }
            Self::Interrupted => "ended by SIGINT",
            Self::Terminated => "ended by SIGTERM",
        }
    }

    /// Which document stdout carries with this status.
    #[must_use]
    pub const fn document(self) -> Document {
        match self {
            Self::Accepted | Self::Refused | Self::NotCancelled => Document::Answer,
            Self::NotWritten | Self::Interrupted | Self::Terminated => Document::None,
            _ => Document::Failure,
        }
    }

    /// The status that the process ends with when `--exit-zero` is set: an engine that throws stdout away on a
    /// failure still gets the document. A document that could not be written stays a failure.
    #[must_use]
    pub const fn or_zero(self, exit_zero: bool) -> Self {
        match self {
            Self::NotWritten | Self::Interrupted | Self::Terminated => self,
            _ if exit_zero => Self::Accepted,
            _ => self,
        }
    }
}

/// What stdout carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Document {
    /// The service's answer; see `output.schema.json`.
    Answer,
    /// The failure; see `error.schema.json`.
    Failure,
    /// Nothing.
    None,
}

/// What kind of failure it is: a closed set, for a playbook to branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// The command line is wrong (exit status 2).
    InvalidUsage,
    /// No request came in time, or its file cannot be read (exit status 2).
    NoInput,
    /// The request is not what `input.schema.json` asks for (exit status 2).
    InvalidInput,
    /// Settings or credentials are missing, contradictory or unusable (exit status 3).
    InvalidSettings,
    /// The sign-in service refused the credentials (exit status 4).
    SignInRefused,
    /// The sign-in service answered, but with neither a token nor a verdict on the credentials: it is throttled, down, or
    /// not the sign-in service at all (exit status 4).
    SignInUnavailable,
    /// The host could not be found or reached, or the connection broke (exit status 5).
    NetworkError,
    /// No secure connection to the host could be made (exit status 5).
    TlsError,
    /// The time limit passed (exit status 5).
    Timeout,
    /// What came back is not a whole HTTP answer (exit status 5).
    InvalidAnswer,
    /// The service asked for a longer pause than a batch waits for: the line was not sent (exit status 8).
    Throttled,
}

impl FailureCode {
    /// Every code.
    pub const ALL: [Self; 11] = [
        Self::InvalidUsage,
        Self::NoInput,
        Self::InvalidInput,
        Self::InvalidSettings,
        Self::SignInRefused,
        Self::SignInUnavailable,
        Self::NetworkError,
        Self::TlsError,
        Self::Timeout,
        Self::InvalidAnswer,
        Self::Throttled,
    ];

    /// The exit status that goes with the code.
    #[must_use]
    pub const fn exit_status(self) -> ExitStatus {
        match self {
            Self::InvalidUsage | Self::NoInput | Self::InvalidInput => ExitStatus::BadRequest,
            Self::InvalidSettings => ExitStatus::BadSettings,
            Self::SignInRefused | Self::SignInUnavailable => ExitStatus::SignInRefused,
            Self::NetworkError | Self::TlsError | Self::Timeout | Self::InvalidAnswer => {
                ExitStatus::NoAnswer
            }
            Self::Throttled => ExitStatus::NotNow,
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

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Violation {
    /// JSON Pointer (RFC 6901) into the request or the settings.
    pub pointer: String,
    /// What is wrong there and what would be right. Never the value itself.
    pub message: String,
    /// The place as a sentence names it.
    #[serde(skip)]
    place: String,
}

impl Violation {
    /// `message` is said of the place in the request that `pointer` names.
    pub fn of_request(pointer: &str, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.to_owned(),
            message: message.into(),
            place: match pointer {
                "" => "the request".to_owned(),
                _ => pointer.to_owned(),
            },
        }
    }

    /// `message` is said of the environment variable `name`.
    pub fn of_setting(name: &str, message: impl Into<String>) -> Self {
        Self {
            pointer: format!("/{name}"),
            message: message.into(),
            place: name.to_owned(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.place, self.message)
    }
}

/// Every violation that was found: all are counted, and the first thousand kept, for a request of a mebibyte can have a
/// hundred thousand.
#[derive(Default)]
pub struct Violations {
    kept: Vec<Violation>,
    total: usize,
}

impl Violations {
    const MAX_KEPT: usize = 1000;

    /// Counts one more, and makes it if it is among the first.
    pub fn add(&mut self, make: impl FnOnce() -> Violation) {
        self.total += 1;
        if self.kept.len() < Self::MAX_KEPT {
            self.kept.push(make());
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }
}

impl From<Vec<Violation>> for Violations {
    fn from(mut kept: Vec<Violation>) -> Self {
        let total = kept.len();
        kept.truncate(Self::MAX_KEPT);
        Self { kept, total }
    }
}

/// Why there is no answer to give. Its serialised form is what stdout carries under `error`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What kind of failure it is.
    pub code: FailureCode,
    /// What is wrong, where, and what to do: the sentence that stderr shows.
    pub message: String,
    /// What is wrong alone, where it is said apart; for a line about one try of several.
    #[serde(skip)]
    pub what: Box<str>,
    /// The line of the batch, counted from 1; only in a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    pub line: Option<NonZeroU64>,
    /// Whether the same request may succeed later with nothing changed.
    pub retryable: bool,
    /// How long to wait before the next try, in seconds; only where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    pub retry_after_seconds: Option<u64>,
    /// Whether the cancel may have reached the service.
    pub request_sent: RequestSent,
    /// Every violation that was found; empty where the failure is not one of the request or the settings.
    pub details: Vec<Violation>,
    /// The chain of causes, the nearest first, where there is one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub caused_by: Vec<String>,
}

impl Failure {
    /// How many violations the message names.
    const MAX_SHOWN: usize = 20;

    /// A failure that came before anything was sent.
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            what: Box::default(),
            line: None,
            retryable: code.retryable(),
            retry_after_seconds: None,
            request_sent: RequestSent::No,
            details: Vec::new(),
            caused_by: Vec::new(),
        }
    }

    /// A failure made of violations: `what` is wrong, namely each of `found`, and `remedy` helps.
    #[must_use]
    pub fn of_violations(
        code: FailureCode,
        what: &str,
        found: impl Into<Violations>,
        remedy: &str,
    ) -> Self {
        let Violations {
            kept: details,
            total,
        } = found.into();
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

    /// The same failure, with its cause and the cause's causes.
    #[must_use]
    pub fn because(mut self, cause: &dyn Error) -> Self {
        let mut next = Some(cause);
        while let Some(cause) = next {
            self.caused_by.push(cause.to_string());
            next = cause.source();
        }
        self
    }

    /// The same failure, of a cancel that may have reached the service.
    #[must_use]
    pub fn with_request_sent(mut self, request_sent: RequestSent) -> Self {
        self.request_sent = request_sent;
        self
    }

    /// The message and why it came to that, for the one line on stderr.
    #[must_use]
    pub fn with_causes(&self) -> String {
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

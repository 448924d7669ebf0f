//! The one table of exit statuses.

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
    /// Every exit status but those of signals, in their order: the table that `--help`, the manifest and the README
    /// show.
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

    /// Returns the number that the process ends with.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns what the status means, in half a sentence.
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

    /// Returns which document stdout carries with this status.
    #[must_use]
    pub const fn document(self) -> Document {
        match self {
            Self::Accepted | Self::Refused | Self::NotCancelled => Document::Answer,
            Self::NotWritten | Self::Interrupted | Self::Terminated => Document::None,
            _ => Document::Failure,
        }
    }

    /// Returns the status that the process ends with when `--exit-zero` is set: an engine that throws stdout away on a
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

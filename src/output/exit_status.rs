//! The one table of exit statuses.

use schemars::JsonSchema;
use serde::Serialize;

/// The exit status of the process; a greater one is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitStatus {
    /// The service answered 2xx.
    Accepted = 0,
    /// The service refused.
    Refused = 1,
    /// The request or the command line is wrong, or what it asks is not allowed.
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
    /// The service or sign-in is throttled or failing: the same request may succeed later.
    NotNow = 8,
    /// Ended by SIGINT.
    Interrupted = 130,
    /// Ended by SIGTERM.
    Terminated = 143,
}

impl ExitStatus {
    /// Every exit status in its order: the table that `--help`, the manifest and the README show.
    pub const ALL: [Self; 11] = [
        Self::Accepted,
        Self::Refused,
        Self::BadRequest,
        Self::BadSettings,
        Self::SignInRefused,
        Self::NoAnswer,
        Self::NotCancelled,
        Self::NotWritten,
        Self::NotNow,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// Returns the number that the process ends with.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns what the status means, in half a sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Accepted => "the service answered 2xx (with --wait: and the action is cancelled)",
            Self::Refused => {
                "the service refused: it answered something else, and trying again changes nothing"
            }
            Self::BadRequest => {
                "the request or the command line is wrong, or what it asks is not allowed; no cancel was sent"
            }
            Self::BadSettings => {
                "settings or credentials are missing or unusable; nothing was sent"
            }
            Self::SignInRefused => "sign-in was refused",
            Self::NoAnswer => "no answer: network, TLS, time-out, not HTTP",
            Self::NotCancelled => "with --wait: answered, but the action did not end as cancelled",
            Self::NotWritten => "the answer could not be written",
            Self::NotNow => {
                "not now: the service or sign-in is throttled or failing; the same request may succeed later"
            }
            Self::Interrupted => "ended by SIGINT; what is known was written",
            Self::Terminated => "ended by SIGTERM; what is known was written",
        }
    }

    /// Returns which document stdout carries with this status.
    pub const fn document(self) -> Document {
        match self {
            Self::Accepted | Self::Refused | Self::NotCancelled => Document::Answer,
            Self::NotWritten => Document::None,
            Self::NotNow | Self::Interrupted | Self::Terminated => Document::AnswerOrFailure,
            _ => Document::Failure,
        }
    }

    /// Returns the status that the process ends with when `--exit-zero` is set: an engine that throws stdout away on a
    /// failure still gets the document. A document that could not be written stays a failure.
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
    /// The service's answer if there is one, otherwise the failure.
    AnswerOrFailure,
    /// Nothing.
    None,
}

//! The service's answer, as stdout carries it.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::output::exit_status::ExitStatus;
use crate::output::headers::Headers;
use crate::output::layout::name_of;
use crate::output::machine_action::MachineAction;
use crate::output::retry_policy::may_pass;

/// What the service answered, whatever its status.
///
/// Source: the connector's specification of the step, "Output".
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Cancel Machine Action: output")]
pub struct Answer {
    /// The HTTP status code. 2xx means that the service accepted the cancel, not that the action was stopped.
    #[schemars(range(min = 100, max = 999))]
    pub(crate) status_code: u16,
    /// The standard phrase of the status code (RFC 9110 and the registry of HTTP status codes); empty if it has none.
    pub(crate) reason: &'static str,
    /// The headers of the answer as they came over the wire, each name spelled one way.
    pub(crate) response_headers: Headers,
    /// The body.
    #[serde(flatten)]
    pub(crate) body: Body,
    /// What became of the action; only with `--wait` (`MDE_WAIT`), and from `get` if the action is final. The other keys are then those of the last read, unless the cancel itself was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Verdict")]
    pub(crate) outcome: Option<Verdict>,
    /// Whether the same request may succeed later with nothing changed; only if the status is not 2xx.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool")]
    pub(crate) retryable: Option<bool>,
    /// How many seconds the service asks to wait before the next try (`Retry-After`); only if the status is not 2xx, and where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    pub(crate) retry_after_seconds: Option<u64>,
    /// Whether the cancel was accepted with a page or another text: by something in between, it may be.
    #[serde(skip)]
    pub(crate) is_doubtful: bool,
    /// What the answer means and what helps, for the last line of stderr; empty if there is nothing to say.
    #[serde(skip)]
    pub(crate) advice: String,
}

impl Answer {
    /// Whether the status is 2xx.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status_code)
    }

    /// Returns the status, and the outcome if there is one, in half a sentence.
    pub(crate) fn in_short(&self) -> String {
        let status = format!("{} {}", self.status_code, self.reason);
        let outcome = self.outcome.as_ref().map(name_of);
        let outcome = outcome.map_or(String::new(), |name| format!(", outcome {name}"));
        format!("the service answered {}{outcome}", status.trim_end())
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        let body = match &self.body {
            Body::Json(json) => json.get().len(),
            Body::Text(text) => text.len(),
        };
        body + (1 << 10)
    }

    /// The service's object, if the body is one.
    pub(crate) fn json(&self) -> Option<&str> {
        match &self.body {
            Body::Json(json) => Some(json.get()),
            Body::Text(_) => None,
        }
    }

    /// The status that the process ends with.
    pub(super) fn exit_status(&self) -> ExitStatus {
        match self.outcome {
            _ if !self.is_success() && may_pass(self.status_code) => ExitStatus::NotNow,
            _ if !self.is_success() => ExitStatus::Refused,
            None | Some(Verdict::Cancelled) => ExitStatus::Accepted,
            Some(_) => ExitStatus::NotCancelled,
        }
    }
}

/// The body of an answer: the service's object, or the text of what is no JSON object.
#[derive(Debug, Serialize, JsonSchema)]
pub enum Body {
    /// The service's object, unchanged: every key in its order, known or not.
    #[serde(rename = "json_body")]
    Json(#[schemars(with = "MachineAction")] Box<RawValue>),
    /// The decoded text of a body that is not a JSON object: nothing, a proxy's page, a bare array.
    #[serde(rename = "response_text")]
    Text(#[schemars(description = "The decoded text of a body that is not a JSON object.")] String),
}

/// What became of the action; only with `--wait`, and from `get` if the action is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The action was cancelled.
    Cancelled,
    /// The status is `Cancelled`, yet a command of the action had completed.
    CancelledTooLate,
    /// The action had already finished (`Succeeded`, `Failed`, `TimeOut`).
    AlreadyFinal,
    /// The action was still open when the time was up.
    Pending,
    /// The status could not be read.
    Unverified,
}

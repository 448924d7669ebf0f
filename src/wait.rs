//! What has become of an action, and when to look again: pure, without a clock.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What has truly become of the action; only with `--wait`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The action was cancelled.
    Cancelled,
    /// The status is `Cancelled`, yet a command of the action had completed.
    CancelledTooLate,
    /// The action had come to its end (`Succeeded`, `Failed`, `TimeOut`).
    AlreadyFinal,
    /// The action was still open when the time was up.
    Pending,
    /// The status could not be read.
    Unverified,
}

/// What of an entity tells its outcome.
#[derive(Deserialize)]
struct Entity {
    status: Option<String>,
    #[serde(default)]
    commands: Option<Vec<Command>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Command {
    LiveResponse {
        #[serde(rename = "commandStatus")]
        status: Option<String>,
    },
    Other(serde::de::IgnoredAny),
}

/// The outcome that `entity`, in JSON, tells; `None` if it tells none yet.
#[must_use]
pub fn outcome(entity: &str) -> Option<Outcome> {
    let entity: Entity = serde_json::from_str(entity).ok()?;
    let has_completed = entity.commands.iter().flatten().any(|command| {
        matches!(command, Command::LiveResponse { status: Some(status) } if status == "Completed")
    });
    match entity.status.as_deref()? {
        "Cancelled" if has_completed => Some(Outcome::CancelledTooLate),
        "Cancelled" => Some(Outcome::Cancelled),
        "Succeeded" | "Failed" | "TimeOut" => Some(Outcome::AlreadyFinal),
        // An unknown status is taken for an open one.
        _ => None,
    }
}

/// How long to wait before the action is read for the `reads + 1`-th time: growing, so that long waits cost few calls.
#[must_use]
pub fn pause(reads: u32) -> Duration {
    const FIRST: Duration = Duration::from_millis(500);
    const LONGEST: Duration = Duration::from_secs(15);
    FIRST
        .saturating_mul(2_u32.saturating_pow(reads.saturating_sub(1)))
        .min(LONGEST)
}

/// What an outcome means and what helps, for the one line on stderr.
#[must_use]
pub fn advice(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Cancelled => "the action was cancelled.",
        Outcome::CancelledTooLate => {
            "the action was cancelled too late: a command of it had completed. See json_body.commands, and undo it by an \
             action of its own."
        }
        Outcome::AlreadyFinal => {
            "the action had come to its end before it could be cancelled: see json_body.status, and undo it by an action \
             of its own."
        }
        Outcome::Pending => {
            "the action is still open, though its cancel was sent: read its status again, or raise --wait."
        }
        Outcome::Unverified => {
            "what became of the action is not known, because its status could not be read: grant Machine.Read.All or \
             Machine.ReadWrite.All with admin consent, or look at the action in the portal."
        }
    }
}

//! What has become of an action, and when to look again: pure, without a clock.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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

/// What reading an action has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The action has come to its end.
    Final(Outcome),
    /// It is still open.
    Open,
    /// It is not the action: a proxy's page, another action, an entity without a status.
    NotTheAction,
}

/// What of an entity tells its outcome.
#[derive(Deserialize)]
struct Entity {
    id: Option<String>,
    status: Option<String>,
    #[serde(default)]
    commands: Value,
}

/// What `entity`, in JSON, tells of the action `id`.
#[must_use]
pub fn read(entity: &str, id: &str) -> Reading {
    let Ok(entity) = serde_json::from_str::<Entity>(entity) else {
        return Reading::NotTheAction;
    };
    let is_asked_for = entity.id.is_some_and(|read| read.eq_ignore_ascii_case(id));
    let Some(status) = entity.status.filter(|_| is_asked_for) else {
        return Reading::NotTheAction;
    };
    let commands = entity.commands.as_array();
    let has_completed = commands.into_iter().flatten().any(|command| {
        let status = command.get("commandStatus").and_then(Value::as_str);
        status.is_some_and(|status| status.eq_ignore_ascii_case("Completed"))
    });
    match status.as_str() {
        "Cancelled" if has_completed => Reading::Final(Outcome::CancelledTooLate),
        "Cancelled" => Reading::Final(Outcome::Cancelled),
        "Succeeded" | "Failed" | "TimeOut" => Reading::Final(Outcome::AlreadyFinal),
        // An unknown status is taken for an open one.
        _ => Reading::Open,
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

/// What an outcome means and what helps, for the one line on stderr; `obstacle` is why the action could not be read.
#[must_use]
pub fn advice(outcome: Outcome, obstacle: &str) -> String {
    match outcome {
        Outcome::Cancelled => "the action was cancelled.".to_owned(),
        Outcome::CancelledTooLate => {
            "the action was cancelled too late: a command of it had completed. See json_body.commands, and undo it by an \
             action of its own."
                .to_owned()
        }
        Outcome::AlreadyFinal => {
            "the action had come to its end before it could be cancelled: see json_body.status, and undo it by an action \
             of its own."
                .to_owned()
        }
        Outcome::Pending => {
            "the action is still open: read its status again, or raise --wait.".to_owned()
        }
        Outcome::Unverified => {
            format!("what became of the action is not known, because it could not be read: {obstacle}")
        }
    }
}

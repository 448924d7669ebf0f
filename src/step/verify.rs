//! What has become of an action, and when to look again: pure, without a clock.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::output::scalar::Scalar;

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
struct Entity<'a> {
    id: Option<String>,
    status: Option<String>,
    #[serde(borrow)]
    commands: Option<&'a RawValue>,
}

/// What of a command tells whether it ran.
#[derive(Deserialize)]
struct Command {
    #[serde(rename = "commandStatus", default)]
    status: Scalar,
}

/// What `entity`, in JSON, tells of the action `id`.
#[must_use]
pub fn read(entity: &str, id: &str) -> Reading {
    let Ok(entity) = serde_json::from_str::<Entity<'_>>(entity) else {
        return Reading::NotTheAction;
    };
    let is_asked_for = entity.id.is_some_and(|read| read.eq_ignore_ascii_case(id));
    let Some(status) = entity.status.filter(|_| is_asked_for) else {
        return Reading::NotTheAction;
    };
    match status.as_str() {
        "Cancelled" if entity.commands.is_some_and(has_completed) => {
            Reading::Final(Outcome::CancelledTooLate)
        }
        "Cancelled" => Reading::Final(Outcome::Cancelled),
        "Succeeded" | "Failed" | "TimeOut" => Reading::Final(Outcome::AlreadyFinal),
        // An unknown status is taken for an open one.
        _ => Reading::Open,
    }
}

/// Whether one of `commands` has completed; they may be objects, names, or no list at all.
fn has_completed(commands: &RawValue) -> bool {
    let mut json = serde_json::Deserializer::from_str(commands.get());
    json.deserialize_seq(AnyCompleted).unwrap_or_default()
}

/// Looks at one command after the other: a list of all would take many times the memory of its text.
struct AnyCompleted;

impl<'de> Visitor<'de> for AnyCompleted {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of commands")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut commands: A) -> Result<bool, A::Error> {
        let mut any = false;
        while let Some(command) = commands.next_element::<&RawValue>()? {
            let command = command.get();
            any |= command.starts_with('{')
                && serde_json::from_str(command).map_or(true, |command: Command| {
                    let status = command.status.text();
                    status.is_some_and(|status| status.eq_ignore_ascii_case("Completed"))
                });
        }
        Ok(any)
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

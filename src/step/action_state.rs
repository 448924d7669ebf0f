//! What state an action is in, by what reading it has brought: pure.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::input::MachineActionId;
use crate::output::answer::{Answer, Verdict};
use crate::output::scalar::Scalar;

/// What reading an action has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The action has come to its end.
    Final(Verdict),
    /// It is still open.
    Open,
    /// It is not the action: a proxy's page, another action, an action without a status.
    NotTheAction,
}

/// The longest status that is repeated, in letters.
const MAX_STATUS: usize = 32;

/// What of a machine action shows its state.
#[derive(Deserialize)]
struct MachineAction<'a> {
    id: Option<String>,
    status: Option<String>,
    #[serde(borrow)]
    commands: Option<&'a RawValue>,
}

/// What of a machine action shows its type.
#[derive(Deserialize)]
struct Typed {
    id: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// What of a command shows whether it ran.
#[derive(Deserialize)]
struct Command {
    #[serde(rename = "commandStatus", default)]
    status: Scalar,
}

/// Returns the state of the action `id`, by what `json` says.
pub(super) fn of(json: &str, id: &str) -> State {
    let Ok(action) = serde_json::from_str::<MachineAction<'_>>(json) else {
        return State::NotTheAction;
    };
    let is_asked_for = action.id.is_some_and(|read| read.eq_ignore_ascii_case(id));
    let Some(status) = action.status.filter(|_| is_asked_for) else {
        return State::NotTheAction;
    };
    match status.as_str() {
        "Cancelled" if action.commands.is_some_and(has_completed) => {
            State::Final(Verdict::CancelledTooLate)
        }
        "Cancelled" => State::Final(Verdict::Cancelled),
        "Succeeded" | "Failed" | "TimeOut" => State::Final(Verdict::AlreadyFinal),
        // An unknown status is taken for an open one.
        _ => State::Open,
    }
}

/// Returns how the action `id` had ended by `answer`, if its cancel was accepted too late. That it was cancelled in time has
/// to be read.
pub(super) fn ended(answer: &Answer, id: &MachineActionId) -> Option<Verdict> {
    let json = answer.json().filter(|_| answer.is_success())?;
    match of(json, id.as_str()) {
        State::Final(Verdict::Cancelled) => None,
        State::Final(verdict) => Some(verdict),
        State::Open | State::NotTheAction => None,
    }
}

/// Returns the status that `json` says, if it is one word, as every known one is.
pub(super) fn status_in(json: &str) -> Option<String> {
    let status = serde_json::from_str::<MachineAction<'_>>(json)
        .ok()?
        .status?;
    let is_word = status.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_word && status.len() <= MAX_STATUS).then_some(status)
}

/// Returns the type of the action `id`, if `json` is that action and says it.
pub(super) fn type_of(json: &str, id: &str) -> Option<String> {
    let action: Typed = serde_json::from_str(json).ok()?;
    let is_asked_for = action.id.is_some_and(|read| read.eq_ignore_ascii_case(id));
    action.kind.filter(|_| is_asked_for)
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

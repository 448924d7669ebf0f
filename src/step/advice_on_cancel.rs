//! What the answer to a cancel means and what helps, for the last line of stderr.

use std::time::Duration;

use super::action_state::{self, State};
use super::advice_on_read::{
    BAD_TOKEN, REDIRECTED, SWITCHED_OFF, is_switched_off, not_found, when,
};
use super::service_message::Said;
use crate::call::api;
use crate::call::pace::whole_seconds;
use crate::input::{Input, MachineActionId, is_guid};
use crate::output::answer::{Answer, Body, Verdict};
use crate::output::retry_policy::may_pass;

/// What reads the action again, for messages.
const READ_IT: &str = "Read its status with `cancel-machine-action get`";

/// What a 400 may mean, unless the action is still open.
const MAY_HAVE_ENDED: &str = "The action may have ended";

/// What reading the action has shown after its cancel was refused or lost.
const STILL_OPEN: &str = "The action was read after that, and is still open.";

/// What is left where a cancel comes too late.
const REVERSE_IT: &str = "reverse it with a separate action (for an isolation: release the device)";

/// Why an action was not read, where nothing stood in the way.
const NO_TIME: &str = "there was no time to read it";

/// What an answer that is no success means and what helps: the status, the service's own words, then what to do, chosen
/// by the service's code before the status, so that nothing contradicts it. `shortcoming` is what the token lacks, where
/// it can be read; `follows_lost` if an earlier try may have been carried out.
pub(super) fn of_answer(
    answer: &Answer,
    input: &Input,
    said: &Said,
    shortcoming: Option<&str>,
    follows_lost: bool,
) -> String {
    let consequence = match answer.status_code {
        300..=399 | 401 | 403 | 404 | 429 if !follows_lost => "Nothing was cancelled. ",
        _ => "",
    };
    format!(
        "{}. {consequence}{}",
        said.sentence(answer),
        remedy(answer, input, said, shortcoming)
    )
}

fn remedy(answer: &Answer, input: &Input, said: &Said, shortcoming: Option<&str>) -> String {
    let status = answer.status_code;
    if may_pass(status) {
        return later(answer);
    }
    match (status, shortcoming) {
        (400, _) => of_400(input, said),
        (403, _) if is_switched_off(said) => SWITCHED_OFF.to_owned(),
        (401 | 403, Some(shortcoming)) => shortcoming.to_owned(),
        _ => of_status(status, input, said).to_owned(),
    }
}

/// Returns what [`of_answer`] says, where the action was read after that and is still open; `None` if this changes nothing.
pub(super) fn if_open(answer: &Answer, input: &Input, said: &Said) -> Option<String> {
    let remedy = match answer.status_code {
        400 if of_400(input, said).starts_with(MAY_HAVE_ENDED) => {
            "See the answer on stdout for what the service rejects.".to_owned()
        }
        404 | 409 => "Cancel it again in a few minutes.".to_owned(),
        status if may_pass(status) => format!("Cancel it again {}.", when(answer)),
        500..=599 => {
            "Check MDE_BASE_URL and any proxy in between, then cancel it again.".to_owned()
        }
        _ => return None,
    };
    Some(format!("{}. {STILL_OPEN} {remedy}", said.sentence(answer)))
}

/// What helps after a 400, which stands for many things.
fn of_400(input: &Input, said: &Said) -> String {
    let id = &input.path_parameters.machineactionid;
    if id.looks_like_device_id() {
        return "machineactionid has the form of a device id: give the id of the machine action."
            .to_owned();
    }
    let is_about_id = said.message.contains("Edm.Guid") || said.message.contains("key value");
    if is_about_id || !is_guid(id.as_str()) {
        return "The service takes only GUIDs as machineactionid: check where the playbook has it from.".to_owned();
    }
    let is_about_body = matches!(
        said.code.as_str(),
        "InvalidRequestBody" | "MissingRequiredParameter" | "InvalidInput"
    );
    match (&input.json_body.comment, said.code.as_str()) {
        (_, "ActiveRequestAlreadyExists") => {
            format!("Another call is changing the action. {READ_IT}, then decide.")
        }
        (_, "OsPlatformNotSupported" | "ClientVersionNotSupported") => {
            "The device does not support this: look at the action in the portal.".to_owned()
        }
        (None, code) if is_about_body || code.is_empty() => {
            "The request has no Comment, and the service may insist on one: set json_body.Comment."
                .to_owned()
        }
        (Some(_), _) if is_about_body => {
            "The service rejects the body: check what json_body.Comment has in it.".to_owned()
        }
        _ => {
            format!("{MAY_HAVE_ENDED}, and then it cannot be cancelled. {READ_IT}.")
        }
    }
}

fn of_status(status: u16, input: &Input, said: &Said) -> &'static str {
    match status {
        300..=399 => REDIRECTED,
        401 => BAD_TOKEN,
        403 => {
            "Grant the application one of the permissions that allow a cancel (Machine.Isolate, Machine.Scan, \
             Machine.CollectForensics, …) with admin consent, or check MDE_SCOPE."
        }
        404 if input.path_parameters.machineactionid.looks_like_device_id() => {
            "machineactionid has the form of a device id: give the id of the machine action."
        }
        404 => not_found(said),
        409 => {
            "Another call is changing the action, or it has ended. Read its status with `cancel-machine-action get`, then decide."
        }
        425 => {
            "Something between this step and the service sent the request too early on a TLS connection: check any proxy \
             between."
        }
        500..=599 => {
            "The service cannot do this: check MDE_BASE_URL and any proxy in between. Whether the action was cancelled is not \
             known: read its status with `cancel-machine-action get`."
        }
        _ => {
            "The cancel was refused: look at the answer on stdout, then at the action in the portal."
        }
    }
}

/// What helps if the same request may succeed later.
fn later(answer: &Answer) -> String {
    let when = when(answer);
    match answer.status_code {
        429 => format!("The service takes no more calls for now: run the step again {when}."),
        408 => format!("The service did not get the request in time: run the step again {when}."),
        _ => format!(
            "Whether the action was cancelled is not known. {READ_IT}, or cancel it again {when}."
        ),
    }
}

/// Returns the `answer` to a cancel that the service accepted with what people should know of it: that the action `id` had
/// ended before, or that something in between may have answered.
pub(super) fn of_accepted(answer: Answer, id: &MachineActionId) -> Answer {
    match &answer.body {
        Body::Json(json) => match action_state::of(json.get(), id.as_str()) {
            State::Final(verdict) => Answer {
                advice: of_final(verdict, &answer),
                ..answer
            },
            State::Open | State::NotTheAction => answer,
        },
        Body::Text(text) if text.is_empty() => answer,
        Body::Text(_) => Answer {
            is_doubtful: true,
            advice: format!(
                "the cancel was answered with a text that is no machine action: something in between may have answered. Check \
                 MDE_BASE_URL and any proxy in between. {READ_IT}."
            ),
            ..answer
        },
    }
}

/// What the final status of the action in `answer` means and what helps.
pub(super) fn of_final(verdict: Verdict, answer: &Answer) -> String {
    match verdict {
        Verdict::CancelledTooLate => format!(
            "the action was cancelled too late: one of its commands had completed. See json_body.commands, and {REVERSE_IT}."
        ),
        Verdict::AlreadyFinal => {
            let status = answer.json().and_then(action_state::status_in);
            let status = status.unwrap_or_default();
            let remedy = match status.as_str() {
                "Succeeded" => format!("If need be, {REVERSE_IT}."),
                _ => "There is nothing left to cancel.".to_owned(),
            };
            format!(
                "the action was not cancelled, because it had already finished (status {status}). {remedy}"
            )
        }
        Verdict::Cancelled | Verdict::Pending | Verdict::Unverified => String::new(),
    }
}

/// What helps if the action is not final and is not read any more; `was_open` when it was read last, as `stands` shows, and
/// could not be read since because of `obstacle`, if there is one.
pub(super) fn of_unfinished(stands: &Answer, was_open: bool, obstacle: Option<&str>) -> String {
    match (was_open, obstacle) {
        (true, None) => {
            let status = stands.json().and_then(action_state::status_in);
            let status = match status.as_deref() {
                Some(status @ ("Pending" | "InProgress")) => format!(" (status {status})"),
                Some(status) => format!(" (status {status}, which this step does not know)"),
                None => String::new(),
            };
            format!(
                "the service accepted the cancel, but the action was still open when the time of --wait was up{status}; an \
                 offline device keeps it open. {READ_IT} later, or raise --wait."
            )
        }
        (true, Some(obstacle)) => format!(
            "the service accepted the cancel, but whether the action was cancelled is not known: it was open when it was read \
             last, but then: {obstacle}. {READ_IT}."
        ),
        (false, obstacle) => format!(
            "the service accepted the cancel, but whether the action was cancelled is not known: {}. {READ_IT}.",
            obstacle.unwrap_or(NO_TIME)
        ),
    }
}

/// What reading the action has brought after its cancel was refused or lost.
pub(super) fn since(was_open: bool, obstacle: Option<&str>) -> String {
    match (was_open, obstacle) {
        (true, None) => STILL_OPEN.to_owned(),
        (true, Some(obstacle)) => {
            format!("The action was open when it was read after that, but then: {obstacle}.")
        }
        (false, obstacle) => format!(
            "The action could not be read after that: {}.",
            obstacle.unwrap_or(NO_TIME)
        ),
    }
}

/// Returns `message`, of a cancel that was lost, where the action was read after that and is still open: then it is known.
pub(super) fn of_lost_and_open(message: &str) -> String {
    let what = message.replace(&format!(" {}", api::CANCEL.if_lost), "");
    format!("{what} {STILL_OPEN} Cancel it again.")
}

/// What helps if the process was told to stop while the action was watched.
pub(super) fn of_stopped(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pending => {
            "the step was told to stop. When it was read last, the action was still open. Read its status with \
             `cancel-machine-action get`."
        }
        _ => {
            "the step was told to stop before the action could be read: whether it was cancelled is not known. Read its \
             status with `cancel-machine-action get`."
        }
    }
}

/// Why no call is made while so much is `left` of a pause that the service has asked for.
pub(super) fn held_up(left: Duration) -> String {
    format!(
        "the service asks to wait for {} s, and a batch waits for an hour at most",
        whole_seconds(left)
    )
}

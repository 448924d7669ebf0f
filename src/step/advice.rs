//! What an answer means and what helps, for the last line of stderr.

use crate::input::Input;
use crate::output::answer::{Answer, Verdict};

/// What an answer that is no success means and what helps, for the one line on stderr. It does not repeat what the
/// service says, which names the application and the tenant; that is in the answer. `shortcoming` is what the token
/// lacks, where it can be read.
pub(super) fn of_answer(answer: &Answer, input: &Input, shortcoming: Option<&str>) -> String {
    let id = &input.path_parameters.machineactionid;
    let text = match (answer.status_code, shortcoming) {
        (300..=399, _) => {
            "The step follows no redirect, so that the token goes to no other host: set MDE_BASE_URL to the API's own host."
        }
        (400 | 404, _) if id.looks_like_device_id() => {
            "machineactionid has the form of a device id: give the id of the machine action."
        }
        (400, _) => {
            "Check that machineactionid is the GUID of a machine action that is still pending, and that json_body has a Comment."
        }
        (401 | 403, Some(shortcoming)) => shortcoming,
        (401, None) => {
            "The token is not valid for this API: check MDE_SCOPE, MDE_BASE_URL and the tenant."
        }
        (403, None) => {
            "Grant the application one of the permissions that allow a cancel (Machine.Isolate, Machine.Scan, \
             Machine.CollectForensics, …) with admin consent, or check MDE_SCOPE."
        }
        (404, _) => {
            "There is no such machine action in this tenant; one that was just created may take a while to show."
        }
        (409, _) => "The action is being changed by another call: read its status, then try again.",
        (429, _) => "Wait as long as the answer's Retry-After header says, then try again.",
        (500..=599, _) => {
            "Whether the action was cancelled is not known: read its status, or cancel it again shortly."
        }
        _ => "See the answer on stdout.",
    };
    let reason = answer.reason;
    let separator = if reason.is_empty() { "" } else { " " };
    format!(
        "the service answered {}{separator}{reason}. {text}",
        answer.status_code
    )
}

/// What a verdict means and what helps, for the one line on stderr; `obstacle` is why the action could not be read.
pub(super) fn of_verdict(verdict: Verdict, obstacle: &str) -> String {
    match verdict {
        Verdict::Cancelled => "the action was cancelled.".to_owned(),
        Verdict::CancelledTooLate => {
            "the action was cancelled too late: a command of it had completed. See json_body.commands, and undo it by an \
             action of its own."
                .to_owned()
        }
        Verdict::AlreadyFinal => {
            "the action had come to its end before it could be cancelled: see json_body.status, and undo it by an action \
             of its own."
                .to_owned()
        }
        Verdict::Pending => {
            "the action is still open: read its status again, or raise --wait.".to_owned()
        }
        Verdict::Unverified => {
            format!("what became of the action is not known, because it could not be read: {obstacle}")
        }
    }
}

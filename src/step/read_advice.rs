//! What the refusal of a read means and what helps, for the last line of stderr.

use crate::output::answer::Answer;

/// Returns what `answer`, which is no success, means and what helps. `shortcoming` is what the token lacks, where it can be
/// read.
pub(super) fn of_answer(answer: &Answer, shortcoming: Option<&str>) -> String {
    let text = match (answer.status_code, shortcoming) {
        (300..=399, _) => {
            "The step follows no redirect, so that the token goes to no other host: set MDE_BASE_URL to the API's own host."
        }
        (400, _) => {
            "Check that the id is that of a machine action (a GUID), and not of a device; and the values of the filters."
        }
        (401 | 403, Some(shortcoming)) => shortcoming,
        (401, None) => {
            "The token is not valid for this API: check MDE_SCOPE, MDE_BASE_URL and the tenant."
        }
        (403, None) => {
            "Grant the application Machine.Read.All or Machine.ReadWrite.All with admin consent, or check MDE_SCOPE."
        }
        (404, _) => {
            "There is no such machine action in this tenant; one that was just created may take a while to show."
        }
        (408 | 500..=599, _) => "Try again shortly.",
        (429, _) => "Wait as long as the answer's Retry-After header says, then try again.",
        _ => "See the answer on stdout.",
    };
    let reason = answer.reason;
    let separator = if reason.is_empty() { "" } else { " " };
    format!(
        "the service answered {}{separator}{reason}. {text}",
        answer.status_code
    )
}

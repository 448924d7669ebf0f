//! What the refusal of a read means and what helps, for the last line of stderr.

use super::service_message::Said;
use crate::output::answer::Answer;
use crate::output::retry_policy::may_pass;

/// Returns what `answer`, which is no success, means and what helps. `shortcoming` is what the token lacks, where it can be
/// read.
pub(super) fn of_answer(answer: &Answer, said: &Said, shortcoming: Option<&str>) -> String {
    if may_pass(answer.status_code) {
        let when = match answer.retry_after_seconds {
            Some(seconds) => format!("in {seconds} s"),
            None => "in a few minutes".to_owned(),
        };
        return line(answer, said, &format!("Run the step again {when}."));
    }
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
        _ => "See the answer on stdout.",
    };
    line(answer, said, text)
}

fn line(answer: &Answer, said: &Said, text: &str) -> String {
    format!("{}. {text}", said.sentence(answer))
}

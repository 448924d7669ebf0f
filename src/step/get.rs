//! One action, as it is now.

use super::Step;
use super::action_state::{self, State};
use crate::call::api;
use crate::call::send::Run;
use crate::input::MachineActionId;
use crate::output::answer::Answer;
use crate::output::failure::Failure;
use crate::output::log::Log;
use crate::settings::options::Options;
use crate::settings::variables::Reader;
use crate::waiting::deadline::Deadline;
use crate::waiting::interrupt::Interrupt;

/// Reads the action `id`, and returns the service's answer, with an outcome if the action is final.
///
/// # Errors
///
/// There is no answer to give.
pub(crate) fn run(
    id: MachineActionId,
    options: &Options,
    reader: Reader<'_>,
    log: &mut Log<'_>,
) -> Result<Answer, Failure> {
    let deadline = Deadline::after(options.timeout);
    let mut run = Run { deadline, log };
    let mut step = Step::new(options.clone(), reader, Interrupt::default(), &mut run)?;
    let reply = step.call(&api::READ, &mut run, |api, token| {
        api::read(api, &id, token)
    })?;
    let answer = step.answer_to_read(&reply)?;
    if !answer.is_success() {
        return Ok(answer);
    }
    let outcome = match answer
        .json()
        .map(|json| action_state::of(json, id.as_str()))
    {
        Some(State::Final(verdict)) => Some(verdict),
        Some(State::Open) => None,
        Some(State::NotTheAction) | None => {
            run.log.warning(
                "the answer is not the action that was asked for. Check MDE_BASE_URL and any proxy between.",
            );
            None
        }
    };
    Ok(Answer { outcome, ..answer })
}

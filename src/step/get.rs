//! One action, as it is now.

use std::io::Write;

use super::Step;
use super::action_state::{self, State};
use super::advice_on_read::Reads;
use super::interrupted_reads::InterruptedReads;
use crate::call::api;
use crate::call::send::Run;
use crate::input::MachineActionId;
use crate::output::answer::Answer;
use crate::output::exit_status::ExitStatus;
use crate::output::failure::Failure;
use crate::output::log::Log;
use crate::output::outcome::Outcome;
use crate::settings::environment::Reader;
use crate::settings::options::Options;
use crate::waiting::deadline::Deadline;

/// Reads the action `id`, and writes the service's answer, with an outcome if the action is final; indented for a person.
pub(crate) fn run(
    id: &MachineActionId,
    options: &Options,
    reader: Reader<'_>,
    stdout: &mut dyn Write,
    is_indented: bool,
    log: &mut Log<'_>,
) -> ExitStatus {
    let stop = InterruptedReads::new("The action was not read. Run `get` again.");
    // One action can be read without hearing signals: then they end the process as they always do.
    let _listening = stop.listen();
    let answer = read(id, options, reader, &stop, log);
    // Whoever is told to stop meanwhile ends the process, even if nobody reads what is written.
    let mut is_said = stop.pen();
    *is_said = true;
    let stopped = stop.brake.interrupt.status();
    let answer = answer.map_err(|failure| stopped.map_or(failure, |_| stop.failure()));
    match (Outcome(answer).deliver(stdout, is_indented, log), stopped) {
        (ExitStatus::NotWritten, _) => ExitStatus::NotWritten,
        (_, Some(stopped)) => stopped,
        // An action that was only read may be in any state.
        (ExitStatus::NotCancelled, None) => ExitStatus::Accepted,
        (status, None) => status,
    }
}

fn read(
    id: &MachineActionId,
    options: &Options,
    reader: Reader<'_>,
    stop: &InterruptedReads,
    log: &mut Log<'_>,
) -> Result<Answer, Failure> {
    let deadline = Deadline::after(options.timeout());
    log.set_subject(None, Some(id.as_str()));
    let mut run = Run { deadline, log };
    let mut step = Step::new(options.clone(), reader, stop.brake.clone(), &mut run)?;
    step.get(id, &mut run)
}

impl Step {
    /// Reads the action `id`. Returns the service's answer, if there is one, with an outcome if the action is final.
    pub(super) fn get(
        &mut self,
        id: &MachineActionId,
        run: &mut Run<'_, '_>,
    ) -> Result<Answer, Failure> {
        let reply = self.call(&api::READ, run, |api, token| api::read(api, id, token))?;
        let answer = self.answer_to_read(&reply, Reads::OneAction)?;
        if !answer.is_success() {
            return Ok(answer);
        }
        let state = answer
            .json()
            .map(|json| action_state::of(json, id.as_str()));
        let outcome = match state {
            Some(State::Final(verdict)) => Some(verdict),
            Some(State::Open) => None,
            Some(State::NotTheAction) | None => {
                run.log.warning(
                    "the answer is not the action that was asked for. Check MDE_BASE_URL and any proxy in between.",
                );
                None
            }
        };
        Ok(Answer { outcome, ..answer })
    }
}

//! What an agent asks for: one call after the other, each done or given up within its time limit, which `--wait` is a
//! part of.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::Step;
use super::action_state;
use super::allow;
use super::cancel::Cancelled;
use super::interrupted_reads;
use super::line;
use super::verify::{Course, Wait, Watch};
use crate::call::diagnosis;
use crate::call::exchange::Brake;
use crate::call::filter::Filter;
use crate::call::pace::whole_seconds;
use crate::call::send::Run;
use crate::input::{Input, MachineActionId};
use crate::output::actions::Actions;
use crate::output::answer::Answer;
use crate::output::failure::{Failure, FailureCode};
use crate::output::outcome::Outcome;
use crate::settings::environment::Reader;
use crate::settings::options::Options;
use crate::waiting::deadline::Deadline;

/// What is left of the time limit for the look at its end.
const LAST_LOOK: Duration = Duration::from_millis(1500);

/// Who does what an agent asks for.
pub(crate) struct Agent(Step);

impl Agent {
    /// Reads the settings, and fails if they are not usable; `brake` stops it.
    pub(crate) fn new(
        options: &Options,
        reader: Reader<'_>,
        brake: Brake,
        run: &mut Run<'_, '_>,
    ) -> Result<Self, Failure> {
        Step::new(options.paced(), reader, brake, run).map(Self)
    }

    /// Cancels, if it is allowed; with `--wait`, watches the action for as long as the time limit leaves. Fails if
    /// there is no answer to give.
    pub(crate) fn cancel(
        &mut self,
        input: &Input,
        run: &mut Run<'_, '_>,
    ) -> Result<Answer, Failure> {
        self.0.await_turn(run)?;
        let cancelled = self.0.cancel_in_time(input, run);
        let Some(wait) = self.0.wait else {
            return cancelled.answer;
        };
        let id = &input.path_parameters.machineactionid;
        let wait = Wait {
            time: wait.min(run.deadline.remaining().saturating_sub(LAST_LOOK)),
            may_be_late: false,
        };
        let asked = self.0.sender.asked();
        let watch = Watch::begin(id, cancelled, wait, asked, Instant::now());
        self.watch(watch, run)
    }

    /// Looks at the action until it is final or its time is up.
    fn watch(&mut self, mut course: Course, run: &mut Run<'_, '_>) -> Result<Answer, Failure> {
        let interrupt = self.0.sender.interrupt().clone();
        loop {
            let watch = match course {
                Course::Break(answer) => return answer,
                Course::Continue(watch) => watch,
            };
            let now = Instant::now();
            let until_due = watch.due.saturating_duration_since(now);
            let pause = until_due.max(self.0.sender.wait_for_turn());
            if pause >= run.deadline.remaining() {
                let obstacle = "the limits of the service left no room for it in time";
                course = watch.give_up(obstacle.to_owned());
                continue;
            }
            interrupt.wait(pause);
            if interrupt.status().is_some() {
                return watch.conclude_stopped();
            }
            let patience = watch.patience(Instant::now());
            let mut run = Run {
                deadline: Deadline::after(patience.min(run.deadline.remaining())),
                log: run.log,
            };
            let look = self.0.look(&watch.id, &mut run);
            course = watch.see(look, self.0.sender.asked(), Instant::now());
        }
    }

    /// Reads the first actions that `filter` asks for. The error is the answer that refused it, or why there is none.
    pub(crate) fn list(
        &mut self,
        filter: &Filter,
        run: &mut Run<'_, '_>,
    ) -> Result<Actions, Outcome> {
        let actions = self.0.first_actions(filter, run);
        actions.map_err(|Outcome(said)| Outcome(said.map_err(of_a_read)))
    }

    /// Reads the action `id` as it is now; with an outcome if it is final. Fails if there is no answer to give.
    pub(crate) fn get(
        &mut self,
        id: &MachineActionId,
        run: &mut Run<'_, '_>,
    ) -> Result<Answer, Failure> {
        let turn = self.0.await_turn(run);
        let read = turn.and_then(|()| self.0.get(id, run));
        read.map_err(of_a_read)
    }
}

impl Step {
    /// Cancels try by try, each at its turn, as long as the time limit allows it.
    fn cancel_in_time(&mut self, input: &Input, run: &mut Run<'_, '_>) -> Cancelled {
        let mut cancel = self.cancel_of(input.clone());
        loop {
            let pause = match self.go_on_with(&mut cancel, run) {
                ControlFlow::Break(cancelled) => return cancelled,
                ControlFlow::Continue(pause) => pause.max(self.sender.wait_for_turn()),
            };
            let may_go_on = pause < run.deadline.remaining() && self.sender.wait(pause);
            if !may_go_on && cancel.is_begun() {
                return self.give_up_cancel(&mut cancel, run);
            }
            if let Err(failure) = self.await_turn(run) {
                return Cancelled::failed(failure);
            }
        }
    }

    /// Waits until the pace allows a call of the API. Fails if the time limit does not, or the process was told to
    /// stop.
    pub(super) fn await_turn(&self, run: &Run<'_, '_>) -> Result<(), Failure> {
        let (turn, left) = (self.sender.wait_for_turn(), run.deadline.remaining());
        if turn < left {
            let may_go_on = self.sender.wait(turn);
            return may_go_on.then_some(()).ok_or_else(diagnosis::stopped);
        }
        if left.is_zero() {
            let message = "the time limit passed while other calls were made. This one was not begun: make it again.";
            return Err(Failure::new(FailureCode::Timeout, message));
        }
        Err(too_early(whole_seconds(turn), run.deadline))
    }
}

/// The failure of a call whose turn comes in `seconds`, after its `deadline`.
fn too_early(seconds: u64, deadline: Deadline) -> Failure {
    let message = format!(
        "the limits of the service allow the next call in {seconds} s, and the time limit of {} s ends before that. \
         This one was not made. Try again in {seconds} s.",
        deadline.limit().as_secs_f64()
    );
    Failure {
        retry_after_seconds: Some(seconds),
        ..Failure::new(FailureCode::Throttled, message)
    }
}

/// Returns the type of the action `id`, if `answer` is that action, as it may be shown.
pub(crate) fn type_in(answer: &Answer, id: &MachineActionId) -> Option<String> {
    let kind = action_state::type_of(answer.json()?, id.as_str())?;
    allow::is_known(&kind).then_some(kind)
}

/// Returns the failure of a cancel that the end of the process cuts short; `was_sent` if it may have arrived.
pub(crate) fn cut_short(was_sent: bool) -> Failure {
    line::interrupted(was_sent)
}

/// A call that only reads says nothing of a cancel when it is told to stop.
fn of_a_read(failure: Failure) -> Failure {
    match failure.code {
        FailureCode::Interrupted => read_cut_short(),
        _ => failure,
    }
}

/// Returns the failure of a call that only reads, if the end of the process cuts it short.
pub(crate) fn read_cut_short() -> Failure {
    interrupted_reads::failure("Nothing was read. Make the call again.")
}

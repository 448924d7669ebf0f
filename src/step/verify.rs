//! Has it really been cancelled? The action is read until it is final, or the time is up.

use std::time::Duration;

use super::action_state::{self, State};
use super::{Step, advice};
use crate::call::answer;
use crate::call::api;
use crate::call::pace::whole_seconds;
use crate::call::send::Run;
use crate::input::Input;
use crate::output::answer::{Answer, Verdict};
use crate::output::failure::Failure;
use crate::waiting::deadline::Deadline;

/// Reads the action until its status is final or `wait` is over. Returns what was read last; if nothing could be read,
/// what the cancel brought.
pub(super) fn verify(
    step: &mut Step,
    input: &Input,
    cancelled: Result<Answer, Failure>,
    wait: Duration,
    run: &mut Run<'_, '_>,
) -> Result<Answer, Failure> {
    match &cancelled {
        Ok(answer) if !answer.is_success() => run.log.notice(&answer.advice),
        Ok(_) => {}
        Err(failure) => run.log.notice(failure),
    }
    let mut watch = Watch {
        step,
        input,
        deadline: Deadline::after(wait),
        last_read: None,
        obstacle: "there was no time for it. Raise --wait.".to_owned(),
    };
    let mut pause = Duration::ZERO;
    for reads in 1.. {
        if !watch.may_read_after(pause) {
            break;
        }
        match watch.look(run) {
            Look::Final(verdict, answer) => {
                let advice = advice::of_verdict(verdict, "");
                return Ok(with_verdict(answer, verdict, advice));
            }
            Look::Open(answer) => watch.last_read = Some(answer),
            Look::Unknown(obstacle) => watch.obstacle = obstacle,
            Look::Forbidden(obstacle) => {
                watch.obstacle = obstacle;
                break;
            }
        }
        pause = pause_after(reads);
    }
    watch.conclude(cancelled)
}

/// An action that is watched.
struct Watch<'a> {
    step: &'a mut Step,
    input: &'a Input,
    /// When the time is up.
    deadline: Deadline,
    last_read: Option<Answer>,
    /// Why the action could not be read.
    obstacle: String,
}

/// What one read has brought.
enum Look {
    Final(Verdict, Answer),
    Open(Answer),
    /// The action could not be read, and why.
    Unknown(String),
    /// It will not be readable later, and why.
    Forbidden(String),
}

impl Watch<'_> {
    /// Waits for `pause`, or for the turn of the next call. Returns `false` if the time is up first.
    fn may_read_after(&mut self, pause: Duration) -> bool {
        let sender = &self.step.sender;
        if let Some(left) = sender.held_up() {
            self.obstacle = format!(
                "the service asks to wait for {} s, and a batch waits for an hour at most. Read its status after that.",
                whole_seconds(left)
            );
            return false;
        }
        let pause = pause.max(sender.wait_for_turn());
        if pause >= self.deadline.remaining() {
            return false;
        }
        sender.interrupt().wait(pause);
        sender.interrupt().status().is_none()
    }

    fn look(&mut self, run: &mut Run<'_, '_>) -> Look {
        let mut run = Run {
            deadline: self.deadline,
            log: run.log,
        };
        let read = self.step.call(&api::READ, self.input, &mut run);
        let answer = match read.and_then(|reply| answer::of(&reply.received)) {
            Ok(answer) => answer,
            Err(failure) => return Look::Unknown(failure.with_causes()),
        };
        let status = answer.status_code;
        if matches!(status, 401 | 403) {
            return Look::Forbidden(format!(
                "reading it was answered with status {status}. Grant Machine.Read.All or Machine.ReadWrite.All with admin \
                 consent."
            ));
        }
        let id = self.input.path_parameters.machineactionid.as_str();
        let state = match answer.json() {
            Some(json) if answer.is_success() => action_state::of(json, id),
            _ => State::NotTheAction,
        };
        match state {
            State::Final(verdict) => Look::Final(verdict, answer),
            State::Open => Look::Open(answer),
            State::NotTheAction => Look::Unknown(format!(
                "reading it was answered with status {status}, but not with the action. Look at it in the portal."
            )),
        }
    }

    /// Returns what is known when the time is up.
    fn conclude(self, cancelled: Result<Answer, Failure>) -> Result<Answer, Failure> {
        let (answer, verdict) = match self.last_read {
            Some(answer) => (answer, Verdict::Pending),
            None => (cancelled?, Verdict::Unverified),
        };
        let advice = advice::of_verdict(verdict, &self.obstacle);
        Ok(with_verdict(answer, verdict, advice))
    }
}

fn with_verdict(answer: Answer, verdict: Verdict, advice: String) -> Answer {
    Answer {
        outcome: Some(verdict),
        advice,
        ..answer
    }
}

/// How long to wait before the action is read for the `reads + 1`-th time: growing, so that long waits cost few calls.
fn pause_after(reads: u32) -> Duration {
    const FIRST: Duration = Duration::from_millis(500);
    const LONGEST: Duration = Duration::from_secs(15);
    FIRST
        .saturating_mul(2_u32.saturating_pow(reads.saturating_sub(1)))
        .min(LONGEST)
}

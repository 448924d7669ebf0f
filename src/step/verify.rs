//! Has it really been cancelled? An action is looked at until its status is final or the time is up: pure, what was read
//! and the clock are handed in.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::action_state::{self, State};
use super::advice_on_cancel;
use super::cancel::Cancelled;
use crate::call::pace::{LONGEST_PAUSE, whole_seconds};
use crate::input::MachineActionId;
use crate::output::answer::{Answer, Verdict};
use crate::output::failure::{Failure, RequestSent};
use crate::output::retry_policy::may_pass;

/// The longest pause between two looks at an action.
const LONGEST_INTERVAL: Duration = Duration::from_secs(15);
/// The first pause; it doubles from look to look, so that long waits cost few calls.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// By how much the look at the end may be late: a pause is asked for in whole seconds.
const SLACK: Duration = Duration::from_millis(200);
/// How long the look at the end may take, after the time is up.
const LAST_LOOK: Duration = Duration::from_millis(1300);
/// How often the look at the end is made if it brings nothing, and the pause before it is made again.
const MAX_LAST_LOOKS: u32 = 3;
const AGAIN: Duration = Duration::from_millis(250);
/// How long any look may take: a connection that hangs must not use up the time of the others.
const LONGEST_LOOK: Duration = Duration::from_secs(10);

/// What one look has brought.
pub(super) enum Look {
    /// An answer, and the state of the action by it.
    Read(Answer, State),
    /// The action may not be read, now or later; and why.
    Forbidden(String),
    /// The action could not be read; and why.
    Failed(String),
}

impl Look {
    /// Whether it has brought the state of the action.
    pub(super) fn has_read(&self) -> bool {
        matches!(self, Self::Read(_, State::Final(_) | State::Open))
    }
}

/// An action that is watched.
pub(super) struct Watch {
    pub(super) id: MachineActionId,
    /// The document that stands if the action is not final when the time is up.
    pub(super) stands: Result<Answer, Failure>,
    /// Whether the service accepted the cancel.
    was_accepted: bool,
    /// What helps if its cancel was refused and it is open all the same; empty if that changes nothing.
    advice_if_open: String,
    /// How it had ended before the cancel, by the cancel's own answer, until a look shows something else.
    ended: Option<Verdict>,
    /// Whether it was read, and was open.
    is_open: bool,
    /// Why it could not be read, the last time.
    obstacle: Option<String>,
    looks: u32,
    /// How many looks were made when the time was up.
    last_looks: u32,
    pub(super) due: Instant,
    /// When it is looked at for the last time.
    until: Instant,
    /// When the time is up.
    end: Instant,
    /// Whether the last look may come later than that, if the service asks for a pause.
    may_be_late: bool,
}

/// How long actions are watched.
#[derive(Clone, Copy)]
pub(super) struct Wait {
    pub(super) time: Duration,
    /// Whether the last look may come later, if the service asks for a pause: in a batch, all wait for it anyway.
    pub(super) may_be_late: bool,
}

/// What a watched action comes to: watched further, or what there is to say of it.
pub(super) type Course = ControlFlow<Result<Answer, Failure>, Watch>;

impl Watch {
    /// Watches the action `id` from `now` on, for as long as `wait`, after its cancel has brought `cancelled`; the service
    /// has `asked` to be left alone for so long. A cancel that surely changed nothing is looked at once: waiting would
    /// change nothing either.
    pub(super) fn begin(
        id: &MachineActionId,
        cancelled: Cancelled,
        wait: Wait,
        asked: Duration,
        now: Instant,
    ) -> Course {
        let Cancelled {
            answer: stands,
            follows_lost,
            advice_if_open,
        } = cancelled;
        let is_surely_refused = match &stands {
            Err(failure) if failure.request_sent == RequestSent::No => {
                return ControlFlow::Break(stands);
            }
            Err(_) => false,
            Ok(answer) => !follows_lost && is_surely_refused(answer.status_code),
        };
        let end = now + wait.time;
        let watch = Self {
            id: id.clone(),
            was_accepted: matches!(&stands, Ok(answer) if answer.is_success()),
            advice_if_open,
            ended: stands
                .as_ref()
                .ok()
                .and_then(|answer| action_state::ended(answer, id)),
            stands,
            is_open: false,
            obstacle: None,
            looks: 0,
            last_looks: 0,
            due: now,
            until: if is_surely_refused { now } else { end },
            end,
            may_be_late: wait.may_be_late,
        };
        watch.after(Duration::ZERO, asked, now)
    }

    /// How long a look that begins `now` may take.
    pub(super) fn patience(&self, now: Instant) -> Duration {
        let least = match self.may_be_late {
            true => LAST_LOOK,
            false => Duration::ZERO,
        };
        let left = (self.end + LAST_LOOK).saturating_duration_since(now);
        left.clamp(least, LONGEST_LOOK)
    }

    /// How much later than the end of the time it is.
    pub(super) fn lateness(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.end)
    }

    /// Notes what a look has brought that ended `now`; the service has `asked` to be left alone for so long.
    pub(super) fn see(mut self, look: Look, mut asked: Duration, now: Instant) -> Course {
        self.looks += 1;
        let may_pass = match look {
            Look::Read(answer, State::Final(verdict)) => {
                return ControlFlow::Break(Ok(Answer {
                    outcome: Some(verdict),
                    advice: advice_on_cancel::of_final(verdict, &answer),
                    ..answer
                }));
            }
            Look::Read(answer, State::Open) => {
                (self.is_open, self.ended, self.obstacle) = (true, None, None);
                if self.was_accepted {
                    self.stands = Ok(answer);
                }
                false
            }
            Look::Read(answer, State::NotTheAction) => {
                self.obstacle = Some(match answer.is_success() {
                    true => "the status read returned something else than the action".to_owned(),
                    false => format!("the status read returned {}", answer.status_code),
                });
                let seconds = answer.retry_after_seconds.unwrap_or_default();
                asked = asked.max(Duration::from_secs(seconds));
                may_pass(answer.status_code)
            }
            Look::Failed(obstacle) => {
                self.obstacle = Some(obstacle);
                true
            }
            Look::Forbidden(obstacle) => return self.give_up(obstacle),
        };
        if now >= self.until {
            return self.after_the_last(may_pass, asked, now);
        }
        let doublings = self.looks.saturating_sub(1);
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(doublings));
        self.after(pause.min(LONGEST_INTERVAL), asked, now)
    }

    /// The last look is made again if it brought nothing, but that may pass while there is time for it.
    fn after_the_last(mut self, may_pass: bool, asked: Duration, now: Instant) -> Course {
        self.last_looks += 1;
        let pause = AGAIN.max(asked);
        let has_time = match self.may_be_late {
            // Each such pause holds up all lines.
            true => asked.is_zero(),
            false => now + pause < self.end + LAST_LOOK,
        };
        if !may_pass || !has_time || self.last_looks >= MAX_LAST_LOOKS {
            return ControlFlow::Break(self.conclude());
        }
        self.due = now + pause;
        ControlFlow::Continue(self)
    }

    /// Ends the watch because the action cannot be read any more; and why.
    pub(super) fn give_up(mut self, obstacle: String) -> Course {
        self.obstacle = Some(obstacle);
        ControlFlow::Break(self.conclude())
    }

    /// The next look follows after `pause`, and no sooner than `asked`; the last one at the end of the time.
    fn after(mut self, pause: Duration, asked: Duration, now: Instant) -> Course {
        let left = self.end.saturating_duration_since(now);
        match self.may_be_late {
            true if asked > LONGEST_PAUSE => return self.give_up(advice_on_cancel::held_up(asked)),
            false if asked > left + SLACK => {
                return self.give_up(format!(
                    "the service asks to wait for {} s, and only {:.0} s of --wait were left",
                    whole_seconds(asked),
                    left.as_secs_f64()
                ));
            }
            _ => {}
        }
        let pause = pause.min(self.until.saturating_duration_since(now));
        self.due = now + pause.max(asked);
        ControlFlow::Continue(self)
    }

    /// Returns what is known when the time is up, or the action cannot be read any more.
    fn conclude(self) -> Result<Answer, Failure> {
        let verdict = match &self.obstacle {
            // It may have ended since it was read.
            Some(_) if self.is_open => Verdict::Unverified,
            _ => self.verdict_so_far(),
        };
        let obstacle = self.obstacle.as_deref();
        let advice = match &self.stands {
            Ok(answer) => advice_on_cancel::of_unfinished(answer, self.is_open, obstacle),
            Err(_) => String::new(),
        };
        self.with(verdict, advice)
    }

    /// Returns what is known when the process is told to stop.
    pub(super) fn conclude_stopped(self) -> Result<Answer, Failure> {
        let verdict = self.verdict_so_far();
        self.with(verdict, advice_on_cancel::of_stopped(verdict).to_owned())
    }

    fn verdict_so_far(&self) -> Verdict {
        match self.ended {
            Some(verdict) => verdict,
            None if self.is_open => Verdict::Pending,
            None => Verdict::Unverified,
        }
    }

    /// The document that stands, with the verdict. If the cancel itself was refused or lost, that is what is told first.
    fn with(self, verdict: Verdict, advice: String) -> Result<Answer, Failure> {
        let is_open = self.is_open && self.obstacle.is_none();
        let since = advice_on_cancel::since(self.is_open, self.obstacle.as_deref());
        match self.stands {
            Ok(answer) => Ok(Answer {
                outcome: Some(verdict),
                advice: match answer.is_success() {
                    true if self.ended.is_some() => answer.advice,
                    true => advice,
                    false if is_open && !self.advice_if_open.is_empty() => self.advice_if_open,
                    false => format!("{} {since}", answer.advice),
                },
                ..answer
            }),
            Err(failure) => Err(Failure {
                outcome: Some(verdict),
                message: match is_open {
                    true => advice_on_cancel::of_lost_and_open(&failure.message),
                    false => format!("{} {since}", failure.message),
                },
                ..failure
            }),
        }
    }
}

/// Whether the service has refused for a reason that leaves no doubt: the cancel changed nothing, and the action may go
/// on for long.
fn is_surely_refused(status: u16) -> bool {
    !(200..300).contains(&status) && !matches!(status, 400 | 408 | 409 | 429 | 500..=599)
}

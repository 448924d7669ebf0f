//! Has it really been cancelled? An action is looked at until its status is final or the time is up: pure, what was read
//! and the clock are handed in.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::action_state::State;
use super::advice;
use crate::call::pace::whole_seconds;
use crate::input::MachineActionId;
use crate::output::answer::{Answer, Verdict};
use crate::output::failure::{Failure, RequestSent};

/// The longest pause between two looks at an action.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// The first pause; it doubles from look to look, so that long waits cost few calls.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// How long the look at the end may take, after the time is up.
const LAST_LOOK: Duration = Duration::from_millis(1300);
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
    id: MachineActionId,
    /// The document that stands if the action is not final when the time is up.
    stands: Result<Answer, Failure>,
    /// Whether the service accepted the cancel.
    was_accepted: bool,
    /// Whether it was read, and was open.
    is_open: bool,
    /// Why it could not be read.
    obstacle: String,
    looks: u32,
    due: Instant,
    until: Instant,
}

/// What a watched action comes to: watched further, or what there is to say of it.
pub(super) type Course = ControlFlow<Result<Answer, Failure>, Watch>;

impl Watch {
    /// Watches the action `id` from `now` on, for as long as `wait`, after its cancel has brought `cancelled`; the service
    /// has `asked` to be left alone for so long. A cancel that surely changed nothing is looked at once: waiting would
    /// change nothing either.
    pub(super) fn begin(
        id: &MachineActionId,
        cancelled: Result<Answer, Failure>,
        follows_lost: bool,
        wait: Duration,
        asked: Duration,
        now: Instant,
    ) -> Course {
        let was_accepted = matches!(&cancelled, Ok(answer) if answer.is_success());
        let wait = match &cancelled {
            Err(failure) if failure.request_sent == RequestSent::No => {
                return ControlFlow::Break(cancelled);
            }
            Ok(answer) if !follows_lost && is_surely_refused(answer.status_code) => Duration::ZERO,
            _ => wait,
        };
        let watch = Self {
            id: id.clone(),
            stands: cancelled,
            was_accepted,
            is_open: false,
            obstacle: "there was no time to read it".to_owned(),
            looks: 0,
            due: now,
            until: now + wait,
        };
        watch.after(Duration::ZERO, asked, now)
    }

    /// When it is to be looked at.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// The action's id.
    pub(super) fn id(&self) -> &MachineActionId {
        &self.id
    }

    /// The document that stands so far.
    pub(super) fn stands(&self) -> &Result<Answer, Failure> {
        &self.stands
    }

    /// How long a look that begins `now` may take.
    pub(super) fn patience(&self, now: Instant) -> Duration {
        (self.until.saturating_duration_since(now) + LAST_LOOK).min(LONGEST_LOOK)
    }

    /// Notes what a look has brought that ended `now`; the service has `asked` to be left alone for so long.
    pub(super) fn see(mut self, look: Look, asked: Duration, now: Instant) -> Course {
        self.looks += 1;
        match look {
            Look::Read(answer, State::Final(verdict)) => {
                return ControlFlow::Break(Ok(Answer {
                    outcome: Some(verdict),
                    advice: advice::of_verdict(verdict),
                    ..answer
                }));
            }
            Look::Read(answer, State::Open) => {
                self.is_open = true;
                if self.was_accepted {
                    self.stands = Ok(answer);
                }
            }
            Look::Read(answer, State::NotTheAction) => {
                self.obstacle = match answer.is_success() {
                    true => "the status read returned something else than the action".to_owned(),
                    false => format!("the status read returned {}", answer.status_code),
                };
            }
            Look::Failed(obstacle) => self.obstacle = obstacle,
            Look::Forbidden(obstacle) => return self.give_up(obstacle),
        }
        if now >= self.until {
            return ControlFlow::Break(self.conclude());
        }
        let doublings = self.looks.saturating_sub(1);
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(doublings));
        self.after(pause.min(LONGEST_PAUSE), asked, now)
    }

    /// Ends the watch because the action cannot be read any more; and why.
    pub(super) fn give_up(mut self, obstacle: String) -> Course {
        self.obstacle = obstacle;
        ControlFlow::Break(self.conclude())
    }

    /// The next look follows after `pause`, and no sooner than `asked`; the last one at the end of the time.
    fn after(mut self, pause: Duration, asked: Duration, now: Instant) -> Course {
        let left = self.until.saturating_duration_since(now);
        if asked > left && !asked.is_zero() {
            return self.give_up(format!(
                "the service asks to wait for {} s, and only {} s of --wait were left",
                whole_seconds(asked),
                left.as_secs()
            ));
        }
        self.due = now + pause.max(asked).min(left);
        ControlFlow::Continue(self)
    }

    /// Returns what is known when the time is up.
    fn conclude(self) -> Result<Answer, Failure> {
        let advice = advice::of_unfinished(self.verdict(), &self.obstacle);
        self.with(advice)
    }

    /// Returns what is known when the process is told to stop.
    pub(super) fn conclude_stopped(self) -> Result<Answer, Failure> {
        let advice = advice::of_stopped(self.verdict()).to_owned();
        self.with(advice)
    }

    fn verdict(&self) -> Verdict {
        match self.is_open {
            true => Verdict::Pending,
            false => Verdict::Unverified,
        }
    }

    /// The document that stands, with the verdict. If the cancel itself was refused or lost, that is what is told first.
    fn with(self, advice: String) -> Result<Answer, Failure> {
        let verdict = self.verdict();
        let since = match verdict {
            Verdict::Pending => "The action was read after that, and is still open.".to_owned(),
            _ => format!(
                "The action could not be read after that: {}.",
                self.obstacle
            ),
        };
        match self.stands {
            Ok(answer) => Ok(Answer {
                outcome: Some(verdict),
                advice: match answer.is_success() {
                    true => advice,
                    false => format!("{} {since}", answer.advice),
                },
                ..answer
            }),
            Err(failure) => Err(Failure {
                outcome: Some(verdict),
                message: format!("{} {since}", failure.message),
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

//! A call is sent until its answer stands, or the time is up.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use ureq::http::Request;

use crate::call::diagnosis;
use crate::call::exchange::{Brake, Client};
use crate::call::pace::{LONGEST_PAUSE, Pacer};
use crate::call::received::{self, Received};
use crate::call::tries::Tries;
use crate::call::{Call, Network};
use crate::output::failure::Failure;
use crate::output::log::Log;
use crate::waiting::deadline::Deadline;
use crate::waiting::interrupt::Interrupt;

/// What a try takes at least: a connection, a handshake and an answer over a long way.
const LEAST_TRY: Duration = Duration::from_millis(250);
/// A try that took longer may have met with a passing trouble.
const LONGEST_TRY: Duration = Duration::from_secs(1);

/// One run of the step, as far as whoever works for it must know.
pub(crate) struct Run<'a, 'log> {
    /// Until when it may take.
    pub(crate) deadline: Deadline,
    /// Where it says what people should know.
    pub(crate) log: &'a mut Log<'log>,
}

/// The answer that stands, and the tries that it took.
pub(crate) struct Sent {
    pub(crate) received: Received,
    pub(crate) tries: Tries,
}

/// A try has failed, and another may help.
pub(crate) struct Again {
    /// How long is waited before it.
    pub(crate) pause: Duration,
    /// What stands if there is no other.
    pub(crate) so_far: Result<Received, Failure>,
}

/// Makes calls, one at a time, each until its deadline.
pub(crate) struct Sender {
    client: Client,
    /// The pace of all calls of the API: its limits are those of the application as a whole.
    pacer: Pacer,
    /// The longest pause that is waited for; one request knows no other bound than its deadline.
    longest_pause: Duration,
}

impl Sender {
    /// Returns a sender that uses `network`, or that asks the embedded Defender and touches no network; `brake` stops it.
    pub(crate) fn new(network: Network, sandbox: bool, brake: Brake) -> Self {
        Self {
            client: Client::new(network, sandbox, brake),
            // One request needs no pace, but heeds what the service asks for.
            pacer: Pacer::new(0, 0),
            longest_pause: Duration::MAX,
        }
    }

    /// Paces all further calls, as a batch must: so many in a minute and in an hour, 0 being no limit. From now on no
    /// pause of more than [`LONGEST_PAUSE`] is waited for.
    pub(crate) fn pace(&mut self, per_minute: u32, per_hour: u32) {
        self.pacer = Pacer::new(per_minute, per_hour);
        self.longest_pause = LONGEST_PAUSE;
    }

    /// Returns how long a call of the API that is ready now has to wait for its turn.
    pub(crate) fn wait_for_turn(&self) -> Duration {
        self.pacer.wait(Instant::now())
    }

    /// Returns what is left of a pause that the API has asked for, if that is longer than is waited for.
    pub(crate) fn held_up(&self) -> Option<Duration> {
        let left = self.pacer.asked(Instant::now());
        (left > self.longest_pause).then_some(left)
    }

    /// Returns what is left of a pause that the API has asked for.
    pub(crate) fn asked(&self) -> Duration {
        self.pacer.asked(Instant::now())
    }

    /// Returns what cuts the waiting short.
    pub(crate) fn interrupt(&self) -> &Interrupt {
        self.client.interrupt()
    }

    /// Sends `request` and reads its whole answer; tries again where that may help and the deadline allows. Fails if
    /// there is no answer, or only a part of one.
    pub(crate) fn send(
        &mut self,
        call: &'static Call,
        request: &Request<Vec<u8>>,
        run: &mut Run<'_, '_>,
    ) -> Result<Sent, Failure> {
        let mut tries = Tries::begin();
        loop {
            let outcome = match self.try_once(call, request, run, &mut tries) {
                ControlFlow::Break(outcome) => outcome,
                ControlFlow::Continue(again) => {
                    if self.wait(again.pause) {
                        continue;
                    }
                    self.conclude(again.so_far, &tries)
                }
            };
            return outcome.map(|received| Sent { received, tries });
        }
    }

    /// Makes one try. Breaks with what stands; otherwise another try may help, and the deadline allows it.
    pub(crate) fn try_once(
        &mut self,
        call: &'static Call,
        request: &Request<Vec<u8>>,
        run: &mut Run<'_, '_>,
        tries: &mut Tries,
    ) -> ControlFlow<Result<Received, Failure>, Again> {
        if tries.count() == 0 && self.interrupt().status().is_some() {
            return ControlFlow::Break(Err(diagnosis::stopped()));
        }
        let begun = Instant::now();
        if call.is_of_the_api {
            self.pacer.called(begun);
        }
        let outcome = self
            .client
            .exchange(call, request, run.deadline, tries.may_have_arrived);
        tries.note(call, &outcome);
        let Some(pause) = self.pause(call, &outcome, tries) else {
            return ControlFlow::Break(self.conclude(outcome, tries));
        };
        // No try begins that cannot end in time; it may be faster than the last one, or slower.
        let needed = pause.saturating_add(begun.elapsed().clamp(LEAST_TRY, LONGEST_TRY));
        if needed >= run.deadline.remaining() {
            return ControlFlow::Break(self.conclude(outcome, tries));
        }
        if !pause.is_zero() {
            run.log.notice(format_args!(
                "attempt {} of {} failed ({}); retrying in {:.1} s.",
                tries.count(),
                call.name,
                tries.last(),
                pause.as_secs_f64()
            ));
        }
        ControlFlow::Continue(Again {
            pause,
            so_far: outcome,
        })
    }

    /// Returns `outcome` as what stands after all `tries`.
    pub(crate) fn conclude(
        &self,
        outcome: Result<Received, Failure>,
        tries: &Tries,
    ) -> Result<Received, Failure> {
        outcome.map_err(|failure| match self.interrupt().status() {
            Some(_) => tries.explain(diagnosis::told_to_stop(failure)),
            None => tries.explain(failure),
        })
    }

    /// Waits for `pause`. Returns `false` if the process was told to stop.
    pub(crate) fn wait(&self, pause: Duration) -> bool {
        if !pause.is_zero() {
            self.interrupt().wait(pause);
        }
        self.interrupt().status().is_none()
    }

    /// Returns how long to wait before the next try of `call`, after the last of `tries` ended in `outcome`; `None` if
    /// that stands.
    fn pause(
        &mut self,
        call: &Call,
        outcome: &Result<Received, Failure>,
        tries: &mut Tries,
    ) -> Option<Duration> {
        self.heed(call, outcome);
        if self.interrupt().status().is_some() {
            return None;
        }
        let was_on_kept_connection = self.client.was_on_kept_connection();
        let pause = tries.next(call, outcome, was_on_kept_connection, self.longest_pause)?;
        match call.is_of_the_api {
            true => Some(pause.max(self.wait_for_turn())),
            false => Some(pause),
        }
    }

    /// Heeds a pause that the API asks for: whatever becomes of this call, the next ones wait, too.
    fn heed(&mut self, call: &Call, outcome: &Result<Received, Failure>) {
        if let Ok(received) = outcome
            && call.is_of_the_api
            && matches!(received.status.as_u16(), 429 | 503)
            && let Some(seconds) = received::retry_after_seconds(received)
        {
            let asked = Duration::from_secs(seconds);
            self.pacer.pause(Instant::now(), asked);
        }
    }
}

//! How the process is stopped: whoever hears the signal says what is known of what is in hand.

use std::sync::mpsc::SyncSender;
use std::time::Duration;

use super::in_hand::InHand;
use super::work::Event;
use crate::output::exit_status::ExitStatus;
use crate::output::log::Log;
use crate::waiting::deadline::Deadline;
use crate::waiting::interrupt::Interrupt;
use crate::waiting::signals;
use crate::waiting::sink::Output;

/// How long one line of the last words may wait for a reader of stderr.
const PATIENCE: Duration = Duration::from_millis(20);

/// How the process is stopped.
pub(super) struct InterruptedCancels {
    pub(super) interrupt: Interrupt,
    pub(super) in_hand: InHand,
    /// Wakes a batch that waits for its next line.
    pub(super) events: Option<SyncSender<Event>>,
}

impl signals::InHand for InterruptedCancels {
    fn stop(&mut self, status: ExitStatus) -> bool {
        self.interrupt.stop(status);
        if let Some(events) = &self.events {
            // It may be full: whoever reads it next sees the interrupt anyway.
            let _ = events.try_send(None);
        }
        self.in_hand.close_brake()
    }

    fn break_off(&mut self) {
        self.in_hand.break_off();
    }

    fn say_what_is_known(&mut self, deadline: Deadline) {
        let mut stderr = Output::never_blocking(rustix::stdio::stderr(), PATIENCE);
        let mut log = Log::new(&mut stderr, false);
        let Some(mut lines) = self.in_hand.lock_until(deadline) else {
            log.error(
                "told to stop. What is known could not be written, because nobody reads stdout. Read the status of each \
                 action with `cancel-machine-action get`, or cancel it again.",
            );
            return;
        };
        if !lines.is_over() {
            let mut stdout = Output::never_blocking(rustix::stdio::stdout(), deadline.remaining());
            // That it failed is said.
            let _ = lines.write_last(&mut stdout, &mut log, self.events.is_some());
        }
    }
}

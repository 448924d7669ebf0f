//! How the process is stopped: whoever hears the signal says what is known of what is in hand.

use std::sync::mpsc::SyncSender;

use super::in_hand::InHand;
use super::work::Event;
use crate::output::exit_status::ExitStatus;
use crate::output::log::Log;
use crate::waiting::deadline::Deadline;
use crate::waiting::signals;
use crate::waiting::sink::Output;

/// How the process is stopped.
pub(super) struct InterruptedCancels {
    pub(super) in_hand: InHand,
    /// Wakes a batch that waits for its next line.
    pub(super) events: Option<SyncSender<Event>>,
}

impl signals::InHand for InterruptedCancels {
    fn stop(&mut self, status: ExitStatus) -> bool {
        let may_end = self.in_hand.brake.stop(status);
        if let Some(events) = &self.events {
            // It may be full: whoever reads it next sees the interrupt anyway.
            let _ = events.try_send(None);
        }
        may_end
    }

    fn break_off(&mut self) {
        self.in_hand.brake.break_off();
    }

    fn say_what_is_known(&mut self, deadline: Deadline, log: &mut Log<'_>) {
        let Some(mut lines) = self.in_hand.lock_until(deadline) else {
            log.error(
                "told to stop. What is known could not be written, because nobody reads stdout. Read the status of each \
                 action with `cancel-machine-action get`, or cancel it again.",
            );
            return;
        };
        if !lines.is_over {
            let mut stdout = Output::never_blocking(rustix::stdio::stdout(), deadline.remaining());
            // That it failed is said.
            let _ = lines.write_last(&mut stdout, log, self.events.is_some());
        }
    }
}

//! How the process is stopped: whoever hears the signal says what is known if nobody else can.

use std::sync::mpsc::SyncSender;

use super::Event;
use super::queue::Queue;
use crate::output::exit_status::ExitStatus;
use crate::output::log::Log;
use crate::waiting::deadline::Deadline;
use crate::waiting::signals;

/// How the process is stopped.
pub(super) struct InterruptedCalls {
    pub(super) queue: Queue,
    pub(super) events: SyncSender<Event>,
}

impl signals::InHand for InterruptedCalls {
    fn stop(&mut self, status: ExitStatus) -> bool {
        let may_end = self.queue.stop(status);
        // It may be full: whoever reads it next sees that the process is to stop.
        let _ = self.events.try_send(Event::Stop);
        may_end
    }

    fn break_off(&mut self) {
        self.queue.break_off();
        let _ = self.events.try_send(Event::Stop);
    }

    fn say_what_is_known(&mut self, _: Deadline, log: &mut Log<'_>) {
        if self.queue.is_said() {
            return;
        }
        let in_hand = match (self.queue.is_busy(), self.queue.was_sent()) {
            (false, _) => "",
            (true, true) => " A call was in hand, whose cancel was sent.",
            (true, false) => " A call was in hand, for which no cancel was sent.",
        };
        log.error(format_args!(
            "told to stop. What is known could not be written, because nobody reads stdout.{in_hand}"
        ));
    }
}

//! What is watched is looked at when it is due.

use std::time::{Duration, Instant};

use super::{Work, key};
use crate::call::send::Run;
use crate::output::log::Log;
use crate::step::advice_on_cancel::held_up;
use crate::step::line::Number;
use crate::waiting::deadline::Deadline;

/// How long a look is put off if there is no room for what it may bring.
const POSTPONED: Duration = Duration::from_millis(250);

impl Work {
    /// Looks at the watched action of the line with this `number`.
    pub(super) fn look(&mut self, number: Number, log: &mut Log<'_>) {
        let mut lines = self.in_hand.lock();
        let (Some(watch), Ok(step)) = (lines.watched(number), &mut self.step) else {
            return;
        };
        let now = Instant::now();
        if !lines.may_look(number) {
            self.schedule.add(key(number), now + POSTPONED);
            return;
        }
        let (id, patience, late) = (watch.id.clone(), watch.patience(now), watch.lateness(now));
        lines.tally.report_late(late, log);
        drop(lines);
        log.set_subject(number, Some(id.as_str()));
        let seen = match step.sender.held_up() {
            Some(left) => Err(held_up(left)),
            None => {
                let deadline = Deadline::after(patience);
                Ok(step.look(&id, &mut Run { deadline, log }))
            }
        };
        log.set_subject(None, None);
        // Whoever is told to stop concludes from what was known before.
        if self.in_hand.brake.interrupt.status().is_some()
            && !matches!(&seen, Ok(look) if look.has_read())
        {
            return;
        }
        let (asked, now) = (step.sender.asked(), Instant::now());
        let due = self.in_hand.lock().update(number, |watch| match seen {
            Ok(look) => watch.see(look, asked, now),
            Err(obstacle) => watch.give_up(obstacle),
        });
        if let Some(due) = due {
            self.schedule.add(key(number), due);
        }
    }
}

//! Many requests, one a line: each line of input gets a line of output, in its order, as soon as it is known.

use std::io::{self, Write};
use std::num::NonZeroU64;
use std::sync::mpsc::{self, SyncSender};
use std::thread;

use super::Step;
use super::in_hand::InHand;
use super::interrupted_cancels::InterruptedCancels;
use super::tally::Tally;
use super::work::{Event, Work};
use crate::call::send::Run;
use crate::input::lines::Lines;
use crate::input::source::Source;
use crate::output::exit_status::ExitStatus;
use crate::output::failure::Failure;
use crate::output::log::Log;
use crate::settings::environment::Reader;
use crate::settings::options::Options;
use crate::waiting::deadline::Deadline;
use crate::waiting::signals;

/// Runs the step for each line of `source`; gives the worst status. Fails if the source cannot be opened.
pub(crate) fn run(
    source: Source,
    options: Options,
    reader: Reader<'_>,
    stdout: &mut dyn Write,
    log: &mut Log<'_>,
) -> Result<ExitStatus, Failure> {
    let deadline = Deadline::after(options.timeout());
    let timeout = options.timeout();
    let in_hand = InHand::new(Tally::new(), false);
    let mut run = Run { deadline, log };
    let step = Step::new(options, reader, in_hand.brake.clone(), &mut run);
    let (sender, events) = mpsc::sync_channel(1);
    let listening = signals::listen(InterruptedCancels {
        in_hand: in_hand.clone(),
        events: Some(sender.clone()),
    });
    let _listening = listening.map_err(|error| without_means("signals cannot be heard", &error))?;
    read_ahead(source, sender)?;
    let work = Work::new(step, in_hand, timeout).each_of(events);
    Ok(work.run(stdout, log))
}

/// A batch reads ahead in one thread and hears signals in another; without them it could not be stopped.
fn without_means(what: &str, error: &io::Error) -> Failure {
    Failure::without_means(what, ", or do without --batch", error)
}

/// Reads the lines in a thread, no more than one ahead.
fn read_ahead(source: Source, events: SyncSender<Event>) -> Result<(), Failure> {
    let name = source.name();
    let lines = Lines::of(source)?;
    let event = |(number, line)| NonZeroU64::new(number).map(|number| (number, line));
    thread::Builder::new()
        .spawn(move || {
            for event in lines.map(event).chain([None]) {
                // Nobody listens any more if the batch was stopped.
                if events.send(event).is_err() {
                    return;
                }
            }
        })
        .map(drop)
        .map_err(|error| without_means(&format!("{name} cannot be read"), &error))
}

//! One request.

use std::io::Write;

use super::Step;
use super::in_hand::InHand;
use super::interrupted_cancels::InterruptedCancels;
use super::line::State;
use super::tally::Tally;
use super::work::Work;
use crate::call::exchange::Brake;
use crate::call::send::Run;
use crate::input::Input;
use crate::input::source::Source;
use crate::input::validate::validate;
use crate::output::exit_status::ExitStatus;
use crate::output::failure::Failure;
use crate::output::log::Log;
use crate::settings::environment::Reader;
use crate::settings::options::Options;
use crate::waiting::deadline::Deadline;
use crate::waiting::signals;

/// Reads the request from `source`, makes the call, and writes what it comes to; indented for a person.
pub(crate) fn run(
    source: Source,
    options: Options,
    reader: Reader<'_>,
    stdout: &mut dyn Write,
    is_indented: bool,
    log: &mut Log<'_>,
) -> ExitStatus {
    let deadline = Deadline::after(options.timeout());
    let in_hand = InHand::new(Tally::new(), is_indented);
    in_hand.lock().begin(None);
    // One request can be made without hearing signals: then they end the process as they always do.
    let _listening = signals::listen(InterruptedCancels {
        in_hand: in_hand.clone(),
        events: None,
    });
    let timeout = options.timeout();
    let mut run = Run { deadline, log };
    let begun = begin(source, options, reader, &in_hand.brake, &mut run);
    let work = |step| Work::new(step, in_hand.clone(), timeout);
    let work = match begun {
        Ok((step, input)) => work(Ok(step)).only(input, deadline),
        Err(failure) => {
            in_hand.lock().put(State::done(Err(failure.clone())));
            work(Err(failure))
        }
    };
    work.run(stdout, log)
}

fn begin(
    source: Source,
    options: Options,
    reader: Reader<'_>,
    brake: &Brake,
    run: &mut Run<'_, '_>,
) -> Result<(Step, Input), Failure> {
    let input = validate(source.read(options.timeout())?)?;
    let step = Step::new(options, reader, brake.clone(), run)?;
    Ok((step, input))
}

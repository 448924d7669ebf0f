//! One request, from its text to its answer.

use super::{Step, verify};
use crate::call::send::Run;
use crate::input::Input;
use crate::input::source::Source;
use crate::input::validate::validate;
use crate::output::answer::Answer;
use crate::output::failure::{Failure, RequestSent};
use crate::output::log::Log;
use crate::settings::options::Options;
use crate::settings::variables::Reader;
use crate::waiting::deadline::Deadline;
use crate::waiting::interrupt::Interrupt;

/// Reads the request from `source`, makes the call, and returns the service's answer.
///
/// # Errors
///
/// There is no answer to give.
pub(crate) fn run(
    source: Source,
    options: Options,
    reader: Reader<'_>,
    log: &mut Log<'_>,
) -> Result<Answer, Failure> {
    let deadline = Deadline::after(options.timeout);
    let input = validate(source.read(options.timeout)?)?;
    let mut run = Run { deadline, log };
    let mut step = Step::new(&options, reader, Interrupt::default(), &mut run)?;
    answer(&mut step, &input, &mut run)
}

/// Cancels, and if it was asked for waits until the action is final.
///
/// # Errors
///
/// There is no answer to give.
pub(super) fn answer(
    step: &mut Step,
    input: &Input,
    run: &mut Run<'_, '_>,
) -> Result<Answer, Failure> {
    let (cancelled, follows_lost) = step.cancel(input, run);
    match step.wait {
        Some(wait) if follows_lost || may_have_been_carried_out(&cancelled) => {
            verify::verify(step, input, cancelled, wait, run)
        }
        _ => cancelled,
    }
}

/// Whether the action may have been cancelled, or may have been final before: reading it tells.
fn may_have_been_carried_out(cancelled: &Result<Answer, Failure>) -> bool {
    match cancelled {
        Ok(answer) => answer.is_success() || matches!(answer.status_code, 400 | 409 | 500..=599),
        Err(failure) => failure.request_sent == RequestSent::Unknown,
    }
}

//! Many requests, one a line: each line of input gets a line of output, in its order, as soon as it is known.

use std::io::{self, Write};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

use super::tally::{Count, Tally};
use super::{Step, single};
use crate::call::pace::whole_seconds;
use crate::call::send::Run;
use crate::input::lines::Lines;
use crate::input::source::Source;
use crate::input::validate::validate_line;
use crate::output::exit_status::ExitStatus;
use crate::output::failure::{Failure, FailureCode};
use crate::output::log::Log;
use crate::output::outcome::Outcome;
use crate::settings::options::Options;
use crate::settings::variables::Reader;
use crate::waiting::deadline::Deadline;
use crate::waiting::interrupt::Interrupt;
use crate::waiting::signals::{self, Listening};

/// Runs the step for each line of `source`; gives the worst status.
///
/// # Errors
///
/// The source cannot be opened.
pub(crate) fn run(
    source: Source,
    options: Options,
    reader: Reader<'_>,
    stdout: &mut dyn Write,
    log: &mut Log<'_>,
) -> Result<ExitStatus, Failure> {
    let interrupt = Interrupt::default();
    let deadline = Deadline::after(options.timeout);
    let mut step = Step::new(
        &options,
        reader,
        interrupt.clone(),
        &mut Run { deadline, log },
    );
    let (sender, events) = mpsc::sync_channel(1);
    let count = Arc::new(Count::default());
    let listening = signals::listen(InHand {
        interrupt: interrupt.clone(),
        events: sender.clone(),
        break_off: step.as_mut().ok().map(|step| step.sender.breaker()),
        count: Arc::clone(&count),
    });
    let listening = listening.map_err(|error| without_means("signals cannot be heard", &error))?;
    read_ahead(source, sender)?;
    let mut batch = Batch {
        step,
        listening,
        timeout: options.timeout,
        interrupt,
        tally: Tally::new(count),
    };
    Ok(batch.run(&events, stdout, log))
}

/// A line with its number; `None` if there are no more, or the process was told to stop.
type Event = Option<(u64, Result<String, Failure>)>;

/// Reads the lines in a thread, no more than one ahead.
fn read_ahead(source: Source, events: SyncSender<Event>) -> Result<(), Failure> {
    let name = source.name();
    let lines = Lines::of(source)?;
    thread::Builder::new()
        .spawn(move || {
            for event in lines.map(Some).chain([None]) {
                // Nobody listens any more if the batch was stopped.
                if events.send(event).is_err() {
                    return;
                }
            }
        })
        .map(drop)
        .map_err(|error| without_means(&format!("{name} cannot be read"), &error))
}

/// A batch reads ahead in one thread and hears signals in another; without them it could not be stopped.
fn without_means(what: &str, error: &io::Error) -> Failure {
    let message = format!(
        "{what}: the system has no thread or descriptor left for it. Raise the limits of processes (ulimit -u, or pids \
         of the container) and open files (ulimit -n), or do without --batch."
    );
    Failure::new(FailureCode::NoInput, message).because(error)
}

/// A batch, as far as its end goes.
struct InHand<B> {
    interrupt: Interrupt,
    events: SyncSender<Event>,
    /// Breaks off the call in hand; once.
    break_off: Option<B>,
    count: Arc<Count>,
}

impl<B: FnOnce() + Send + 'static> signals::InHand for InHand<B> {
    fn stop(&mut self, status: ExitStatus) {
        self.interrupt.stop(status);
        // The channel may be full: whoever reads it next sees the interrupt anyway.
        let _ = self.events.try_send(None);
    }

    fn break_off(&mut self) {
        if let Some(break_off) = self.break_off.take() {
            break_off();
        }
    }

    fn last_words(&self) -> String {
        let count = &self.count;
        format!(
            "told to stop: {count}. The line in hand was abandoned: what became of it is not known."
        )
    }
}

struct Batch {
    /// Or why no line can be done.
    step: Result<Step, Failure>,
    listening: Listening,
    timeout: Duration,
    interrupt: Interrupt,
    tally: Tally,
}

impl Batch {
    fn run(
        &mut self,
        events: &Receiver<Event>,
        stdout: &mut dyn Write,
        log: &mut Log<'_>,
    ) -> ExitStatus {
        while let Ok(Some((number, text))) = events.recv() {
            log.set_line(Some(number));
            let outcome = self.outcome(number, text, log);
            log.set_line(None);
            let Some(outcome) = outcome else {
                break;
            };
            if let Err(error) = outcome.write(stdout, false) {
                log.error(format_args!(
                    "stdout cannot be written: {error}. What it would have said to line {number}: {}; {} before it.",
                    outcome.in_short(),
                    self.tally.count
                ));
                return ExitStatus::NotWritten;
            }
            self.tally.add(&outcome);
            self.tally.report(log);
        }
        log.clear_progress();
        self.end(log)
    }

    /// What a line comes to, explained; `None` if the process was told to stop before it was begun.
    fn outcome(
        &mut self,
        number: u64,
        text: Result<String, Failure>,
        log: &mut Log<'_>,
    ) -> Option<Outcome> {
        if self.interrupt.status().is_some() {
            return None;
        }
        let input = text.and_then(|text| validate_line(&text));
        let answer = match (input, &mut self.step) {
            (Err(failure), _) => Err(failure),
            (Ok(_), Err(failure)) => Err(failure.clone()),
            (Ok(input), Ok(step)) => match step.sender.held_up() {
                Some(left) => Err(throttled(left)),
                None => {
                    await_turn(step, &self.interrupt, &mut self.tally, log);
                    if self.interrupt.status().is_some() {
                        return None;
                    }
                    let deadline = Deadline::after(self.timeout);
                    single::answer(step, &input, &mut Run { deadline, log })
                }
            },
        };
        let outcome = Outcome(answer.map_err(|failure| Failure {
            line: NonZeroU64::new(number),
            ..failure
        }));
        outcome.explain(log);
        log.clear_progress();
        Some(outcome)
    }

    /// Says how it ends, unless another has, and returns the exit status.
    fn end(&self, log: &mut Log<'_>) -> ExitStatus {
        let count = &self.tally.count;
        let Some(status) = self.interrupt.status() else {
            log.detail(format_args!("{count}."));
            return self.tally.worst;
        };
        if self.listening.may_say_last_words() {
            log.error(format_args!(
                "told to stop: {count}. The lines that were written are those that were done."
            ));
        }
        status
    }
}

/// Waits until the pace allows the next call, and says why.
fn await_turn(step: &mut Step, interrupt: &Interrupt, tally: &mut Tally, log: &mut Log<'_>) {
    for seconds in 0_u64.. {
        let wait = step.sender.wait_for_turn();
        if wait.is_zero() || interrupt.status().is_some() {
            return;
        }
        tally.report_pause(wait, seconds == 0, log);
        interrupt.wait(wait.min(Duration::from_secs(1)));
    }
}

/// The failure of a line that is held up by a pause of which so much is left.
fn throttled(left: Duration) -> Failure {
    let seconds = whole_seconds(left);
    let message = format!(
        "the service asks to wait for {seconds} s, and a batch waits for an hour at most. This line was not sent: run it \
         again after that."
    );
    Failure {
        retry_after_seconds: Some(seconds),
        ..Failure::new(FailureCode::Throttled, message)
    }
}

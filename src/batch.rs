//! Many requests, one a line: each line of input gets a line of output, in its order, as soon as it is known.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::num::NonZeroU64;
use std::process;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use crate::deadline::Deadline;
use crate::environment::Reader;
use crate::error::{ExitStatus, Failure, FailureCode};
use crate::interrupt::Interrupt;
use crate::log::Log;
use crate::lost::Call;
use crate::output::{self, Answer, FailureDocument};
use crate::read::{MAX_REQUEST, Source};
use crate::settings::Options;
use crate::step::Step;
use crate::validate::validate;

/// How long a call in hand may go on when the process is told to stop.
const GRACE: Duration = Duration::from_secs(5);
/// How often a batch tells how far it is, where no person watches.
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// Runs the step for each line of `source`; gives the worst status.
///
/// # Errors
///
/// The source cannot be opened.
pub fn run(
    source: Source,
    options: Options,
    reader: Reader<'_>,
    stdout: &mut dyn Write,
    stderr_is_terminal: bool,
    log: &mut Log<'_>,
) -> Result<ExitStatus, Failure> {
    let interrupt = Interrupt::default();
    let mut step = Step::new(options, reader, interrupt.clone(), log);
    let (sender, events) = mpsc::sync_channel(1);
    let signals = match &mut step {
        Ok(step) => {
            let break_off = step.sender().breaker();
            Some(listen(interrupt.clone(), break_off, sender.clone())?)
        }
        // Nothing is called: a signal may end the process as it always does.
        Err(_) => None,
    };
    read_lines(source, sender)?;
    let mut batch = Batch {
        step,
        timeout: options.timeout,
        interrupt,
        tally: Tally::new(stderr_is_terminal),
        worst: ExitStatus::Accepted,
    };
    let status = batch.run(&events, stdout, log);
    if let Some(signals) = signals {
        signals.close();
    }
    Ok(status)
}

/// What the threads of a batch tell.
enum Event {
    /// A line, by its number, or why it cannot be taken.
    Line(u64, Result<String, Failure>),
    /// There are no more lines.
    End,
    /// The process was told to stop.
    Stop,
}

/// Reads the lines in a thread, no more than one ahead.
fn read_lines(source: Source, events: SyncSender<Event>) -> Result<(), Failure> {
    let name = source.name();
    let input = source.open().map_err(|error| unreadable(name, &error))?;
    let mut input = BufReader::new(input.bytes);
    thread::Builder::new()
        .spawn(move || {
            let mut number = 0;
            loop {
                number += 1;
                let line = read_line(&mut input);
                let event = match line {
                    Ok(None) => Event::End,
                    Ok(Some(line)) if line.trim_ascii().is_empty() => continue,
                    Ok(Some(line)) => Event::Line(number, text(line)),
                    Err(error) => Event::Line(number, Err(unreadable(name, &error))),
                };
                let is_last = matches!(
                    event,
                    Event::End
                        | Event::Line(
                            _,
                            Err(Failure {
                                code: FailureCode::NoInput,
                                ..
                            })
                        )
                );
                // Nobody listens any more if the batch was stopped.
                if events.send(event).is_err() {
                    return;
                }
                if is_last {
                    let _ = events.send(Event::End);
                    return;
                }
            }
        })
        .map(drop)
        .map_err(|error| unreadable(name, &error))
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::new(FailureCode::NoInput, format!("{name} cannot be read.")).because(error)
}

/// The next line without its end, or as much of it as tells that it is too long; `None` at the end of input.
fn read_line(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let limit = MAX_REQUEST as u64 + 2;
    if input.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        return Ok(Some(line));
    }
    // The rest of a line that is too long is passed over.
    loop {
        let buffer = input.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let count = end.map_or(buffer.len(), |end| end + 1);
        let is_over = end.is_some() || buffer.is_empty();
        input.consume(count);
        if is_over {
            return Ok(Some(line));
        }
    }
}

fn text(line: Vec<u8>) -> Result<String, Failure> {
    let line = match line.strip_prefix(b"\xEF\xBB\xBF") {
        Some(rest) => rest.to_vec(),
        None => line,
    };
    if line.len() > MAX_REQUEST {
        return Err(Failure::new(
            FailureCode::InvalidInput,
            format!("the request is larger than {MAX_REQUEST} bytes. Send less."),
        ));
    }
    String::from_utf8(line).map_err(|error| {
        Failure::new(
            FailureCode::InvalidInput,
            "the request is not UTF-8. Write it as UTF-8.",
        )
        .because(&error.utf8_error())
    })
}

/// Hears of SIGINT and SIGTERM: stops the waiting at once, and a call in hand after [`GRACE`].
fn listen(
    interrupt: Interrupt,
    break_off: impl FnOnce() + Send + 'static,
    events: SyncSender<Event>,
) -> Result<Handle, Failure> {
    let deaf = |error: io::Error| {
        Failure::new(FailureCode::InvalidUsage, "signals cannot be listened for.").because(&error)
    };
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(deaf)?;
    let handle = signals.handle();
    thread::Builder::new()
        .spawn(move || {
            let Some(signal) = signals.forever().next() else {
                return;
            };
            let status = match signal {
                SIGINT => ExitStatus::Interrupted,
                _ => ExitStatus::Terminated,
            };
            interrupt.stop(status);
            let begun = Instant::now();
            // The batch may be busy with a call, and the channel full: whoever reads it next sees the interrupt anyway.
            let _ = events.try_send(Event::Stop);
            #[expect(
                clippy::disallowed_methods,
                reason = "nothing is called from this thread"
            )]
            thread::sleep(GRACE.saturating_sub(begun.elapsed()));
            break_off();
            #[expect(
                clippy::disallowed_methods,
                reason = "nothing is called from this thread"
            )]
            thread::sleep(Duration::from_secs(1));
            // A connection that is still being opened cannot be broken off; nothing was sent on it.
            process::exit(i32::from(status.number()));
        })
        .map_err(deaf)?;
    Ok(handle)
}

struct Batch {
    /// Or why no line can be done.
    step: Result<Step, Failure>,
    timeout: Duration,
    interrupt: Interrupt,
    tally: Tally,
    worst: ExitStatus,
}

impl Batch {
    fn run(
        &mut self,
        events: &Receiver<Event>,
        stdout: &mut dyn Write,
        log: &mut Log<'_>,
    ) -> ExitStatus {
        while let Ok(Event::Line(number, text)) = events.recv() {
            if self.interrupt.status().is_some() {
                break;
            }
            let Some(outcome) = self.line(number, text, log) else {
                break;
            };
            self.worst = self.worst.max(match &outcome {
                Ok(answer) => answer.exit_status(),
                Err(failure) => failure.code.exit_status(),
            });
            if let Err(error) = write(stdout, &outcome) {
                log.error(format_args!(
                    "stdout cannot be written: {error}. The answer to line {number} is lost; {}.",
                    self.tally
                ));
                return ExitStatus::NotWritten;
            }
            self.tally.count(&outcome);
            self.tally.report(None, log);
        }
        match self.interrupt.status() {
            Some(status) => {
                log.error(format_args!(
                    "told to stop: {}. The lines that were written are those that were done.",
                    self.tally
                ));
                status
            }
            None => {
                log.detail(format_args!("{}.", self.tally));
                self.worst
            }
        }
    }

    /// The outcome of one line; `None` if the process was told to stop before it was begun.
    fn line(
        &mut self,
        number: u64,
        text: Result<String, Failure>,
        log: &mut Log<'_>,
    ) -> Option<Result<Answer, Failure>> {
        let input = text.and_then(|text| validate(&text));
        let outcome = match (input, &mut self.step) {
            (Err(failure), _) => Err(failure),
            (Ok(_), Err(failure)) => Err(failure.clone()),
            (Ok(input), Ok(step)) => {
                await_turn(step, &self.interrupt, &mut self.tally, log);
                if self.interrupt.status().is_some() {
                    return None;
                }
                step.answer(&input, Deadline::after(self.timeout), log)
            }
        };
        Some(outcome.map_err(|failure| {
            let failure = Failure {
                message: format!("line {number}: {}", failure.message),
                line: NonZeroU64::new(number),
                ..failure
            };
            log.error(failure.with_causes());
            failure
        }))
    }
}

/// Waits until the pace allows the next call, and says why.
fn await_turn(step: &mut Step, interrupt: &Interrupt, tally: &mut Tally, log: &mut Log<'_>) {
    loop {
        let wait = step.sender().wait_for_turn(Call::Cancel);
        if wait.is_zero() || interrupt.status().is_some() {
            return;
        }
        tally.report(Some(wait), log);
        interrupt.wait(wait.min(Duration::from_secs(1)));
    }
}

fn write(stdout: &mut dyn Write, outcome: &Result<Answer, Failure>) -> io::Result<()> {
    match outcome {
        Ok(answer) => output::write(stdout, answer, false),
        Err(error) => output::write(stdout, &FailureDocument { error }, false),
    }
}

/// How far a batch is.
struct Tally {
    done: u64,
    cancelled: u64,
    is_terminal: bool,
    reported: Instant,
}

impl Tally {
    fn new(is_terminal: bool) -> Self {
        Self {
            done: 0,
            cancelled: 0,
            is_terminal,
            reported: Instant::now(),
        }
    }

    fn count(&mut self, outcome: &Result<Answer, Failure>) {
        self.done += 1;
        let is_cancelled =
            matches!(outcome, Ok(answer) if answer.exit_status() == ExitStatus::Accepted);
        self.cancelled += u64::from(is_cancelled);
    }

    /// Tells how far the batch is: to a person at once, otherwise once a minute. `pause` is what is left of a pause.
    fn report(&mut self, pause: Option<Duration>, log: &mut Log<'_>) {
        let is_due = self.reported.elapsed() >= REPORT_EVERY;
        if !self.is_terminal && !is_due {
            return;
        }
        let pause = pause.filter(|pause| *pause >= Duration::from_secs(1));
        let pause = pause.map_or(String::new(), |pause| {
            format!(
                "; pausing to keep the service's limits, {} s left",
                pause.as_secs()
            )
        });
        if self.is_terminal {
            log.progress(format_args!("{self}{pause}"));
        } else {
            log.notice(format_args!("{self}{pause}."));
            self.reported = Instant::now();
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            done, cancelled, ..
        } = self;
        write!(
            formatter,
            "{done} done, {cancelled} cancelled, {} failed",
            done - cancelled
        )
    }
}

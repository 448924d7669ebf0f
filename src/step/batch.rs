//! Many requests, one a line: each line of input gets a line of output, in its order, as soon as it is known.

use std::fmt;
use std::io::{self, BufRead, Read, Write};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use crate::call::pace::whole_seconds;
use crate::call::send::Run;
use crate::input::source::{MAX_REQUEST, Source};
use crate::input::validate::validate_line;
use crate::output::answer::Answer;
use crate::output::document::{self, FailureDocument};
use crate::output::exit_status::ExitStatus;
use crate::output::failure::{Failure, FailureCode};
use crate::output::log::Log;
use crate::settings::options::Options;
use crate::settings::variables::Reader;
use crate::step::Step;
use crate::waiting::deadline::Deadline;
use crate::waiting::interrupt::Interrupt;
use crate::waiting::signals::{self, Listening};

/// A pause of which everybody hears.
const LONG_PAUSE: Duration = Duration::from_secs(10);
/// How often a batch tells how far it is, where no person watches.
const REPORT_EVERY: Duration = Duration::from_secs(60);

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
    stderr_is_terminal: bool,
    log: &mut Log<'_>,
) -> Result<ExitStatus, Failure> {
    let interrupt = Interrupt::default();
    let deadline = Deadline::after(options.timeout);
    let mut step = Step::new(
        options,
        reader,
        interrupt.clone(),
        &mut Run { deadline, log },
    );
    let (sender, events) = mpsc::sync_channel(1);
    let count = Arc::new(Count::default());
    let listening = signals::listen(InHand {
        interrupt: interrupt.clone(),
        events: sender.clone(),
        break_off: step.as_mut().ok().map(|step| step.sender().breaker()),
        count: Arc::clone(&count),
    });
    let listening = listening.map_err(|error| without_means("signals cannot be heard", &error))?;
    read_lines(source, sender)?;
    let mut batch = Batch {
        step,
        listening,
        timeout: options.timeout,
        interrupt,
        tally: Tally::new(count, stderr_is_terminal),
        worst: ExitStatus::Accepted,
    };
    Ok(batch.run(&events, stdout, log))
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
    let mut input = source
        .open(None)
        .map_err(|error| unreadable(name, &error))?;
    thread::Builder::new()
        .spawn(move || {
            let mut number = 0;
            loop {
                number += 1;
                let event = match read_line(&mut input) {
                    Ok(None) => Event::End,
                    Ok(Some(Line::TooLong)) => Event::Line(number, Err(too_long())),
                    Ok(Some(Line::Whole(line))) if line.trim_ascii().is_empty() => continue,
                    Ok(Some(Line::Whole(line))) => Event::Line(number, text(line)),
                    Err(error) => {
                        // The input is broken: its last line says so.
                        let _ = events.send(Event::Line(number, Err(unreadable(name, &error))));
                        Event::End
                    }
                };
                let is_over = matches!(event, Event::End);
                // Nobody listens any more if the batch was stopped.
                if events.send(event).is_err() || is_over {
                    return;
                }
            }
        })
        .map(drop)
        .map_err(|error| without_means(&format!("{name} cannot be read"), &error))
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::new(FailureCode::NoInput, format!("{name} cannot be read.")).because(error)
}

/// A batch reads ahead in one thread and hears signals in another; without them it could not be stopped.
fn without_means(what: &str, error: &io::Error) -> Failure {
    let message = format!(
        "{what}: the system has no thread or descriptor left for it. Raise the limits of processes (ulimit -u, or pids \
         of the container) and open files (ulimit -n), or do without --batch."
    );
    Failure::new(FailureCode::NoInput, message).because(error)
}

/// A line of input, without its end.
enum Line {
    Whole(Vec<u8>),
    /// It has more than a request may have; it is passed over.
    TooLong,
}

/// The next line; `None` at the end of input.
fn read_line(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    const MARK: &[u8] = b"\xEF\xBB\xBF";
    let mut line = Vec::new();
    // A byte order mark and the line's end are no part of the request.
    let limit = (MARK.len() + MAX_REQUEST + b"\r\n".len()) as u64;
    if input.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    let is_whole = line.ends_with(b"\n") || input.fill_buf()?.is_empty();
    if !is_whole {
        skip_line(input)?;
        return Ok(Some(Line::TooLong));
    }
    let text = line.strip_suffix(b"\n").unwrap_or(&line);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let text = text.strip_prefix(MARK).unwrap_or(text);
    Ok(Some(match text.len() {
        0..=MAX_REQUEST => Line::Whole(text.to_vec()),
        _ => Line::TooLong,
    }))
}

/// Passes over the rest of a line.
fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let count = end.map_or(buffer.len(), |end| end + 1);
        let is_over = end.is_some() || buffer.is_empty();
        input.consume(count);
        if is_over {
            return Ok(());
        }
    }
}

fn too_long() -> Failure {
    Failure::new(
        FailureCode::InvalidInput,
        format!("the request is larger than {MAX_REQUEST} bytes. Send less."),
    )
}

fn text(line: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(line).map_err(|error| {
        Failure::new(
            FailureCode::InvalidInput,
            "the request is not UTF-8. Write it as UTF-8.",
        )
        .because(&error.utf8_error())
    })
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
        let _ = self.events.try_send(Event::Stop);
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
            log.set_line(Some(number));
            let outcome = self.line(number, text, log);
            match &outcome {
                Some(Ok(answer)) => answer.tell(log),
                Some(Err(failure)) => log.error(failure.with_causes()),
                None => {}
            }
            log.set_line(None);
            let Some(outcome) = outcome else {
                break;
            };
            log.clear_progress();
            self.worst = self.worst.max(match &outcome {
                Ok(answer) => answer.exit_status(),
                Err(failure) => failure.code.exit_status(),
            });
            if let Err(error) = write(stdout, &outcome) {
                log.error(format_args!(
                    "stdout cannot be written: {error}. The answer to line {number} is lost; {}.",
                    self.tally.count
                ));
                return ExitStatus::NotWritten;
            }
            self.tally.count(&outcome);
            self.tally.report(None, false, log);
        }
        log.clear_progress();
        match self.interrupt.status() {
            Some(status) => {
                if self.listening.may_say_last_words() {
                    log.error(format_args!(
                        "told to stop: {}. The lines that were written are those that were done.",
                        self.tally.count
                    ));
                }
                status
            }
            None => {
                log.detail(format_args!("{}.", self.tally.count));
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
        let input = text.and_then(|text| validate_line(&text));
        let outcome = match (input, &mut self.step) {
            (Err(failure), _) => Err(failure),
            (Ok(_), Err(failure)) => Err(failure.clone()),
            (Ok(input), Ok(step)) => match step.sender().held_up() {
                Some(left) => Err(throttled(left)),
                None => {
                    await_turn(step, &self.interrupt, &mut self.tally, log);
                    if self.interrupt.status().is_some() {
                        return None;
                    }
                    {
                        let deadline = Deadline::after(self.timeout);
                        step.answer(&input, &mut Run { deadline, log })
                    }
                }
            },
        };
        Some(outcome.map_err(|failure| Failure {
            line: NonZeroU64::new(number),
            ..failure
        }))
    }
}

/// Waits until the pace allows the next call, and says why.
fn await_turn(step: &mut Step, interrupt: &Interrupt, tally: &mut Tally, log: &mut Log<'_>) {
    for seconds in 0_u64.. {
        let wait = step.sender().wait_for_turn();
        if wait.is_zero() || interrupt.status().is_some() {
            return;
        }
        tally.report(Some(wait), seconds == 0, log);
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

fn write(stdout: &mut dyn Write, outcome: &Result<Answer, Failure>) -> io::Result<()> {
    match outcome {
        Ok(answer) => document::write(stdout, answer, false),
        Err(error) => document::write(stdout, &FailureDocument { error }, false),
    }
}

/// How many lines are done.
#[derive(Default)]
struct Count {
    done: AtomicU64,
    cancelled: AtomicU64,
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = self.done.load(Ordering::Relaxed);
        let cancelled = self.cancelled.load(Ordering::Relaxed);
        let failed = done.saturating_sub(cancelled);
        write!(
            formatter,
            "{done} done, {cancelled} cancelled, {failed} failed"
        )
    }
}

/// How far a batch is, and whom that was told.
struct Tally {
    count: Arc<Count>,
    is_terminal: bool,
    reported: Instant,
}

impl Tally {
    fn new(count: Arc<Count>, is_terminal: bool) -> Self {
        Self {
            count,
            is_terminal,
            reported: Instant::now(),
        }
    }

    fn count(&mut self, outcome: &Result<Answer, Failure>) {
        let is_cancelled =
            matches!(outcome, Ok(answer) if answer.exit_status() == ExitStatus::Accepted);
        self.count
            .cancelled
            .fetch_add(u64::from(is_cancelled), Ordering::Relaxed);
        self.count.done.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells how far the batch is: to a person at once, otherwise once a minute. `pause` is what is left of a pause; that
    /// a long one begins is told at once.
    fn report(&mut self, pause: Option<Duration>, is_beginning: bool, log: &mut Log<'_>) {
        let is_long = pause.is_some_and(|pause| pause >= LONG_PAUSE) && is_beginning;
        if !self.is_terminal && !is_long && self.reported.elapsed() < REPORT_EVERY {
            return;
        }
        let pause = pause.filter(|pause| *pause >= Duration::from_secs(1));
        let pause = pause.map_or(String::new(), |pause| {
            format!(
                "; pausing for the service's limits, {} s left",
                pause.as_secs()
            )
        });
        let count = &self.count;
        if self.is_terminal {
            log.progress(format_args!("{count}{pause}"));
        } else {
            log.notice(format_args!("{count}{pause}."));
            self.reported = Instant::now();
        }
    }
}

//! An agent asks: the Model Context Protocol over stdin and stdout.
//!
//! One thread answers everything but calls, and writes; another works off the calls in their order; a third reads ahead
//! by a line.

mod message;
mod protocol;
mod reply;
pub(crate) mod tools;
mod queue;
mod worker;

use std::io::{self, Write};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

use self::message::{Code, Error, Id};
use self::protocol::{Protocol, Reaction};
use self::queue::{Call, Cancelled, Queue};
use self::reply::{CallResult, Era};
use self::tools::Tool;
use crate::input::lines::Lines;
use crate::input::source::Source;
use crate::output::exit_status::ExitStatus;
use crate::output::failure::{Failure, FailureCode};
use crate::output::log::{Log, Subject};
use crate::output::outcome::Outcome;
use crate::settings::options::Options;
use crate::settings::variables::Reader;
use crate::step::agent;
use crate::waiting::deadline::Deadline;
use crate::waiting::signals;
use crate::waiting::sink::Output;

/// The revision without a handshake.
const MODERN: &str = "2026-07-28";
/// Those with one, the newest first.
const LEGACY: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// How long a line of the worker's may wait for room on stderr; then it is lost.
const PATIENCE_FOR_A_LINE: Duration = Duration::from_secs(1);

/// What the server hears of.
enum Event {
    /// A line came in, or what is wrong with it.
    Line(Result<String, Failure>),
    /// No more lines come.
    End,
    /// A call is done.
    Finished(Id, CallResult),
    /// All calls are done, and no more come.
    Idle,
    /// The process was told to stop.
    Stop,
}

/// Serves the agent at the other end of `source` and `stdout` until the input ends. Returns the exit status.
///
/// # Errors
///
/// There is no thread to serve with.
pub(crate) fn run(
    source: Source,
    options: &Options,
    reader: Reader<'_>,
    stdout: &mut dyn Write,
    log: &mut Log<'_>,
) -> Result<ExitStatus, Failure> {
    let queue = Queue::default();
    let (sender, events) = mpsc::sync_channel(1);
    let listening = signals::listen(Stopping {
        queue: queue.clone(),
        events: sender.clone(),
    });
    let _listening = listening.map_err(|error| without_means("signals cannot be heard", &error))?;
    read_ahead(source, sender.clone())?;
    thread::scope(|scope| {
        let (queue, verbose) = (&queue, options.verbose);
        let works = move || {
            let mut stderr = Output::never_blocking(rustix::stdio::stderr(), PATIENCE_FOR_A_LINE);
            let mut log = Log::new(&mut stderr, false);
            log.set_verbose(verbose);
            worker::work(queue, options, reader, &sender, &mut log);
        };
        let working = thread::Builder::new().spawn_scoped(scope, works);
        working.map_err(|error| without_means("calls cannot be made", &error))?;
        let server = Server {
            protocol: Protocol::new(options.allow.as_ref()),
            queue: queue.clone(),
            open: Vec::new(),
            timeout: options.timeout,
            stdout,
            log,
        };
        Ok(server.serve(events))
    })
}

/// Reads the lines in a thread, no more than one ahead.
fn read_ahead(source: Source, events: SyncSender<Event>) -> Result<(), Failure> {
    let lines = Lines::of(source)?;
    let read = move || {
        for (_, line) in lines {
            // Nobody listens any more if the process ends.
            if events.send(Event::Line(line)).is_err() {
                return;
            }
        }
        let _ = events.send(Event::End);
    };
    let reading = thread::Builder::new().spawn(read);
    reading
        .map(drop)
        .map_err(|error| without_means("stdin cannot be read", &error))
}

fn without_means(what: &str, error: &io::Error) -> Failure {
    let message = format!(
        "{what}: the system has no thread or descriptor left for it. Raise the limits of processes (ulimit -u, or pids \
         of the container) and open files (ulimit -n)."
    );
    Failure::new(FailureCode::NoInput, message).because(error)
}

/// A call that is not answered yet.
struct Open {
    id: Id,
    era: Era,
}

/// Who answers.
struct Server<'a, 'log> {
    protocol: Protocol,
    queue: Queue,
    open: Vec<Open>,
    /// The time limit of a call.
    timeout: Duration,
    stdout: &'a mut dyn Write,
    log: &'a mut Log<'log>,
}

impl Server<'_, '_> {
    /// Answers until nothing is left to answer. Returns the exit status.
    fn serve(mut self, events: Receiver<Event>) -> ExitStatus {
        let served = self.answer_all(&events);
        self.queue.note_said();
        // Whoever has something to say does not wait to be heard.
        drop(events);
        if let Err(error) = served {
            self.queue.stop(ExitStatus::NotWritten);
            self.log.error(format_args!(
                "stdout cannot be written: {error}. {} calls were not answered; what became of each that was begun is \
                 said above or below.",
                self.open.len()
            ));
            return ExitStatus::NotWritten;
        }
        self.queue.stopped().unwrap_or(ExitStatus::Accepted)
    }

    fn answer_all(&mut self, events: &Receiver<Event>) -> io::Result<()> {
        while let Ok(event) = events.recv() {
            let is_stopped = self.queue.stopped().is_some();
            match event {
                Event::Line(_) | Event::End if is_stopped => {}
                Event::Line(Ok(line)) => self.take(&line)?,
                Event::Line(Err(failure)) => self.refuse_line(&failure)?,
                Event::End => self.queue.close(),
                Event::Finished(id, result) => self.finish(&id, &result)?,
                Event::Idle => break,
                Event::Stop => {}
            }
            if self.queue.is_over() {
                return self.say_what_is_known();
            }
        }
        Ok(())
    }

    fn take(&mut self, line: &str) -> io::Result<()> {
        match self.protocol.react(line, self.stdout)? {
            Reaction::Done => Ok(()),
            Reaction::Call(id, era, tool, arguments) => self.accept(id, era, tool, arguments),
            Reaction::Cancel(id) => {
                self.cancel(&id);
                Ok(())
            }
        }
    }

    /// Answers a line that is no text, or too long; a line that cannot be read is the last one.
    fn refuse_line(&mut self, failure: &Failure) -> io::Result<()> {
        if failure.code == FailureCode::NoInput {
            self.log.error(failure.with_causes());
            return Ok(());
        }
        let error = Error::new(None, Code::Parse, failure.message.clone());
        reply::error(self.stdout, &error)
    }

    /// Accepts a call, or answers why not.
    fn accept(&mut self, id: Id, era: Era, tool: Tool, arguments: &str) -> io::Result<()> {
        if self.open.iter().any(|open| open.id == id) {
            let message = "the id is that of a call that is not answered yet";
            return reply::error(
                self.stdout,
                &Error::new(None, Code::InvalidRequest, message),
            );
        }
        let request = match tool.request(arguments) {
            Ok(request) => request,
            Err(failure) => return self.refuse(&id, era, tool, failure),
        };
        let deadline = Deadline::after(self.timeout);
        let call = Call {
            id,
            request,
            deadline,
        };
        let id = call.id.clone();
        match self.queue.push(call) {
            Ok(()) => self.open.push(Open { id, era }),
            Err(_) => return self.refuse(&id, era, tool, full()),
        }
        Ok(())
    }

    /// Answers a call that is not begun.
    fn refuse(&mut self, id: &Id, era: Era, tool: Tool, failure: Failure) -> io::Result<()> {
        let (name, code) = (tool.name(), worker::name_of(&failure.code));
        self.log
            .notice(format_args!("{name}: not begun, failed with {code}"));
        reply::call(self.stdout, id, era, &worker::of_failure(failure))
    }

    /// Answers the call of this id, if its answer is still wanted.
    fn finish(&mut self, id: &Id, result: &CallResult) -> io::Result<()> {
        let Some(place) = self.open.iter().position(|open| open.id == *id) else {
            return Ok(());
        };
        let Open { id, era } = self.open.remove(place);
        reply::call(self.stdout, &id, era, result)
    }

    /// The answer to the request of this id is not wanted any more.
    fn cancel(&mut self, id: &Id) {
        self.open.retain(|open| open.id != *id);
        if let Cancelled::Waiting(call) = self.queue.cancel(id) {
            self.log.set_subject(worker::subject(&call.request));
            let name = call.request.tool().name();
            self.log.notice(format_args!(
                "{name}: given up by the client before it was begun; nothing was sent"
            ));
            self.log.set_subject(Subject::default());
        }
    }

    /// Answers what is open, because the process ends at once.
    fn say_what_is_known(&mut self) -> io::Result<()> {
        for Open { id, era } in std::mem::take(&mut self.open) {
            let was_sent = self.queue.has_in_hand(&id) && self.queue.was_sent();
            let failure = Outcome(Err(agent::cut_short(was_sent)));
            failure.explain(self.log);
            let Outcome(Err(failure)) = failure else {
                continue;
            };
            reply::call(self.stdout, &id, era, &worker::of_failure(failure))?;
        }
        Ok(())
    }
}

/// The failure of a call for which there is no room.
fn full() -> Failure {
    let message =
        "too many calls wait. This one was not begun: make it again when others are answered.";
    Failure::new(FailureCode::Throttled, message)
}

/// How the process is stopped.
struct Stopping {
    queue: Queue,
    events: SyncSender<Event>,
}

impl signals::InHand for Stopping {
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

    fn say_what_is_known(&mut self, _: Deadline) {
        if self.queue.is_said() {
            return;
        }
        let in_hand = match (self.queue.is_busy(), self.queue.was_sent()) {
            (false, _) => "",
            (true, true) => " A call was in hand, whose cancel was sent.",
            (true, false) => " A call was in hand, for which no cancel was sent.",
        };
        let mut stderr = Output::never_blocking(rustix::stdio::stderr(), PATIENCE_FOR_A_LINE);
        Log::new(&mut stderr, false).error(format_args!(
            "told to stop. What is known could not be written, because nobody reads stdout.{in_hand}"
        ));
    }
}

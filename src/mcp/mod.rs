//! An agent asks: the Model Context Protocol over stdin and stdout.
//!
//! One thread answers everything but calls, and writes; another works off the calls in their order; a third reads ahead
//! by a line.

mod message;
mod params;
mod protocol;
mod reply;
pub(crate) mod tools;
mod server;
mod queue;
mod worker;
mod interrupted_calls;

use std::io::Write;
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::Duration;

use self::interrupted_calls::InterruptedCalls;
use self::message::Id;
use self::queue::Queue;
use self::reply::CallResult;
use self::server::Server;
use crate::input::lines::Lines;
use crate::input::source::Source;
use crate::output::exit_status::ExitStatus;
use crate::output::failure::Failure;
use crate::output::log::Log;
use crate::settings::environment::Reader;
use crate::settings::options::Options;
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

/// Serves the agent at the other end of `source` and `stdout` until the input ends. Returns the exit status; fails if
/// there is no thread to serve with.
pub(crate) fn run(
    source: Source,
    options: &Options,
    reader: Reader<'_>,
    stdout: &mut dyn Write,
    log: &mut Log<'_>,
) -> Result<ExitStatus, Failure> {
    let queue = Queue::default();
    let (sender, events) = mpsc::sync_channel(1);
    let listening = signals::listen(InterruptedCalls {
        queue: queue.clone(),
        events: sender.clone(),
    });
    let _listening =
        listening.map_err(|error| Failure::without_means("signals cannot be heard", "", &error))?;
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
        working.map_err(|error| Failure::without_means("calls cannot be made", "", &error))?;
        let server = Server::new(options, queue.clone(), stdout, log);
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
        .map_err(|error| Failure::without_means("stdin cannot be read", "", &error))
}

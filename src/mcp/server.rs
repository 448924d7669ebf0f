//! Answers everything but calls at once, and calls when they are done.

use std::io::{self, Write};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::message::{Code, Error, Id};
use super::protocol::{Protocol, Reaction};
use super::queue::{Call, Cancelled, Queue};
use super::reply::{self, CallResult, Era};
use super::tools::Tool;
use super::{Event, worker};
use crate::input::MachineActionId;
use crate::output::exit_status::ExitStatus;
use crate::output::failure::{Failure, FailureCode};
use crate::output::layout::name_of;
use crate::output::log::Log;
use crate::settings::options::Options;
use crate::step::agent_calls;
use crate::waiting::deadline::Deadline;

/// How long the worker may take to end once it is cut short.
const MOMENT: Duration = Duration::from_millis(300);

/// A call that is not answered yet.
struct Open {
    id: Id,
    era: Era,
    tool: Tool,
    /// What it is about, if it is about one action.
    action: Option<MachineActionId>,
}

/// Who answers.
pub(super) struct Server<'a, 'log> {
    protocol: Protocol,
    queue: Queue,
    open: Vec<Open>,
    /// The time limit of a call.
    timeout: Duration,
    stdout: &'a mut dyn Write,
    log: &'a mut Log<'log>,
}

impl<'a, 'log> Server<'a, 'log> {
    pub(super) fn new(
        options: &Options,
        queue: Queue,
        stdout: &'a mut dyn Write,
        log: &'a mut Log<'log>,
    ) -> Self {
        Self {
            protocol: Protocol::new(options.allow.as_ref()),
            queue,
            open: Vec::new(),
            timeout: options.timeout(),
            stdout,
            log,
        }
    }

    /// Answers until nothing is left to answer. Returns the exit status.
    pub(super) fn serve(mut self, events: Receiver<Event>) -> ExitStatus {
        let served = self.answer_all(&events);
        self.queue.note_said();
        if served.is_err() {
            self.queue.stop(ExitStatus::NotWritten);
        }
        // Whoever has something to say does not wait to be heard.
        drop(events);
        if let Err(error) = served {
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
                Event::Idle => return self.say_what_is_known(),
                Event::Stop => {}
            }
            if self.queue.is_over() {
                break;
            }
        }
        self.await_worker(events)?;
        self.say_what_is_known()
    }

    /// The worker is cut short: it gets a moment to say what the call in hand came to.
    fn await_worker(&mut self, events: &Receiver<Event>) -> io::Result<()> {
        let moment = Deadline::after(MOMENT);
        while let Ok(event) = events.recv_timeout(moment.remaining()) {
            match event {
                Event::Finished(id, result) => self.finish(&id, &result)?,
                Event::Idle => break,
                Event::Line(_) | Event::End | Event::Stop => {}
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
        let action = call.request.id().cloned();
        match self.queue.push(call) {
            true => self.open.push(Open {
                id,
                era,
                tool,
                action,
            }),
            false => return self.refuse(&id, era, tool, full()),
        }
        Ok(())
    }

    /// Answers a call that is not begun.
    fn refuse(&mut self, id: &Id, era: Era, tool: Tool, failure: Failure) -> io::Result<()> {
        let (name, code) = (tool.name(), name_of(&failure.code));
        self.log
            .notice(format_args!("{name}: not begun, failed with {code}"));
        reply::call(self.stdout, id, era, &worker::of_failure(failure))
    }

    /// Answers the call of this id, if its answer is still wanted.
    fn finish(&mut self, id: &Id, result: &CallResult) -> io::Result<()> {
        let Some(place) = self.open.iter().position(|open| open.id == *id) else {
            return Ok(());
        };
        let Open { id, era, .. } = self.open.remove(place);
        reply::call(self.stdout, &id, era, result)
    }

    /// The answer to the request of this id is not wanted any more.
    fn cancel(&mut self, id: &Id) {
        self.open.retain(|open| open.id != *id);
        if let Cancelled::Waiting(call) = self.queue.cancel(id) {
            self.log.set_subject(None, call.request.action());
            let name = call.request.tool().name();
            self.log.notice(format_args!(
                "{name}: given up by the client before it was begun; nothing was sent"
            ));
            self.log.set_subject(None, None);
        }
    }

    /// Answers what is open, because the process ends at once.
    fn say_what_is_known(&mut self) -> io::Result<()> {
        for open in std::mem::take(&mut self.open) {
            let was_sent = self.queue.may_have_sent(&open.id);
            let failure = match open.tool {
                Tool::Cancel => agent_calls::cut_short(was_sent),
                _ => agent_calls::read_cut_short(),
            };
            let action = open.action.as_ref().map(MachineActionId::as_str);
            self.log.set_subject(None, action);
            let tool = open.tool.name();
            self.log.error(format_args!("{tool}: {failure}"));
            self.log.set_subject(None, None);
            let result = worker::of_failure(failure);
            reply::call(self.stdout, &open.id, open.era, &result)?;
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

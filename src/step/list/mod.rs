//! What is open: pages of actions become lines, or requests that cancel them.

mod lines;
mod pages;
mod first_actions;
mod sieve;

use std::io;
use std::time::Duration;

use self::lines::Lines;
use self::pages::Pages;
use self::sieve::counted;
use super::advice_on_read::Reads;
use super::interrupted_reads::InterruptedReads;
use super::{Reply, Step};
use crate::call::diagnosis;
use crate::call::exchange::Brake;
use crate::call::send::Run;
use crate::call::{api, page};
use crate::output::answer::Answer;
use crate::output::exit_status::ExitStatus;
use crate::output::failure::Failure;
use crate::output::log::Log;
use crate::output::outcome::Outcome;
use crate::settings::environment::Reader;
use crate::settings::list_options::Listing;
use crate::settings::options::Options;
use crate::waiting::deadline::Deadline;
use crate::waiting::sink::Sink;

/// A pause of which everybody hears.
const LONG_PAUSE: Duration = Duration::from_secs(10);

/// Writes a line for each action that `listing` asks for, page by page; the last one says why, if the list is incomplete.
pub(crate) fn run(
    listing: &Listing,
    options: &Options,
    reader: Reader<'_>,
    stdout: &mut dyn Sink,
    log: &mut Log<'_>,
) -> ExitStatus {
    let stop = InterruptedReads::new("The list is incomplete. Run `list` again.");
    let listening = stop.listen();
    let mut lines = Lines::new(listing, stdout, stop.clone());
    // It listens until the last line is written.
    let end = match &listening {
        Ok(_) => write(options, reader, &stop, &mut lines, log),
        Err(failure) => Err(failure.clone().into()),
    };
    // Whoever is told to stop meanwhile ends the process, even if nobody reads what is written.
    let mut is_said = stop.pen();
    *is_said = true;
    let (outcome, status) = match (end, stop.brake.interrupt.status()) {
        (Ok(()), _) => return ExitStatus::Accepted,
        (Err(End::NotWritten(error)), _) => return lines.not_written(&error, log),
        (Err(End::Document(outcome)), None) => {
            let status = outcome.exit_status();
            (outcome, status)
        }
        (Err(End::Document(_)), Some(status)) => (Outcome(Err(stop.failure())), status),
    };
    outcome.explain(log);
    match outcome.write(lines.stdout, false) {
        Ok(()) => status,
        Err(error) => lines.not_written(&error, log),
    }
}

fn write(
    options: &Options,
    reader: Reader<'_>,
    stop: &InterruptedReads,
    lines: &mut Lines<'_>,
    log: &mut Log<'_>,
) -> Result<(), End> {
    let step = paced_step(options, reader, &stop.brake, log)?;
    let timeout = options.timeout();
    let mut list = List {
        step,
        lines,
        timeout,
    };
    list.write(log)
}

/// Makes a step that keeps the pace of a batch.
fn paced_step(
    options: &Options,
    reader: Reader<'_>,
    brake: &Brake,
    log: &mut Log<'_>,
) -> Result<Step, Failure> {
    let deadline = Deadline::after(options.timeout());
    Step::new(
        options.paced(),
        reader,
        brake.clone(),
        &mut Run { deadline, log },
    )
}

/// Why a list is not whole.
enum End {
    /// Its last line says why.
    Document(Outcome),
    /// Nobody takes its lines.
    NotWritten(io::Error),
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Document(Outcome(Err(failure)))
    }
}

struct List<'a, 'b> {
    step: Step,
    lines: &'a mut Lines<'b>,
    /// The time limit of a page.
    timeout: Duration,
}

impl List<'_, '_> {
    /// Writes the lines of all pages.
    fn write(&mut self, log: &mut Log<'_>) -> Result<(), End> {
        let mut pages = Pages::new(self.lines.listing.filter.query());
        while let Some(query) = pages.next() {
            self.await_turn(log)?;
            let link = self.write_page(&query, log)?;
            let lines = counted(self.lines.count, "line", "lines");
            log.detail(format_args!("{lines} so far"));
            if let Some(link) = link {
                pages.follow(&link, &self.step.api)?;
            }
        }
        Ok(self.lines.finish(log)?)
    }

    /// Writes the lines of one page; returns the link to the next one.
    fn write_page(&mut self, query: &str, log: &mut Log<'_>) -> Result<Option<String>, End> {
        let deadline = Deadline::after(self.timeout);
        let mut run = Run { deadline, log };
        let request = |api: &_, token: &_| api::list(api, query, token);
        let mut reply = self.step.call(&api::LIST, &mut run, request)?;
        let Some(unread) = reply.received.unread.take() else {
            return Err(self.refused(&reply));
        };
        let link = page::read(unread, &mut |entity| self.lines.take(entity));
        self.lines.put().map_err(End::NotWritten)?;
        Ok(link?)
    }

    fn refused(&self, reply: &Reply) -> End {
        let answer = self.step.answer_to_read(reply, Reads::AList);
        End::Document(Outcome(answer.map(|answer| match self.lines.count {
            0 => answer,
            _ => Answer {
                advice: format!("{} {}", answer.advice, api::LIST.if_lost),
                ..answer
            },
        })))
    }

    /// Waits until the pace allows the next call.
    fn await_turn(&self, log: &mut Log<'_>) -> Result<(), Failure> {
        let sender = &self.step.sender;
        let pause = sender.wait_for_turn();
        if pause >= LONG_PAUSE {
            let seconds = pause.as_secs();
            log.notice(format_args!(
                "pausing {seconds} s for the service's limits."
            ));
        }
        sender.interrupt().wait(pause);
        match sender.interrupt().status() {
            None => Ok(()),
            Some(_) => Err(diagnosis::stopped()),
        }
    }
}

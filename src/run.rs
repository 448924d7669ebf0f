//! What was asked is done, and one document is delivered.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use crate::input::MachineActionId;
use crate::input::source::Source;
use crate::mcp;
use crate::output::document;
use crate::output::exit_status::ExitStatus;
use crate::output::failure::{Failure, FailureCode};
use crate::output::log::Log;
use crate::output::outcome::Outcome;
use crate::settings::arguments::{self, Command};
use crate::settings::environment::{Environment, Reader};
use crate::settings::options::Options;
use crate::step::check::{self, Report};
use crate::step::{batch, get, list, single};
use crate::waiting::sink::Sink;
use crate::waiting::stream::Stream;

/// What the program knows of its process. `main` fills it from the real one, tests from values.
pub struct Process<'a> {
    /// The command line without the program's name.
    pub args: Vec<OsString>,
    /// The environment.
    pub environment: &'a Environment<'a>,
    /// Standard input.
    pub stdin: Box<dyn Stream>,
    /// Whether standard input is a terminal: then no request is read from it.
    pub stdin_is_terminal: bool,
    /// Standard output.
    pub stdout: &'a mut dyn Sink,
    /// Whether standard output is a terminal: then documents are indented.
    pub stdout_is_terminal: bool,
    /// Standard error.
    pub stderr: &'a mut dyn Write,
    /// Whether standard error is a terminal: then a batch shows its progress there.
    pub stderr_is_terminal: bool,
}

/// Runs the program: does what the command line asks, writes one document, and returns the exit status.
pub fn run(process: Process<'_>) -> ExitStatus {
    let mut log = Log::new(process.stderr, process.stderr_is_terminal);
    let mut reader = Reader::new(process.environment);
    let mut options = Options::read(&process.args, &mut reader);
    let command = arguments::parse(process.args, &mut options);
    let (exit_zero, serves) = (options.exit_zero, options.serves);
    let run = Run {
        options,
        reader,
        stdin: (!process.stdin_is_terminal).then_some(process.stdin),
        stdout: &mut *process.stdout,
        stdout_is_terminal: process.stdout_is_terminal,
        log: &mut log,
    };
    let ending = command.and_then(|command| run.carry_out(command));
    let ending = ending.unwrap_or_else(|failure| match Outcome(Err(failure)) {
        outcome if serves => Ending::NotServed(outcome),
        outcome => Ending::Failed(outcome),
    });
    let status = ending.deliver(process.stdout, process.stdout_is_terminal, &mut log);
    status.or_zero(exit_zero)
}

/// What a command works with.
struct Run<'a, 'b> {
    options: Options,
    reader: Reader<'a>,
    /// `None` if it is a terminal.
    stdin: Option<Box<dyn Stream>>,
    stdout: &'a mut dyn Sink,
    stdout_is_terminal: bool,
    log: &'a mut Log<'b>,
}

impl Run<'_, '_> {
    fn carry_out(mut self, command: Command) -> Result<Ending, Failure> {
        self.log.set_verbose(self.options.verbose);
        self.stdout.set_patience(self.options.timeout());
        match command {
            Command::Print(text) => Ok(Ending::Text(text)),
            Command::Check => Ok(self.check()),
            Command::List(listing) => {
                let (options, reader) = (&self.options, self.reader);
                let status = list::run(&listing, options, reader, self.stdout, self.log);
                Ok(Ending::Written(status))
            }
            Command::Get(id) => Ok(self.get(&id)),
            Command::Mcp => {
                let source = self.agent()?;
                mcp::run(source, &self.options, self.reader, self.stdout, self.log)
                    .map(Ending::Written)
            }
            Command::Step(request) => {
                let source = self.source(request)?;
                let (options, reader) = (self.options, self.reader);
                if options.batch {
                    batch::run(source, options, reader, self.stdout, self.log).map(Ending::Written)
                } else {
                    let is_terminal = self.stdout_is_terminal;
                    let status =
                        single::run(source, options, reader, self.stdout, is_terminal, self.log);
                    Ok(Ending::Written(status))
                }
            }
        }
    }

    fn check(self) -> Ending {
        let (stdout, is_terminal) = (self.stdout, self.stdout_is_terminal);
        let deliver = |report, stopped, log: &mut Log<'_>| {
            Ending::Report(Box::new(report), stopped).deliver(stdout, is_terminal, log)
        };
        Ending::Written(check::run(&self.options, self.reader, self.log, deliver))
    }

    fn get(self, id: &MachineActionId) -> Ending {
        let (stdout, is_terminal) = (self.stdout, self.stdout_is_terminal);
        let deliver = |outcome, stopped, log: &mut Log<'_>| {
            Ending::Action(outcome, stopped).deliver(stdout, is_terminal, log)
        };
        Ending::Written(get::run(id, &self.options, self.reader, self.log, deliver))
    }

    /// Where an agent speaks.
    fn agent(&mut self) -> Result<Source, Failure> {
        let stdin = self.stdin.take().map(Source::Stdin);
        stdin.ok_or_else(|| {
            Failure::new(
                FailureCode::NoInput,
                "stdin is a terminal. `mcp` is started by the client of an AI agent: name it in the client's configuration.",
            )
        })
    }

    /// Where the request comes from.
    fn source(&mut self, request: Option<PathBuf>) -> Result<Source, Failure> {
        let stdin = self.stdin.take().map(Source::Stdin);
        request.map(Source::File).or(stdin).ok_or_else(|| {
            self.log
                .notice("stdin is a terminal, and no file with a request is named.");
            Failure::new(
                FailureCode::NoInput,
                "there is no request. Try: cancel-machine-action sample | cancel-machine-action --sandbox (or --help)",
            )
        })
    }
}

/// What a run ends with.
enum Ending {
    /// Why the command has no result, or none that is whole.
    Failed(Outcome),
    /// Why agents are not served: stdout carries the messages of their protocol only.
    NotServed(Outcome),
    /// What one action is now, or why that is not known; and the status, if the process was told to stop.
    Action(Outcome, Option<ExitStatus>),
    /// The status of what is written.
    Written(ExitStatus),
    /// What `check` reports; and the status, if the process was told to stop.
    Report(Box<Report>, Option<ExitStatus>),
    /// A text that was asked for: a schema, the manifest, the sample, the help, the version.
    Text(String),
}

impl Ending {
    /// Says on stderr what people should know, then writes the document.
    fn deliver(&self, stdout: &mut dyn Write, is_terminal: bool, log: &mut Log<'_>) -> ExitStatus {
        match self {
            // An action that was only read may be in any state.
            Self::Action(Outcome(Ok(answer)), _) if answer.is_success() => {}
            Self::Failed(outcome) | Self::NotServed(outcome) | Self::Action(outcome, _) => {
                outcome.explain(log);
            }
            Self::Report(report, _) => report.explain(log),
            Self::Written(_) | Self::Text(_) => {}
        }
        if let Err(error) = self.write(stdout, is_terminal) {
            let lost = self.in_short();
            log.error(format_args!(
                "stdout cannot be written: {error}. What it would have said: {lost}."
            ));
            return ExitStatus::NotWritten;
        }
        self.exit_status()
    }

    fn write(&self, stdout: &mut dyn Write, is_terminal: bool) -> io::Result<()> {
        match self {
            Self::Failed(outcome) | Self::Action(outcome, _) => outcome.write(stdout, is_terminal),
            Self::Written(_) | Self::NotServed(_) => Ok(()),
            Self::Report(report, _) => document::write(stdout, report.as_ref(), is_terminal),
            Self::Text(text) => stdout
                .write_all(text.as_bytes())
                .and_then(|()| stdout.flush()),
        }
    }

    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Action(_, Some(stopped)) | Self::Report(_, Some(stopped)) => *stopped,
            Self::Action(Outcome(Ok(answer)), _) if answer.is_success() => ExitStatus::Accepted,
            Self::Failed(outcome) | Self::NotServed(outcome) | Self::Action(outcome, _) => {
                outcome.exit_status()
            }
            Self::Written(status) => *status,
            Self::Text(_) => ExitStatus::Accepted,
            Self::Report(report, None) => report.exit_status(),
        }
    }

    /// Returns the document in half a sentence, for when it cannot be written.
    fn in_short(&self) -> String {
        match self {
            Self::Failed(outcome) | Self::NotServed(outcome) | Self::Action(outcome, _) => {
                outcome.in_short()
            }
            Self::Written(_) => String::new(),
            Self::Report(..) => "the report above".to_owned(),
            Self::Text(_) => "the text that was asked for".to_owned(),
        }
    }
}

//! What was asked is done, and one document is delivered.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

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
use crate::step::{batch, check, get, list, single};
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
    let mut options = Options::read(&mut reader);
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
    let status = command.and_then(|command| run.carry_out(command));
    let status = status.unwrap_or_else(|failure| {
        let outcome = Outcome(Err(failure));
        match serves {
            // stdout carries the messages of the agents' protocol only.
            true => {
                outcome.explain(&mut log);
                outcome.exit_status()
            }
            false => outcome.deliver(process.stdout, process.stdout_is_terminal, &mut log),
        }
    });
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
    /// Does what `command` asks, and writes what comes of it.
    fn carry_out(self, command: Command) -> Result<ExitStatus, Failure> {
        let Self {
            options,
            reader,
            stdin,
            stdout,
            stdout_is_terminal: is_terminal,
            log,
        } = self;
        log.set_verbose(options.verbose);
        stdout.set_patience(options.timeout());
        match command {
            Command::Print(text) => Ok(print(&text, stdout, log)),
            Command::Check => Ok(check::run(&options, reader, stdout, is_terminal, log)),
            Command::List(listing) => Ok(list::run(&listing, &options, reader, stdout, log)),
            Command::Get(id) => Ok(get::run(&id, &options, reader, stdout, is_terminal, log)),
            Command::Mcp => mcp::run(agent(stdin)?, &options, reader, stdout, log),
            Command::Step(request) => {
                let source = source(request, stdin, log)?;
                match options.batch {
                    true => batch::run(source, options, reader, stdout, log),
                    false => Ok(single::run(
                        source,
                        options,
                        reader,
                        stdout,
                        is_terminal,
                        log,
                    )),
                }
            }
        }
    }
}

/// Where an agent speaks.
fn agent(stdin: Option<Box<dyn Stream>>) -> Result<Source, Failure> {
    stdin.map(Source::Stdin).ok_or_else(|| {
        Failure::new(
            FailureCode::NoInput,
            "stdin is a terminal. `mcp` is started by the client of an AI agent: name it in the client's configuration.",
        )
    })
}

/// Where the request comes from.
fn source(
    request: Option<PathBuf>,
    stdin: Option<Box<dyn Stream>>,
    log: &mut Log<'_>,
) -> Result<Source, Failure> {
    let stdin = stdin.map(Source::Stdin);
    request.map(Source::File).or(stdin).ok_or_else(|| {
        log.notice("stdin is a terminal, and no file with a request is named.");
        Failure::new(
            FailureCode::NoInput,
            "there is no request. Try: cancel-machine-action sample | cancel-machine-action --sandbox (or --help)",
        )
    })
}

/// Prints a text that was asked for: a schema, the manifest, the sample, the help, the version.
fn print(text: &str, stdout: &mut dyn Write, log: &mut Log<'_>) -> ExitStatus {
    let written = stdout.write_all(text.as_bytes());
    match written.and_then(|()| stdout.flush()) {
        Ok(()) => ExitStatus::Accepted,
        Err(error) => document::not_written(&error, "the text that was asked for", log),
    }
}

//! One step of a security playbook: cancels a pending *machine action* in Microsoft Defender for Endpoint.
//!
//! Data goes one way, and each stage is one file:
//!
//! ```text
//! stdin → read → validate → settings → auth → request → send → response → output → stdout
//!           │        │          │                        │
//!         text     input    environment            retry · pace
//!                                         progress · resolve · tls · lost
//!                                              or else the sandbox
//! ```
//!
//! [`step`] takes one request through all of it, [`batch`] many; [`wait`] tells what has become of an action, [`check`]
//! beforehand whether there may be a cancel at all.
//!
//! [`signals`] ends it when the process is told to stop. [`sink`] is the way out, and [`letters`] says what must not
//! stand there as it is.
//!
//! [`run`] is the program but for the process around it, so that a test needs none.

pub mod cli;
pub mod read;
pub mod stream;
pub mod sink;
pub mod input;
pub mod strict;
pub mod validate;
pub mod settings;
pub mod environment;
pub mod variables;
pub mod cloud;
pub mod service_url;
pub mod proxy;
pub mod auth;
pub mod cache;
pub mod request;
pub mod send;
pub mod retry;
pub mod pace;
pub mod progress;
pub mod resolve;
pub mod tls;
pub mod lost;
pub mod sandbox;
pub mod scenario;
pub mod response;
pub mod entity;
pub mod scalar;
pub mod output;
pub mod layout;
pub mod letters;
pub mod outcome;
pub mod step;
pub mod batch;
pub mod wait;
pub mod check;
pub mod deadline;
pub mod interrupt;
pub mod signals;
pub mod core_file;
pub mod error;
pub mod log;
pub mod secret;
pub mod readings;
pub mod published;
pub mod schema;
pub mod manifest;
pub mod catalog;

use std::ffi::OsString;
use std::io::Write;

use cli::{Command, Invocation};
use environment::{Environment, Reader};
use error::{ExitStatus, Failure, FailureCode};
use log::Log;
use outcome::Outcome;
use read::Source;
use settings::Options;
use sink::Sink;
use stream::Stream;

/// The process that the program runs in, as far as the program knows it.
pub struct Process<'a> {
    /// The command line without the program's name.
    pub args: Vec<OsString>,
    /// The environment.
    pub environment: &'a Environment<'a>,
    /// Standard input.
    pub stdin: Box<dyn Stream>,
    /// Whether a person sits at standard input.
    pub stdin_is_terminal: bool,
    /// Standard output.
    pub stdout: &'a mut dyn Sink,
    /// Whether a person looks at standard output.
    pub stdout_is_terminal: bool,
    /// Standard error.
    pub stderr: &'a mut dyn Write,
    /// Whether a person looks at standard error.
    pub stderr_is_terminal: bool,
}

/// Runs the program: does what the command line asks, writes one document, and tells how it went.
pub fn run(process: Process<'_>) -> ExitStatus {
    let mut log = Log::new(process.stderr);
    let exit_zero =
        cli::wants_exit_zero(&process.args) || settings::wants_exit_zero(process.environment);
    let stdin = (!process.stdin_is_terminal).then_some(process.stdin);
    let command = cli::parse(process.args);
    let outcome = command.and_then(|command| match command {
        Command::Print(text) => Ok(Outcome::Text(text)),
        Command::Check(invocation) => Ok(check(
            &invocation,
            process.environment,
            process.stdout,
            &mut log,
        )),
        Command::Step(invocation) => {
            let source = source(&invocation, stdin, &mut log)?;
            let mut reader = Reader::new(process.environment);
            let options = Options::read(&invocation, &mut reader);
            log.set_verbose(options.verbose);
            process.stdout.set_patience(options.timeout);
            if options.batch {
                let watched = process.stderr_is_terminal;
                batch::run(source, options, reader, process.stdout, watched, &mut log)
                    .map(Outcome::Batch)
            } else {
                step::run(source, options, reader, &mut log).map(Outcome::Answer)
            }
        }
    });
    let outcome = outcome.unwrap_or_else(Outcome::Failure);
    let status = deliver(
        &outcome,
        process.stdout,
        process.stdout_is_terminal,
        &mut log,
    );
    status.or_zero(exit_zero)
}

fn check(
    invocation: &Invocation,
    environment: &Environment<'_>,
    stdout: &mut dyn Sink,
    log: &mut Log<'_>,
) -> Outcome {
    let mut reader = Reader::new(environment);
    let options = Options::read(invocation, &mut reader);
    log.set_verbose(options.verbose);
    stdout.set_patience(options.timeout);
    Outcome::Report(Box::new(step::check(options, reader, log)))
}

/// Where the request comes from; `stdin` is `None` if a person sits there.
fn source(
    invocation: &Invocation,
    stdin: Option<Box<dyn Stream>>,
    log: &mut Log<'_>,
) -> Result<Source, Failure> {
    let file = invocation.request.clone().map(Source::File);
    file.or_else(|| stdin.map(Source::Stdin)).ok_or_else(|| {
        log.notice("stdin is a terminal, and no file with a request is named.");
        Failure::new(
            FailureCode::NoInput,
            "there is no request. Try: cancel-machine-action sample | cancel-machine-action --sandbox (or --help)",
        )
    })
}

/// Says on stderr what people should know, then writes the document.
fn deliver(
    outcome: &Outcome,
    stdout: &mut dyn Write,
    is_terminal: bool,
    log: &mut Log<'_>,
) -> ExitStatus {
    outcome.tell(log);
    match outcome.write(stdout, is_terminal) {
        Ok(()) => outcome.exit_status(),
        Err(error) => {
            let lost = outcome.in_short();
            log.error(format_args!(
                "stdout cannot be written: {error}. What it would have said: {lost}."
            ));
            ExitStatus::NotWritten
        }
    }
}

//! One step of a security playbook: cancels a pending *machine action* in Microsoft Defender for Endpoint.
//!
//! Data goes one way, and each stage is one file:
//!
//! ```text
//! stdin → read → validate → settings → auth → request → send → response → output → stdout
//!           │        │                           (sandbox) (lost)
//!           text     input
//! ```
//!
//! [`run`] is the program but for the process around it, so that a test needs none.

pub mod cli;
pub mod read;
pub mod input;
pub mod validate;
pub mod settings;
pub mod auth;
pub mod request;
pub mod send;
pub mod progress;
pub mod lost;
pub mod sandbox;
pub mod response;
pub mod entity;
pub mod output;
pub mod step;
pub mod deadline;
pub mod error;
pub mod log;
pub mod secret;
pub mod schema;
pub mod manifest;

use std::ffi::OsString;
use std::io::{Read, Write};

use cli::{Command, Invocation};
use error::{ExitStatus, Failure, FailureCode};
use log::Log;
use output::{Answer, FailureDocument};
use read::Source;
use settings::{Environment, Options};

/// The process that the program runs in, as far as the program knows it.
pub struct Process<'a> {
    /// The command line without the program's name.
    pub args: Vec<OsString>,
    /// The environment.
    pub environment: &'a Environment<'a>,
    /// Standard input.
    pub stdin: Box<dyn Read + Send>,
    /// Whether a person sits at standard input.
    pub stdin_is_terminal: bool,
    /// Standard output.
    pub stdout: &'a mut dyn Write,
    /// Whether a person looks at standard output.
    pub stdout_is_terminal: bool,
    /// Standard error.
    pub stderr: &'a mut dyn Write,
}

/// Runs the program: does what the command line asks, writes one document, and tells how it went.
pub fn run(process: Process<'_>) -> ExitStatus {
    let mut log = Log::new(process.stderr);
    let exit_zero = settings::wants_exit_zero(&process.args, process.environment);
    let outcome = match cli::parse(process.args) {
        Ok(Command::Print(text)) => return print(&text, process.stdout, &mut log),
        Ok(Command::Step(invocation)) => {
            let stdin = (!process.stdin_is_terminal).then_some(process.stdin);
            source(&invocation, stdin, &mut log).and_then(|source| {
                let options = Options::read(&invocation, process.environment)?;
                log.set_verbose(options.verbose);
                step::run(source, options, process.environment, &mut log)
            })
        }
        Err(failure) => Err(failure),
    };
    deliver(
        &outcome,
        process.stdout,
        process.stdout_is_terminal,
        &mut log,
    )
    .or_zero(exit_zero)
}

/// Where the request comes from; `stdin` is `None` if a person sits there.
fn source(
    invocation: &Invocation,
    stdin: Option<Box<dyn Read + Send>>,
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

/// Says on stderr what is wrong, then writes the document.
fn deliver(
    outcome: &Result<Answer, Failure>,
    stdout: &mut dyn Write,
    is_terminal: bool,
    log: &mut Log<'_>,
) -> ExitStatus {
    let (written, status, verdict) = match outcome {
        Ok(answer) => {
            let status = match answer.status_code {
                200..=299 => ExitStatus::Accepted,
                _ => ExitStatus::Refused,
            };
            let verdict = format!(
                "the service answered {} {}",
                answer.status_code, answer.reason
            );
            (output::write(stdout, answer, is_terminal), status, verdict)
        }
        Err(failure) => {
            log.error(failure.with_causes());
            let document = FailureDocument { error: failure };
            (
                output::write(stdout, &document, is_terminal),
                failure.code.exit_status(),
                "there is no answer".to_owned(),
            )
        }
    };
    match written {
        Ok(()) => status,
        Err(error) => {
            log.error(format_args!(
                "stdout cannot be written: {error}. What it would have said: {verdict}."
            ));
            ExitStatus::NotWritten
        }
    }
}

fn print(text: &str, stdout: &mut dyn Write, log: &mut Log<'_>) -> ExitStatus {
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Ok(()) => ExitStatus::Accepted,
        Err(error) => {
            log.error(format_args!("stdout cannot be written: {error}."));
            ExitStatus::NotWritten
        }
    }
}

//! The command line.

use std::ffi::OsString;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{ExitStatus, Failure, FailureCode};
use crate::schema;
use crate::settings::{self, parse_time_limit};

/// One option of the command line, and the environment variable that is its twin.
pub struct OptionSpec {
    /// The option as it is typed.
    pub name: &'static str,
    /// What its value is called; `None` for a switch.
    pub value: Option<&'static str>,
    /// The environment variable that sets the same.
    pub setting: &'static str,
    /// What it does.
    pub about: &'static str,
}

/// Answer from the embedded Defender.
pub const SANDBOX: OptionSpec = OptionSpec {
    name: "--sandbox",
    value: None,
    setting: "MDE_SANDBOX",
    about: "answer from an embedded Defender: no tenant, no credentials, no network",
};
/// The time limit of the run.
pub const TIMEOUT: OptionSpec = OptionSpec {
    name: "--timeout",
    value: Some("SECONDS"),
    setting: "MDE_TIMEOUT",
    about: "time limit for all of it: reading the request, sign-in and the call; 60 unless set",
};
/// End with status 0 whatever the verdict.
pub const EXIT_ZERO: OptionSpec = OptionSpec {
    name: "--exit-zero",
    value: None,
    setting: "MDE_EXIT_ZERO",
    about: "end with 0 instead of 1 to 6, for engines that throw stdout away when a step fails",
};
/// Say on stderr what is done.
pub const VERBOSE: OptionSpec = OptionSpec {
    name: "--verbose",
    value: None,
    setting: "MDE_VERBOSE",
    about: "say on stderr what is done, without secrets",
};
/// Every option that has a twin.
pub const OPTIONS: [&OptionSpec; 4] = [&SANDBOX, &TIMEOUT, &EXIT_ZERO, &VERBOSE];

/// What the command line asks for.
pub enum Command {
    /// Run the step.
    Step(Invocation),
    /// Print a text: a schema, the manifest, the sample, the help, the version.
    Print(String),
}

/// How the step is to run, as far as the command line says.
#[derive(Default)]
pub struct Invocation {
    /// The file that carries the request; stdin if there is none.
    pub request: Option<PathBuf>,
    /// `--sandbox`
    pub sandbox: bool,
    /// `--timeout`
    pub timeout: Option<Duration>,
    /// `--exit-zero`
    pub exit_zero: bool,
    /// `--verbose`
    pub verbose: bool,
}

/// The command that `args` (without the program's name) give.
///
/// # Errors
///
/// An option or argument that is not known, lacks its value or has one too many.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, Failure> {
    parse_args(lexopt::Parser::from_args(args)).map_err(|error| {
        Failure::new(
            FailureCode::InvalidUsage,
            format!("the command line is wrong: {error}. See `cancel-machine-action --help`."),
        )
    })
}

fn parse_args(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    use lexopt::prelude::{Long, Short, Value};

    let mut invocation = Invocation::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("sandbox") => invocation.sandbox = true,
            Long("exit-zero") => invocation.exit_zero = true,
            Long("verbose") => invocation.verbose = true,
            Long("timeout") => {
                let text = parser.value()?.into_string()?;
                let limit = parse_time_limit(&text).map_err(|rule| format!("--timeout {rule}"))?;
                invocation.timeout = Some(limit);
            }
            Long("help") | Short('h') => return Ok(Command::Print(help())),
            Long("version") | Short('V') => return Ok(Command::Print(version())),
            Value(value) if invocation.request.is_none() => {
                match value.to_str() {
                    Some("manifest") => return printed(parser, schema::MANIFEST),
                    Some("sample") => return printed(parser, schema::SAMPLE),
                    Some("schema") => {
                        let text = schema_named(parser.next()?)?;
                        return printed(parser, text);
                    }
                    _ => {}
                }
                invocation.request = Some(PathBuf::from(value));
            }
            Value(_) => return Err("there is more than one request file".into()),
            _ => return Err(argument.unexpected()),
        }
    }
    // The file that convention names `-` is stdin.
    invocation.request.take_if(|path| path.as_os_str() == "-");
    Ok(Command::Step(invocation))
}

fn schema_named(argument: Option<lexopt::Arg<'_>>) -> Result<&'static str, lexopt::Error> {
    let rule = || {
        let names = schema::NAMED.map(|(name, _)| name).join(", ");
        lexopt::Error::from(format!("`schema` takes one of: {names}"))
    };
    let Some(lexopt::Arg::Value(wanted)) = argument else {
        return Err(rule());
    };
    let found = schema::NAMED.iter().find(|(name, _)| wanted == *name);
    found.map(|(_, text)| *text).ok_or_else(rule)
}

/// A command that prints takes nothing more.
fn printed(mut parser: lexopt::Parser, text: &str) -> Result<Command, lexopt::Error> {
    match parser.next()? {
        None => Ok(Command::Print(text.to_owned())),
        Some(argument) => Err(argument.unexpected()),
    }
}

fn version() -> String {
    concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"), "\n").to_owned()
}

fn help() -> String {
    let mut text = String::from(
        "Cancels a pending machine action in Microsoft Defender for Endpoint: reads one request, makes one call,\n\
         writes the service's answer.\n\
         \n\
         cancel-machine-action [OPTIONS] [REQUEST]   run the step; the request is a JSON object in the file REQUEST or\n\
         \u{20}                                           on stdin, as `sample` shows it\n\
         cancel-machine-action schema <NAME>         print a JSON Schema: ",
    );
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}", schema::NAMED.map(|(name, _)| name).join(", "));
    text.push_str(
        "cancel-machine-action manifest              print what a connector catalog lists\n\
         cancel-machine-action sample                print an example request\n\
         \n\
         Options, each with the environment variable that sets the same:\n",
    );
    for option in OPTIONS {
        let typed = match option.value {
            Some(value) => format!("{} <{value}>", option.name),
            None => option.name.to_owned(),
        };
        let _ = writeln!(
            text,
            "  {typed:<20} {:<14} {}",
            option.setting, option.about
        );
    }
    text.push_str("  --help, --version\n\nSettings, from the environment:\n");
    for setting in settings::ALL {
        let twin = if setting.has_file_twin {
            " (_FILE)"
        } else {
            ""
        };
        let name = format!("{}{twin}", setting.name);
        let _ = writeln!(text, "  {name:<30} {}", setting.about);
    }
    text.push_str("\nExit status:\n");
    for status in ExitStatus::ALL {
        let _ = writeln!(text, "  {}  {}", status.number(), status.meaning());
    }
    text
}

//! The command line.

use std::ffi::OsString;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use crate::output::exit_status::ExitStatus;
use crate::output::failure::{Failure, FailureCode};
use crate::output::files;
use crate::settings::table::{OPTIONS, SETTINGS};
use crate::settings::variables::parse_time_limit;

/// What the command line asks for.
pub enum Command {
    /// Run the step.
    Step(Invocation),
    /// Report what the identity may do.
    Check(Invocation),
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
    /// `--batch`
    pub batch: bool,
    /// `--wait`
    pub wait: Option<Duration>,
    /// `--timeout`
    pub timeout: Option<Duration>,
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
            format!(
                "the command line is wrong: {}. See `cancel-machine-action --help`.",
                explain(error)
            ),
        )
    })
}

/// What is wrong, without repeating what was typed: that may be a secret.
fn explain(error: lexopt::Error) -> String {
    use lexopt::Error;

    match error {
        Error::MissingValue { option } => {
            format!("`{}` needs a value", option.unwrap_or_default())
        }
        Error::UnexpectedOption(option) => unknown_option(&option),
        // Only an option that is known can have a value too many.
        Error::UnexpectedValue { option, .. } => format!("`{option}` takes no value"),
        Error::UnexpectedArgument(_) => "there is an argument too many".to_owned(),
        Error::NonUnicodeValue(_) => "a value is not UTF-8".to_owned(),
        Error::ParsingFailed { .. } => "a value cannot be read".to_owned(),
        Error::Custom(rule) => rule.to_string(),
    }
}

/// An option's name is repeated only if it looks like one: lower-case letters and hyphens. Keys and GUIDs have digits.
fn unknown_option(option: &str) -> String {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    let is_short = option.len() <= 40;
    let shown = match is_short && option.bytes().all(is_letter) {
        true => format!("the option `{option}` is not known"),
        false => "an option is not known (it is not repeated here, because it may be a secret)"
            .to_owned(),
    };
    match nearest_option(option) {
        Some(meant) => format!("{shown} (did you mean `{meant}`?)"),
        None => shown,
    }
}

/// The option from which `typed` differs by two letters at most.
fn nearest_option(typed: &str) -> Option<&'static str> {
    let typed: String = typed.chars().take(40).collect();
    let typed = typed.to_ascii_lowercase();
    let known = OPTIONS.iter().map(|option| option.name);
    let known = known.chain(["--help", "--version"]);
    let near = known.map(|name| (distance(&typed, name), name));
    let (distance, name) = near.min()?;
    (distance <= 2).then_some(name)
}

/// How many letters have to be put in, left out or changed to make `other` of `one`.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (1..=other.len()).collect();
    for (index, letter) in one.bytes().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        for (above, wanted) in row.iter_mut().zip(other.bytes()) {
            let changed = diagonal + usize::from(letter != wanted);
            diagonal = *above;
            left = changed.min(left + 1).min(*above + 1);
            *above = left;
        }
    }
    row.last().copied().unwrap_or(one.len())
}

fn parse_args(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    use lexopt::prelude::{Long, Short, Value};

    let mut invocation = Invocation::default();
    let mut is_check = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Long("sandbox") => invocation.sandbox = true,
            // Asked for elsewhere, before anything can go wrong.
            Long("exit-zero") => {}
            Long("verbose") => invocation.verbose = true,
            Long("batch") => invocation.batch = true,
            Long("wait") => invocation.wait = Some(seconds("--wait", &mut parser)?),
            Long("timeout") => invocation.timeout = Some(seconds("--timeout", &mut parser)?),
            Long("help") | Short('h') => return Ok(Command::Print(help())),
            Long("version") | Short('V') => return Ok(Command::Print(version())),
            Value(value) if invocation.request.is_none() && !is_check => {
                match value.to_str() {
                    Some("check") => {
                        is_check = true;
                        continue;
                    }
                    Some("manifest") => return printed(parser, files::MANIFEST),
                    Some("sample") => return printed(parser, files::SAMPLE),
                    Some("schema") => {
                        let text = schema_named(parser.next()?)?;
                        return printed(parser, text);
                    }
                    _ => {}
                }
                invocation.request = Some(PathBuf::from(value));
            }
            Value(_) if is_check => return Err("`check` takes no request".into()),
            Value(_) => return Err("there is more than one request file".into()),
            _ => return Err(argument.unexpected()),
        }
    }
    // The file that convention names `-` is stdin.
    invocation.request.take_if(|path| path.as_os_str() == "-");
    Ok(match is_check {
        true => Command::Check(invocation),
        false => Command::Step(invocation),
    })
}

fn seconds(option: &str, parser: &mut lexopt::Parser) -> Result<Duration, lexopt::Error> {
    let text = parser.value()?.into_string()?;
    Ok(parse_time_limit(&text).map_err(|rule| format!("{option} {rule}"))?)
}

fn schema_named(argument: Option<lexopt::Arg<'_>>) -> Result<&'static str, lexopt::Error> {
    let rule = || {
        let names = files::SCHEMAS.map(|(name, _)| name).join(", ");
        lexopt::Error::from(format!("`schema` takes one of: {names}"))
    };
    let Some(lexopt::Arg::Value(wanted)) = argument else {
        return Err(rule());
    };
    let found = files::SCHEMAS.iter().find(|(name, _)| wanted == *name);
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
         cancel-machine-action check                 sign in and say whether this identity may cancel; cancels nothing\n\
         cancel-machine-action schema <NAME>         print a JSON Schema: ",
    );
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}", files::SCHEMAS.map(|(name, _)| name).join(", "));
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
    for setting in SETTINGS {
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

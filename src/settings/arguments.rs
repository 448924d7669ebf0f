//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::output::failure::{Failure, FailureCode};
use crate::output::files;
use crate::settings::help::{help, version};
use crate::settings::options::Options;
use crate::settings::table::OPTIONS;
use crate::settings::variables::parse_time_limit;

/// What the command line asks for.
pub(crate) enum Command {
    /// Run the step, on the request in a file, or else on stdin.
    Step(Option<PathBuf>),
    /// Report what the identity may do.
    Check,
    /// Print a text: a schema, the manifest, the sample, the help, the version.
    Print(String),
}

/// Returns the command that `args` (without the program's name) give; their options go to `options`.
///
/// # Errors
///
/// An option or argument that is not known, lacks its value or has one too many.
pub(crate) fn parse(args: Vec<OsString>, options: &mut Options) -> Result<Command, Failure> {
    parse_args(lexopt::Parser::from_args(args), options).map_err(|error| {
        Failure::new(
            FailureCode::InvalidUsage,
            format!(
                "the command line is wrong: {}. See `cancel-machine-action --help`.",
                explain(error)
            ),
        )
    })
}

/// Says what is wrong without repeating what was typed: that may be a secret.
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

/// Returns the option from which `typed` differs by two letters at most.
fn nearest_option(typed: &str) -> Option<&'static str> {
    let typed: String = typed.chars().take(40).collect();
    let typed = typed.to_ascii_lowercase();
    let known = OPTIONS.iter().map(|option| option.name);
    let known = known.chain(["--help", "--version"]);
    let near = known.map(|name| (distance(&typed, name), name));
    let (distance, name) = near.min()?;
    (distance <= 2).then_some(name)
}

/// Returns how many letters have to be put in, left out or changed to make `other` of `one`.
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

fn parse_args(mut parser: lexopt::Parser, options: &mut Options) -> Result<Command, lexopt::Error> {
    use lexopt::prelude::{Long, Short, Value};

    let mut words = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("sandbox") => options.sandbox = true,
            // `Options::read` has seen it.
            Long("exit-zero") => {}
            Long("verbose") => options.verbose = true,
            Long("batch") => options.batch = true,
            Long("wait") => options.wait = Some(seconds("--wait", &mut parser)?),
            Long("timeout") => options.timeout = seconds("--timeout", &mut parser)?,
            Long("help") | Short('h') => return Ok(Command::Print(help())),
            Long("version") | Short('V') => return Ok(Command::Print(version())),
            Value(word) => words.push(word),
            _ => return Err(argument.unexpected()),
        }
    }
    command(&words)
}

/// Returns the command that the free words of the command line name.
fn command(words: &[OsString]) -> Result<Command, lexopt::Error> {
    let texts: Vec<&str> = words
        .iter()
        .map(|word| word.to_str().unwrap_or_default())
        .collect();
    let text = match texts.as_slice() {
        ["check"] => return Ok(Command::Check),
        ["check", ..] => return Err("`check` takes no request".into()),
        ["manifest"] => files::MANIFEST,
        ["sample"] => files::SAMPLE,
        ["schema"] => schema_named("")?,
        ["schema", name] => schema_named(name)?,
        ["manifest" | "sample" | "schema", ..] => {
            return Err("there is an argument too many".into());
        }
        // The file that convention names `-` is stdin.
        [] | ["-"] => return Ok(Command::Step(None)),
        [_] => return Ok(Command::Step(words.first().map(PathBuf::from))),
        _ => return Err("there is more than one request file".into()),
    };
    Ok(Command::Print(text.to_owned()))
}

fn seconds(option: &str, parser: &mut lexopt::Parser) -> Result<Duration, lexopt::Error> {
    let text = parser.value()?.into_string()?;
    Ok(parse_time_limit(&text).map_err(|rule| format!("{option} {rule}"))?)
}

fn schema_named(wanted: &str) -> Result<&'static str, lexopt::Error> {
    let found = files::SCHEMAS.iter().find(|(name, _)| wanted == *name);
    found.map(|(_, text)| *text).ok_or_else(|| {
        let names = files::SCHEMAS.map(|(name, _)| name).join(", ");
        format!("`schema` takes one of: {names}").into()
    })
}

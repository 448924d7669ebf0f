//! The command line.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::input::MachineActionId;
use crate::output::failure::{Failure, FailureCode};
use crate::output::generated_files;
use crate::settings::allowed_types::Allow;
use crate::settings::commands::{COMMANDS, CommandSpec, STEP};
use crate::settings::help::{help, help_of, version};
use crate::settings::list_options::{LIST_OPTIONS, Listing};
use crate::settings::options::{ALLOW, EXIT_ZERO, OPTIONS, Options};
use crate::settings::suggestions;

/// What the command line asks for.
pub(crate) enum Command {
    /// Run the step, on the request in a file, or else on stdin.
    Step(Option<PathBuf>),
    /// Report what the identity may do.
    Check,
    /// Write the actions that are asked for.
    List(Listing),
    /// Read one action.
    Get(MachineActionId),
    /// Serve agents.
    Mcp,
    /// Print a text: a schema, the manifest, the sample, the help, the version.
    Print(String),
}

/// Returns the command that `args` (without the program's name) give; their options go to `options`. Fails if an option
/// or argument is not known, lacks its value, has one too many, or belongs to another command.
pub(crate) fn parse(args: Vec<OsString>, options: &mut Options) -> Result<Command, Failure> {
    let mut typed = Typed::default();
    let mut before_dashes = args.iter().take_while(|argument| *argument != "--");
    let has_exit_zero = before_dashes.any(|argument| argument == EXIT_ZERO.name);
    let read = typed.read(lexopt::Parser::from_args(args));
    // It must be known however wrong the rest of the command line is.
    options.exit_zero |= match read {
        Ok(_) => typed
            .options
            .iter()
            .any(|(name, _)| *name == EXIT_ZERO.name),
        Err(_) => has_exit_zero,
    };
    options.serves = typed.spec().is_some_and(|command| command.name == "mcp");
    let command = read.and_then(|print| print.map_or_else(|| typed.command(options), Ok));
    command.map_err(|error| {
        let what = explain(error);
        let end = if what.ends_with('?') { "" } else { "." };
        let name = typed
            .spec()
            .map_or(String::new(), |command| format!("{} ", command.name));
        Failure::new(
            FailureCode::InvalidUsage,
            format!(
                "the command line is wrong: {what}{end} See `cancel-machine-action {name}--help`."
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
        Error::UnexpectedOption(option) => suggestions::option(&option),
        // Only an option that is known can have a value too many.
        Error::UnexpectedValue { option, .. } => format!("`{option}` takes no value"),
        Error::UnexpectedArgument(_) => "there is an argument too many".to_owned(),
        Error::NonUnicodeValue(_) => "a value is not UTF-8".to_owned(),
        Error::ParsingFailed { .. } => "a value cannot be read".to_owned(),
        Error::Custom(rule) => rule.to_string(),
    }
}

/// What was typed: words, and options with their values, `""` for a switch.
#[derive(Default)]
struct Typed {
    words: Vec<OsString>,
    options: Vec<(&'static str, String)>,
}

impl Typed {
    /// Reads all of it; returns the text to print where that is asked for before its end.
    fn read(&mut self, mut parser: lexopt::Parser) -> Result<Option<Command>, lexopt::Error> {
        use lexopt::prelude::{Long, Short, Value};

        while let Some(argument) = parser.next()? {
            match argument {
                Long("help") | Short('h') => return Ok(Some(Command::Print(self.help()))),
                Long("version") | Short('V') => return Ok(Some(Command::Print(version()))),
                Value(word) => self.words.push(word),
                Long(name) => {
                    let Some((name, has_value)) = known_option(name) else {
                        return Err(argument.unexpected());
                    };
                    let value = match has_value {
                        true => parser.value()?.into_string()?,
                        false => String::new(),
                    };
                    self.add(name, value);
                }
                Short(_) => return Err(argument.unexpected()),
            }
        }
        Ok(None)
    }

    /// Adds an option; types that are allowed add up.
    fn add(&mut self, name: &'static str, value: String) {
        let mut before = self.options.iter_mut();
        match before.find(|(known, _)| *known == name && name == ALLOW.name) {
            Some((_, types)) => *types = format!("{types},{value}"),
            None => self.options.push((name, value)),
        }
    }

    /// The help of the command that was named so far, or of all.
    fn help(&self) -> String {
        self.spec().map_or_else(help, help_of)
    }

    /// The command that the first word names.
    fn spec(&self) -> Option<&'static CommandSpec> {
        CommandSpec::named(self.words.first()?.to_str()?)
    }

    /// Returns the command, and sets its `options`.
    fn command(&self, options: &mut Options) -> Result<Command, lexopt::Error> {
        let command = self.interpret()?;
        let spec = self.spec().unwrap_or(&STEP);
        for (name, _) in &self.options {
            if !spec.option_names().any(|taken| taken == *name) {
                return Err(not_taken(spec, name).into());
            }
        }
        self.set(options)?;
        if options.serves {
            options.check_for_agents()?;
        } else if options.allow == Some(Allow::Any)
            && spec.option_names().any(|taken| taken == ALLOW.name)
        {
            return Err("`any` is not a type: name the types in --allow (MDE_ALLOW), or do without it for no limit".into());
        }
        Ok(command)
    }

    /// Returns the command that the words name.
    fn interpret(&self) -> Result<Command, lexopt::Error> {
        let texts = self
            .words
            .iter()
            .map(|word| word.to_str().unwrap_or_default());
        let texts: Vec<&str> = texts.collect();
        let text = match texts.as_slice() {
            ["check"] => return Ok(Command::Check),
            ["mcp"] => return Ok(Command::Mcp),
            ["list"] => return Ok(Command::List(Listing::of(&self.options)?)),
            ["get", id] => return Ok(Command::Get(action_id(id)?)),
            ["get"] => return Err("`get` needs the id of an action".into()),
            ["manifest"] => generated_files::MANIFEST.to_owned(),
            ["sample"] => generated_files::SAMPLE.to_owned(),
            ["schema"] => schema_named("")?.to_owned(),
            ["schema", name] => schema_named(name)?.to_owned(),
            ["help"] => help(),
            ["help", name] => help_of(command_named(name)?),
            [name, ..] if CommandSpec::named(name).is_some() => return Err(too_many(name).into()),
            // The file that convention names `-` is stdin.
            [] | ["-"] => return Ok(Command::Step(None)),
            [word, ..] if suggestions::looks_like_command(word) && !Path::new(word).exists() => {
                return Err(suggestions::word(word).into());
            }
            [_] => return Ok(Command::Step(self.words.first().map(PathBuf::from))),
            _ => return Err("there is more than one request file".into()),
        };
        Ok(Command::Print(text))
    }

    /// Sets what was typed; the last one counts.
    fn set(&self, options: &mut Options) -> Result<(), String> {
        for (name, value) in &self.options {
            if let Some(option) = OPTIONS.iter().find(|option| option.name == *name) {
                let set = option.set(options, value);
                set.map_err(|rule| format!("{name} {rule}"))?;
            }
        }
        Ok(())
    }
}

/// Returns the option that is typed as `--` and `name`, and whether it has a value.
fn known_option(name: &str) -> Option<(&'static str, bool)> {
    let common = OPTIONS.iter().map(|it| (it.name, it.value.is_some()));
    let of_list = LIST_OPTIONS.iter().map(|it| (it.name, true));
    let mut known = common.chain(of_list);
    known.find(|(known, _)| known.strip_prefix("--") == Some(name))
}

fn action_id(text: &str) -> Result<MachineActionId, lexopt::Error> {
    let id = MachineActionId::try_from(text.to_owned());
    Ok(id.map_err(|rule| format!("the argument of `get` {rule}"))?)
}

/// Says that `command` does not take `option`, and what it takes.
fn not_taken(command: &CommandSpec, option: &str) -> String {
    let others = COMMANDS
        .iter()
        .filter(|other| !other.own_options.is_empty());
    let mut owners = others.filter(|other| other.option_names().any(|taken| taken == option));
    let taken: Vec<&str> = command.option_names().collect();
    match (command.name, owners.next(), taken.as_slice()) {
        ("", Some(owner), _) => format!("`{option}` is an option of `{}` alone", owner.name),
        (name, _, []) => format!("`{name}` does not take `{option}`; it takes no options"),
        (name, _, taken) => format!(
            "`{name}` does not take `{option}`; it takes {}",
            taken.join(", ")
        ),
    }
}

fn too_many(command: &str) -> String {
    match CommandSpec::named(command) {
        Some(CommandSpec { argument: "", .. }) => format!("`{command}` takes no argument"),
        _ => format!("`{command}` takes one argument"),
    }
}

fn command_named(wanted: &str) -> Result<&'static CommandSpec, lexopt::Error> {
    CommandSpec::named(wanted).ok_or_else(|| {
        let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
        format!("`help` takes one of: {}", names.join(", ")).into()
    })
}

fn schema_named(wanted: &str) -> Result<&'static str, lexopt::Error> {
    let found = generated_files::SCHEMAS
        .iter()
        .find(|(name, _)| wanted == *name);
    found.map(|(_, text)| *text).ok_or_else(|| {
        let names = generated_files::SCHEMAS.map(|(name, _)| name).join(", ");
        format!("`schema` takes one of: {names}").into()
    })
}

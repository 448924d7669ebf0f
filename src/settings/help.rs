//! What `--help` and `--version` print.

use std::fmt::Write;

use crate::output::exit_status::ExitStatus;
use crate::output::generated_files;
use crate::settings::commands::{COMMANDS, CommandSpec, STEP};
use crate::settings::list_options::ListOption;
use crate::settings::options::OptionSpec;
use crate::settings::variables::SETTINGS;

/// How wide the help is at most, in letters.
const WIDTH: usize = 100;

pub(super) fn version() -> String {
    concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"), "\n").to_owned()
}

/// The help of the whole program.
pub(super) fn help() -> String {
    let mut text = String::from(
        "Cancels a pending machine action in Microsoft Defender for Endpoint: reads one request, makes one\n\
         call, writes the service's answer.\n\
         \n\
         The least for a real call (`check` says whether it is enough):\n  \
           export AZURE_TENANT_ID=<ID> AZURE_CLIENT_ID=<ID> AZURE_CLIENT_SECRET_FILE=<PATH>\n  \
           cancel-machine-action sample > request.json     # put the id of your action into it\n  \
           cancel-machine-action request.json\n\
         \n\
         Usage: cancel-machine-action [OPTIONS] [REQUEST]\n       \
                cancel-machine-action <COMMAND> ...\n\
         \n\
         REQUEST is the file with the request; without it the request is read from stdin.\n\
         \n\
         Commands; `help <COMMAND>` says more:\n",
    );
    for command in &COMMANDS {
        row(&mut text, &with_argument(command), 22, &about(command));
    }
    add_options(&mut text, STEP.options);
    text.push_str("\nSettings, from the environment:\n");
    for setting in SETTINGS {
        let twin = match setting.has_file_twin {
            true => " (_FILE)",
            false => "",
        };
        let name = format!("{}{twin}", setting.name);
        row(&mut text, &name, 36, setting.about);
    }
    text.push_str("\nExit status:\n");
    for status in ExitStatus::ALL {
        row(&mut text, &status.number().to_string(), 5, status.meaning());
    }
    text
}

/// The help of one command.
pub(super) fn help_of(command: &CommandSpec) -> String {
    let options = match command.options.is_empty() {
        true => "",
        false => " [OPTIONS]",
    };
    let typed = with_argument(command);
    let mut text = format!("Usage: cancel-machine-action {typed}{options}\n\n");
    wrap(&mut text, 0, &sentence(&about(command)));
    if !command.details.is_empty() {
        wrap(&mut text, 0, command.details);
    }
    add_own_options(&mut text, command.own_options);
    add_options(&mut text, command.options);
    if !command.options.is_empty() {
        text.push_str("\n`cancel-machine-action --help` has the settings and the exit statuses.\n");
    }
    text
}

/// The command as it is typed, after the program's name.
pub(crate) fn with_argument(command: &CommandSpec) -> String {
    format!("{} {}", command.name, command.argument)
        .trim_end()
        .to_owned()
}

/// What the command does, in one line.
pub(crate) fn about(command: &CommandSpec) -> String {
    match command.name {
        "schema" => format!(
            "{}: {}",
            command.about,
            generated_files::SCHEMAS.map(|(name, _)| name).join(", ")
        ),
        _ => command.about.to_owned(),
    }
}

/// `text` with a capital and a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        format!("{}{}.", first.to_uppercase(), letters.as_str())
    })
}

fn add_own_options(text: &mut String, options: &[ListOption]) {
    if options.is_empty() {
        return;
    }
    text.push_str("\nOptions of this command:\n");
    for option in options {
        let typed = typed(option.name, Some(option.value));
        row(text, &typed, 24, option.about);
    }
}

fn add_options(text: &mut String, options: &[&OptionSpec]) {
    if options.is_empty() {
        return;
    }
    text.push_str("\nOptions, each with the environment variable that sets the same:\n");
    for option in options {
        let typed = typed(option.name, option.value);
        let names = format!("{typed:<19}  {}", option.setting);
        row(text, &names, 38, option.about);
    }
    text.push_str("  --help, --version\n");
}

/// An option as it is typed.
pub(crate) fn typed(name: &str, value: Option<&str>) -> String {
    value.map_or_else(|| name.to_owned(), |value| format!("{name} <{value}>"))
}

/// Adds `name`, and `about` beside it from column `column` on.
fn row(text: &mut String, name: &str, column: usize, about: &str) {
    let width = column - 2;
    // Writing to a String cannot fail.
    let _ = write!(text, "  {name:<width$}");
    if name.len() >= width {
        text.push('\n');
        text.push_str(&" ".repeat(column));
    }
    wrap(text, column, about);
}

/// Adds `about` to a line that is `indent` long, and goes on in lines that are indented as much.
fn wrap(text: &mut String, indent: usize, about: &str) {
    let mut column = indent;
    for word in about.split(' ') {
        let length = word.chars().count();
        if column > indent && column + 1 + length > WIDTH {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            column = indent;
        } else if column > indent {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text.push('\n');
}

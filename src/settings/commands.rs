//! The commands: the one table that the command line and the help are made from.

use crate::settings::table::{self, OptionSpec};

/// What the command line can ask for.
pub(crate) struct CommandSpec {
    /// The word that asks for it; empty for the step itself.
    pub(crate) name: &'static str,
    /// What stands behind the word, as the help shows it; empty if nothing may.
    pub(crate) argument: &'static str,
    /// What it does, in one line.
    pub(crate) about: &'static str,
    /// What else its help says.
    pub(crate) details: &'static str,
    /// The options that it takes.
    pub(crate) options: &'static [&'static OptionSpec],
}

/// The step itself.
pub(crate) const STEP: CommandSpec = CommandSpec {
    name: "",
    argument: "[REQUEST]",
    about: "run the step: cancel the action that the request names",
    details: "",
    options: &table::OPTIONS,
};

/// What every command takes that makes calls.
const OF_CALLS: [&OptionSpec; 4] = [
    &table::SANDBOX,
    &table::TIMEOUT,
    &table::EXIT_ZERO,
    &table::VERBOSE,
];

/// Every command that has a name, in the order of the help.
pub(crate) static COMMANDS: [CommandSpec; 5] = [
    CommandSpec {
        name: "check",
        argument: "",
        about: "sign in and report whether this identity may cancel and read; cancels nothing",
        details: "It makes no other call. What is missing is named, with what to grant.",
        options: &OF_CALLS,
    },
    CommandSpec {
        name: "schema",
        argument: "<NAME>",
        about: "print a JSON Schema",
        details: "",
        options: &[],
    },
    CommandSpec {
        name: "manifest",
        argument: "",
        about: "print what a connector catalog lists",
        details: "",
        options: &[],
    },
    CommandSpec {
        name: "sample",
        argument: "",
        about: "print an example request",
        details: "",
        options: &[],
    },
    CommandSpec {
        name: "help",
        argument: "[COMMAND]",
        about: "print this help, or that of one command",
        details: "",
        options: &[],
    },
];

impl CommandSpec {
    /// Returns the command of that name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        COMMANDS.iter().find(|command| command.name == name)
    }

    /// Whether it takes the option of that name.
    pub(crate) fn takes(&self, option: &str) -> bool {
        self.options.iter().any(|taken| taken.name == option)
    }
}

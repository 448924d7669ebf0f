//! The commands: the one table that the command line and the help are made from.

use crate::settings::list_options::{LIST_OPTIONS, ListOption};
use crate::settings::options::{self, OptionSpec};

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
    /// The options with an environment variable that it takes.
    pub(crate) options: &'static [&'static OptionSpec],
    /// The options that it alone takes.
    pub(crate) own_options: &'static [ListOption],
}

/// The step itself.
pub(crate) const STEP: CommandSpec = CommandSpec {
    name: "",
    argument: "[REQUEST]",
    about: "run the step: cancel the action that the request names",
    details: "",
    options: &options::OPTIONS,
    own_options: &[],
};

/// What every command takes that makes calls.
const OF_CALLS: [&OptionSpec; 4] = [
    &options::SANDBOX,
    &options::TIMEOUT,
    &options::EXIT_ZERO,
    &options::VERBOSE,
];

/// Every command that has a name, in the order of the help.
pub(crate) static COMMANDS: [CommandSpec; 8] = [
    CommandSpec {
        name: "check",
        argument: "",
        about: "sign in and report whether this identity may cancel, list and read; cancels nothing",
        details: "It makes no other call. What is missing is named, with what to grant.",
        options: &OF_CALLS,
        own_options: &[],
    },
    CommandSpec {
        name: "list",
        argument: "",
        about: "write the open actions, one JSON object a line, or requests that cancel them",
        details: "Several values of an option are separated by commas, or the option is repeated. The last line of a list \
                  that is incomplete is a failure, or the answer that refused it, and the exit status is not 0.",
        options: &OF_CALLS,
        own_options: &LIST_OPTIONS,
    },
    CommandSpec {
        name: "get",
        argument: "<ID>",
        about: "read one action as it is now, and write the service's answer",
        details: "The answer has an outcome if the action is final.",
        options: &OF_CALLS,
        own_options: &[],
    },
    CommandSpec {
        name: "mcp",
        argument: "",
        about: "serve AI agents: the Model Context Protocol over stdin and stdout",
        details: "Agents may read; they may cancel only what --allow names, and everything with `--allow any`. --timeout is \
                  45 unless set, and --wait is part of it. It ends with its input. Each call has a line on stderr.",
        options: &[
            &options::SANDBOX,
            &options::ALLOW,
            &options::WAIT,
            &options::TIMEOUT,
            &options::VERBOSE,
        ],
        own_options: &[],
    },
    CommandSpec {
        name: "schema",
        argument: "<NAME>",
        about: "print a JSON Schema",
        details: "",
        options: &[],
        own_options: &[],
    },
    CommandSpec {
        name: "manifest",
        argument: "",
        about: "print what a connector catalog lists",
        details: "",
        options: &[],
        own_options: &[],
    },
    CommandSpec {
        name: "sample",
        argument: "",
        about: "print an example request",
        details: "",
        options: &[],
        own_options: &[],
    },
    CommandSpec {
        name: "help",
        argument: "[COMMAND]",
        about: "print this help, or that of one command",
        details: "",
        options: &[],
        own_options: &[],
    },
];

impl CommandSpec {
    /// Returns the command of that name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        COMMANDS.iter().find(|command| command.name == name)
    }

    /// Returns the names of the options that it takes.
    pub(crate) fn option_names(&self) -> impl Iterator<Item = &'static str> + use<> {
        let own = self.own_options.iter().map(|option| option.name);
        own.chain(self.options.iter().map(|option| option.name))
    }
}

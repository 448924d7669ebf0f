//! How the step runs, as the command line and the environment say.

use std::ffi::OsString;
use std::time::Duration;

use crate::output::log::Log;
use crate::settings::environment::Reader;
use crate::settings::option_table;

/// The time limit if none is set.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// The same for an agent, whose client gives up after a minute.
const DEFAULT_TIMEOUT_OF_AGENTS: Duration = Duration::from_secs(45);

/// The longest type of an action, in letters; those that are known have 27.
const MAX_TYPE: usize = 64;
/// How many types may be allowed; about a dozen are known.
const MAX_TYPES: usize = 100;

/// Which types of actions may be cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Allow {
    /// All: what `any` says, where no limit has to be asked for.
    Any,
    /// These.
    Types(Vec<String>),
}

impl Allow {
    /// Reads types of actions, separated by commas; the error is the rule that `text` breaks.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let types: Vec<&str> = text.split(',').collect();
        let is_type = |kind: &&str| {
            (1..=MAX_TYPE).contains(&kind.len())
                && kind.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if types.len() > MAX_TYPES || !types.iter().all(is_type) {
            return Err(
                "must be types of actions such as Isolate,RunAntiVirusScan: letters and digits, separated by commas \
                 without spaces",
            );
        }
        match types.as_slice() {
            ["any"] => Ok(Self::Any),
            types if types.contains(&"any") => {
                Err("must be `any`, or types of actions, but not both")
            }
            types => Ok(Self::Types(types.iter().map(ToString::to_string).collect())),
        }
    }
}

/// How the step runs.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Answer from the embedded Defender.
    pub(crate) sandbox: bool,
    /// Many requests, one a line.
    pub(crate) batch: bool,
    /// Cancel only what is of a listed type, if it was asked for.
    pub(crate) allow: Option<Allow>,
    /// How long to wait until the action is final, if at all.
    pub(crate) wait: Option<Duration>,
    /// The time limit of a request.
    pub(crate) timeout: Duration,
    /// Whether that was asked for.
    pub(crate) sets_timeout: bool,
    /// Whether agents are served.
    pub(crate) serves: bool,
    /// Say on stderr what is done.
    pub(crate) verbose: bool,
    /// End with status 0 whatever the verdict.
    pub(crate) exit_zero: bool,
}

impl Options {
    /// Reads the options' twins from the environment; a wrong one leaves a problem in `reader`.
    ///
    /// Of `args` only `--exit-zero` counts here: it must be known however wrong the rest of the command line is.
    pub(crate) fn read(args: &[OsString], reader: &mut Reader<'_>) -> Self {
        let mut typed = args.iter().take_while(|argument| *argument != "--");
        let mut sets_timeout = false;
        Self {
            sandbox: reader.switch(&option_table::SANDBOX),
            batch: reader.switch(&option_table::BATCH),
            allow: reader.option(&option_table::ALLOW, Allow::parse),
            wait: reader.time_limit(&option_table::WAIT),
            timeout: reader
                .time_limit(&option_table::TIMEOUT)
                .inspect(|_| sets_timeout = true)
                .unwrap_or(DEFAULT_TIMEOUT),
            sets_timeout,
            serves: false,
            verbose: reader.switch(&option_table::VERBOSE),
            exit_zero: reader.switch(&option_table::EXIT_ZERO)
                || typed.any(|argument| argument == option_table::EXIT_ZERO.name),
        }
    }

    /// Fits the options to agents; the error is the rule that they break.
    pub(super) fn fit_agents(&mut self) -> Result<(), String> {
        if !self.sets_timeout {
            self.timeout = DEFAULT_TIMEOUT_OF_AGENTS;
        }
        match self.wait {
            Some(wait) if wait >= self.timeout => Err(format!(
                "with `mcp`, --wait (MDE_WAIT) is part of --timeout (MDE_TIMEOUT), which is {} s: make --wait shorter, or \
                 raise --timeout and the limit of the agent's client",
                self.timeout.as_secs_f64()
            )),
            _ => Ok(()),
        }
    }

    /// Says that nothing is real, if so it is.
    pub(crate) fn announce_sandbox(&self, log: &mut Log<'_>) {
        if self.sandbox {
            log.notice(
                "sandbox: the embedded Defender answers; nothing is sent, nothing is cancelled.",
            );
        }
    }
}

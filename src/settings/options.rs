//! Every option with its environment variable: the one table that the command line, the settings, the help, the schemas
//! and the manifest are made from.

use std::time::Duration;

use crate::output::log::Log;
use crate::settings::allowed_types::Allow;
use crate::settings::environment::Reader;

/// The longest time limit, in seconds: a day.
const MAX_TIMEOUT: f64 = 86_400.0;

/// How the step runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Answer from the embedded Defender.
    pub(crate) sandbox: bool,
    /// Many requests, one a line.
    pub(crate) batch: bool,
    /// Cancel only what is of a listed type, if it was asked for.
    pub(crate) allow: Option<Allow>,
    /// How long to wait until the action is final, if at all.
    pub(crate) wait: Option<Duration>,
    /// The time limit of a request, if one is set.
    timeout: Option<Duration>,
    /// Whether agents are served.
    pub(crate) serves: bool,
    /// Say on stderr what is done.
    pub(crate) verbose: bool,
    /// End with status 0 whatever the verdict.
    pub(crate) exit_zero: bool,
}

/// One option of the command line, and the environment variable that is its twin.
pub struct OptionSpec {
    /// The option as it is typed.
    pub name: &'static str,
    /// What its value is called; `None` for a switch.
    pub value: Option<&'static str>,
    /// A value that it may have.
    pub(crate) example: &'static str,
    /// The pattern of its value; empty for a switch.
    pub(crate) pattern: &'static str,
    /// The environment variable that sets the same.
    pub setting: &'static str,
    /// What it does.
    pub about: &'static str,
    field: Field,
}

/// What an option sets.
enum Field {
    Switch(fn(&mut Options) -> &mut bool),
    Seconds(fn(&mut Options) -> &mut Option<Duration>),
    Types(fn(&mut Options) -> &mut Option<Allow>),
}

pub(crate) const SANDBOX: OptionSpec = OptionSpec::switch(
    "--sandbox",
    "MDE_SANDBOX",
    "answer from an embedded Defender: no tenant, no credentials, no network",
    |options| &mut options.sandbox,
);
pub(crate) const BATCH: OptionSpec = OptionSpec::switch(
    "--batch",
    "MDE_BATCH",
    "many requests: one JSON object a line, one line out for each line in, until the end of input",
    |options| &mut options.batch,
);
pub(crate) const ALLOW: OptionSpec = OptionSpec {
    name: "--allow",
    value: Some("TYPES"),
    example: "Isolate,RunAntiVirusScan",
    pattern: "^[A-Za-z0-9]+(,[A-Za-z0-9]+)*$",
    setting: "MDE_ALLOW",
    about: "read the action first, and cancel it only if its type is one of these, separated by commas",
    field: Field::Types(|options| &mut options.allow),
};
pub(crate) const WAIT: OptionSpec = OptionSpec::seconds(
    "--wait",
    "MDE_WAIT",
    "after the cancel, poll for up to SECONDS until the action is final, and report the outcome",
    |options| &mut options.wait,
);
pub(crate) const TIMEOUT: OptionSpec = OptionSpec::seconds(
    "--timeout",
    "MDE_TIMEOUT",
    "time limit for a request: reading it, sign-in, all attempts and pauses; 60 unless set, 86400 at most; --wait comes on top",
    |options| &mut options.timeout,
);
pub(crate) const EXIT_ZERO: OptionSpec = OptionSpec::switch(
    "--exit-zero",
    "MDE_EXIT_ZERO",
    "end with 0 instead of 1 to 6 and 8, for engines that throw stdout away when a step fails",
    |options| &mut options.exit_zero,
);
pub(crate) const VERBOSE: OptionSpec = OptionSpec::switch(
    "--verbose",
    "MDE_VERBOSE",
    "say on stderr what is done, without secrets",
    |options| &mut options.verbose,
);
/// Every option that has a twin.
pub const OPTIONS: [&OptionSpec; 7] = [
    &SANDBOX, &BATCH, &ALLOW, &WAIT, &TIMEOUT, &EXIT_ZERO, &VERBOSE,
];

impl OptionSpec {
    const fn switch(
        name: &'static str,
        setting: &'static str,
        about: &'static str,
        field: fn(&mut Options) -> &mut bool,
    ) -> Self {
        Self {
            name,
            value: None,
            example: "true",
            pattern: "",
            setting,
            about,
            field: Field::Switch(field),
        }
    }

    const fn seconds(
        name: &'static str,
        setting: &'static str,
        about: &'static str,
        field: fn(&mut Options) -> &mut Option<Duration>,
    ) -> Self {
        Self {
            name,
            value: Some("SECONDS"),
            example: "30",
            pattern: r"^([0-9]+\.?[0-9]*|\.[0-9]+)$",
            setting,
            about,
            field: Field::Seconds(field),
        }
    }

    /// Sets what was typed; `value` counts unless it is a switch. The error is the rule that `value` breaks.
    pub(super) fn set(&self, options: &mut Options, value: &str) -> Result<(), String> {
        match self.field {
            Field::Switch(field) => *field(options) = true,
            Field::Seconds(field) => *field(options) = Some(parse_seconds(value)?),
            Field::Types(field) => *field(options) = Some(Allow::parse(value)?),
        }
        Ok(())
    }

    /// Sets what the twin in the environment says; the error is the rule that `value` breaks.
    fn set_by_twin(&self, options: &mut Options, value: &str) -> Result<(), String> {
        match (&self.field, value) {
            (Field::Switch(_), "0" | "false" | "no" | "off") => Ok(()),
            (Field::Switch(_), "1" | "true" | "yes" | "on") => self.set(options, value),
            (Field::Switch(_), _) => Err("must be 1 (on) or 0 (off)".to_owned()),
            _ => self.set(options, value),
        }
    }
}

impl Options {
    /// Reads the options' twins from the environment; a wrong one leaves a problem in `reader`.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        let mut options = Self::default();
        for option in OPTIONS {
            if let Some(value) = reader.value(option.setting)
                && let Err(rule) = option.set_by_twin(&mut options, &value)
            {
                reader.problem(option.setting, rule);
            }
        }
        options
    }

    /// The time limit of a request. Unless it is set, it is a minute, and less for an agent, whose client gives up then.
    pub(crate) fn timeout(&self) -> Duration {
        let default = if self.serves { 45 } else { 60 };
        self.timeout.unwrap_or(Duration::from_secs(default))
    }

    /// Keeps the pace of a batch.
    pub(crate) fn paced(&self) -> Self {
        let mut paced = self.clone();
        paced.batch = true;
        paced
    }

    /// Holds the options to what agents can be served with; the error is the rule that they break.
    pub(super) fn check_for_agents(&self) -> Result<(), String> {
        match self.wait {
            Some(wait) if wait >= self.timeout() => Err(format!(
                "with `mcp`, --wait (MDE_WAIT) is part of --timeout (MDE_TIMEOUT), which is {} s: make --wait shorter, or \
                 raise --timeout and the limit of the agent's client",
                self.timeout().as_secs_f64()
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

/// Parses a time limit in seconds, such as `60` or `2.5`; the error is the rule that `text` breaks.
fn parse_seconds(text: &str) -> Result<Duration, String> {
    let is_decimal = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = text.parse().ok().filter(|_| is_decimal);
    number
        .filter(|seconds| (0.001..=MAX_TIMEOUT).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| {
            format!("must be a number of seconds such as 60 or 2.5, greater than 0 and at most {MAX_TIMEOUT}")
        })
}

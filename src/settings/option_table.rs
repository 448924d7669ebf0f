//! Every option with its environment variable: the one table that the command line, the settings, the help, the schemas
//! and the manifest are made from.

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
}

impl OptionSpec {
    const fn switch(name: &'static str, setting: &'static str, about: &'static str) -> Self {
        Self {
            name,
            value: None,
            example: "true",
            pattern: "",
            setting,
            about,
        }
    }

    const fn seconds(name: &'static str, setting: &'static str, about: &'static str) -> Self {
        Self {
            name,
            value: Some("SECONDS"),
            example: "30",
            pattern: r"^([0-9]+\.?[0-9]*|\.[0-9]+)$",
            setting,
            about,
        }
    }
}

pub(crate) const SANDBOX: OptionSpec = OptionSpec::switch(
    "--sandbox",
    "MDE_SANDBOX",
    "answer from an embedded Defender: no tenant, no credentials, no network",
);
pub(crate) const BATCH: OptionSpec = OptionSpec::switch(
    "--batch",
    "MDE_BATCH",
    "many requests: one JSON object a line, one line out for each line in, until the end of input",
);
pub(crate) const ALLOW: OptionSpec = OptionSpec {
    name: "--allow",
    value: Some("TYPES"),
    example: "Isolate,RunAntiVirusScan",
    pattern: "^[A-Za-z0-9]+(,[A-Za-z0-9]+)*$",
    setting: "MDE_ALLOW",
    about: "read the action first, and cancel it only if its type is one of these, separated by commas",
};
pub(crate) const WAIT: OptionSpec = OptionSpec::seconds(
    "--wait",
    "MDE_WAIT",
    "after the cancel, poll for up to SECONDS until the action is final, and report the outcome",
);
pub(crate) const TIMEOUT: OptionSpec = OptionSpec::seconds(
    "--timeout",
    "MDE_TIMEOUT",
    "time limit for a request: reading it, sign-in, all attempts and pauses; 60 unless set, 86400 at most; --wait comes on top",
);
pub(crate) const EXIT_ZERO: OptionSpec = OptionSpec::switch(
    "--exit-zero",
    "MDE_EXIT_ZERO",
    "end with 0 instead of 1 to 6 and 8, for engines that throw stdout away when a step fails",
);
pub(crate) const VERBOSE: OptionSpec = OptionSpec::switch(
    "--verbose",
    "MDE_VERBOSE",
    "say on stderr what is done, without secrets",
);
/// Every option that has a twin.
pub const OPTIONS: [&OptionSpec; 7] = [
    &SANDBOX, &BATCH, &ALLOW, &WAIT, &TIMEOUT, &EXIT_ZERO, &VERBOSE,
];

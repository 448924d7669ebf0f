//! How the step runs, as the command line and the environment say.

use std::ffi::OsString;
use std::time::Duration;

use crate::output::log::Log;
use crate::settings::table;
use crate::settings::variables::Reader;

/// The time limit if none is set.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// How the step runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Answer from the embedded Defender.
    pub(crate) sandbox: bool,
    /// Many requests, one a line.
    pub(crate) batch: bool,
    /// How long to wait until the action is final, if at all.
    pub(crate) wait: Option<Duration>,
    /// The time limit of a request.
    pub(crate) timeout: Duration,
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
        Self {
            sandbox: reader.switch(&table::SANDBOX),
            batch: reader.switch(&table::BATCH),
            wait: reader.time_limit(&table::WAIT),
            timeout: reader
                .time_limit(&table::TIMEOUT)
                .unwrap_or(DEFAULT_TIMEOUT),
            verbose: reader.switch(&table::VERBOSE),
            exit_zero: reader.switch(&table::EXIT_ZERO)
                || typed.any(|argument| argument == table::EXIT_ZERO.name),
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

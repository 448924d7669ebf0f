//! The process: arguments, environment, standard streams, exit status.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use cancel_machine_action::waiting::sink::Output;
use cancel_machine_action::waiting::stream::Descriptor;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::stdio::{stderr, stdin, stdout};

/// How long a document may wait for room on a stdout that does not block, where no time limit is set.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a line may wait for room on stderr; then it is lost.
const PATIENCE_FOR_A_LINE: Duration = Duration::from_secs(1);

#[expect(clippy::disallowed_methods, reason = "the door that settings have")]
fn main() -> ExitCode {
    keep_out_of_core_files();
    // A file that may not grow makes a write fail, and that is told; it does not end the process.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
    let status = cancel_machine_action::run(cancel_machine_action::Process {
        args: std::env::args_os().skip(1).collect(),
        environment: &|name| std::env::var_os(name),
        stdin: Box::new(Descriptor(stdin())),
        stdin_is_terminal: stdin().is_terminal(),
        stdout: &mut Output::new(stdout(), PATIENCE),
        stdout_is_terminal: stdout().is_terminal(),
        stderr: &mut Output::never_blocking(stderr(), PATIENCE_FOR_A_LINE),
        stderr_is_terminal: stderr().is_terminal(),
    });
    ExitCode::from(status.number())
}

/// Keeps the secret and the token out of core files, and from debuggers of the same user. An environment that forbids
/// this is no reason to fail.
fn keep_out_of_core_files() {
    // The limit does not hold for a program that takes core files through a pipe; this does.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
}

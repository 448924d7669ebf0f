//! The process: arguments, environment, standard streams, exit status.

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use cancel_machine_action::stream::Descriptor;

#[expect(clippy::disallowed_methods, reason = "the door that settings have")]
fn main() -> ExitCode {
    let status = cancel_machine_action::run(cancel_machine_action::Process {
        args: std::env::args_os().skip(1).collect(),
        environment: &|name| std::env::var_os(name),
        stdin: Box::new(Descriptor(io::stdin())),
        stdin_is_terminal: io::stdin().is_terminal(),
        stdout: &mut io::stdout(),
        stdout_is_terminal: io::stdout().is_terminal(),
        stderr: &mut io::stderr(),
        stderr_is_terminal: io::stderr().is_terminal(),
    });
    ExitCode::from(status.number())
}

//! No core file: it would hold the token and the secret.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Keeps what is in memory out of core files, and from debuggers of the same user. An environment that forbids this is
/// no reason to fail.
pub fn forbid() {
    // The limit does not hold for a program that takes core files through a pipe; this does.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
}

//! What the machine refuses or gets wrong: threads, the clock, core files.

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::batch::{batch, lines};
use crate::support::{JSON, REQUEST, Reply, Server, assert_snapshot, response, step};

/// More than any machine can map: no thread gets a stack.
const NO_STACK: &str = "1125899906842624";

#[test]
fn without_a_thread_a_name_is_not_looked_up_and_an_address_needs_none() {
    let server = Server::tls([Reply::bytes(response("200 OK", &[JSON], "{}"))]);
    let address = step()
        .api_with_token(&server)
        .env("RUST_MIN_STACK", NO_STACK);
    let outcome = address.run();
    assert_eq!(outcome.status, Some(0), "{outcome}");
    let name = step()
        .env("MDE_BASE_URL", "https://api.example")
        .env("MDE_ACCESS_TOKEN", "x")
        .env("MDE_TIMEOUT", "1");
    let name = name.env("RUST_MIN_STACK", NO_STACK).run();
    let many = batch().args(["--sandbox"]).stdin(lines(2));
    let many = many.env("RUST_MIN_STACK", NO_STACK).run();
    assert_snapshot!([name, many].map(|outcome| outcome.to_string()).join("\n\n"));
}

/// A library that turns the clock back to 1969.
fn clock_of_1969() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let name = format!("clock-{}", std::process::id());
    let (source, library) = (
        folder.join(format!("{name}.c")),
        folder.join(format!("{name}.so")),
    );
    let text = r#"
        #define _GNU_SOURCE
        #include <sys/syscall.h>
        #include <time.h>
        #include <unistd.h>
        int clock_gettime(clockid_t clock, struct timespec *time) {
            int result = syscall(SYS_clock_gettime, clock, time);
            if (clock == CLOCK_REALTIME) time->tv_sec = -86400;
            return result;
        }
    "#;
    fs::write(&source, text).unwrap();
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&source)
        .status();
    assert!(compiled.expect("the compiler that links Rust").success());
    library
}

#[test]
fn a_clock_before_1970_is_named() {
    let library = clock_of_1969();
    let server = Server::tls([Reply::bytes(response("200 OK", &[JSON], "{}"))]);
    let at_1969 = |step: crate::support::Step| step.env("LD_PRELOAD", library.to_str().unwrap());
    let one = at_1969(step().api_with_token(&server)).run();
    let sign_in = at_1969(step().api(&server).signing_in_at(&server)).run();
    assert_eq!(at_1969(step().args(["--sandbox"])).run().status, Some(0));
    assert_snapshot!(
        [one, sign_in]
            .map(|outcome| outcome.to_string())
            .join("\n\n")
    );
}

/// Starts a step that waits for its stdin, in a folder of its own, where core files are allowed.
fn waiting(folder: &Path) -> std::process::Child {
    fs::create_dir_all(folder).unwrap();
    let script = format!(
        "ulimit -c unlimited 2>/dev/null || ulimit -c $(ulimit -H -c); exec {} --sandbox",
        env!("CARGO_BIN_EXE_cancel-machine-action")
    );
    let mut step = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Half a request: it waits for the rest.
    let stdin = step.stdin.as_mut().unwrap();
    stdin.write_all(&REQUEST.as_bytes()[..20]).unwrap();
    step
}

#[test]
fn a_step_that_is_aborted_leaves_no_core_file() {
    let name = format!("core-{}", std::process::id());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut step = waiting(&folder);
    let limits = format!("/proc/{}/limits", step.id());
    let begun = Instant::now();
    let has_no_core = || {
        let limits = fs::read_to_string(&limits).unwrap();
        let line = limits
            .lines()
            .find(|line| line.starts_with("Max core"))
            .unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        words[4..6] == ["0", "0"]
    };
    while !has_no_core() {
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "the limit is as it was"
        );
    }
    let kill = format!("kill -ABRT {}", step.id());
    assert!(
        Command::new("sh")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
    let status = step.wait().unwrap();
    assert_eq!((status.signal(), status.core_dumped()), (Some(6), false));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

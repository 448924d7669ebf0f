//! The lines for people.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::process::Stdio;
use std::thread;

use crate::support::{Step, step};

const STEPS: usize = 50;
/// The most bytes that a write to a pipe takes in one piece (POSIX, `PIPE_BUF`).
const PIPE_BUF: usize = 4096;

/// A batch of three lines with as much wrong as a message names, and more; each step's messages are its own.
fn wordy(number: usize) -> Step {
    let names = (0..20).map(|name| format!(r#""{}-{number}-{name}":0"#, "😀".repeat(57)));
    let line = format!("{{{}}}\n", names.collect::<Vec<_>>().join(","));
    step()
        .args(["--sandbox", "--batch"])
        .stdin(line.repeat(3))
        .stdout(Stdio::null())
}

#[test]
fn fifty_steps_at_once_on_one_stderr_tear_no_line() {
    let (mut reader, writer) = io::pipe().unwrap();
    let together = thread::spawn(move || {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map(|_| bytes)
    });
    thread::scope(|scope| {
        for number in 0..STEPS {
            let stderr = writer.try_clone().unwrap();
            scope.spawn(move || wordy(number).stderr(stderr).run());
        }
    });
    drop(writer);
    let together = together.join().unwrap().unwrap();
    let together = String::from_utf8_lossy(&together);
    let alone: Vec<String> = (0..STEPS)
        .map(|number| wordy(number).run().stderr)
        .collect();
    let whole: BTreeSet<&str> = alone.iter().flat_map(|stderr| stderr.lines()).collect();
    assert!(whole.len() > 3 * STEPS, "each step has lines of its own");
    for line in together.lines() {
        assert!(whole.contains(line), "torn: {line}");
        assert!(line.len() < PIPE_BUF, "{} bytes", line.len());
    }
    // A line that finds no room for a second is lost, whole.
    assert!(together.lines().count() > STEPS);
}

/// What to do stands at the end, so that it is not the end that is left out.
#[test]
fn a_line_that_is_too_long_keeps_its_beginning_and_its_end() {
    let stderr = wordy(0).run().stderr;
    let line = stderr.lines().nth_back(1).unwrap();
    assert!(line.starts_with("cancel-machine-action: error: line 3: the request is not valid: "));
    assert!(line.contains(" […] "), "{line}");
    let remedy = "; `cancel-machine-action schema input` describes a valid request.";
    assert!(line.ends_with(remedy), "{line}");
}

//! Many requests.

use std::fmt::Write;

use serde_json::Value;

use super::{Outcome, Step, request_for, step};

/// The id of the line of that number.
pub fn id(number: usize) -> String {
    format!("11111111-0000-0000-0000-{number:012}")
}

/// So many requests, one a line.
pub fn lines(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        writeln!(text, "{}", request_for(&id(number))).unwrap();
        text
    })
}

/// A run of many requests.
pub fn batch() -> Step {
    step().args(["--batch"])
}

/// The same without a pace.
pub fn unpaced(step: Step) -> Step {
    step.env("MDE_CALLS_PER_MINUTE", "0")
        .env("MDE_CALLS_PER_HOUR", "0")
}

/// The documents of stdout, one a line.
pub fn documents(outcome: &Outcome) -> Vec<Value> {
    outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

//! Why what came in is no request.

use std::io;
use std::str::Utf8Error;

use crate::output::failure::{Failure, FailureCode};

/// The greatest request, in bytes.
pub(crate) const MAX_REQUEST: usize = 1 << 20;

/// Of an input, by the `name` that messages give it, which is larger than [`MAX_REQUEST`].
pub(super) fn too_large(name: &str) -> Failure {
    invalid(format!(
        "{name} is larger than {MAX_REQUEST} bytes. Send a shorter one."
    ))
}

/// Of an input that is text in no encoding that is known here.
pub(super) fn not_utf8(name: &str, cause: &Utf8Error) -> Failure {
    invalid(format!("{name} is not UTF-8. Write it as UTF-8.")).because(cause)
}

/// Of an input that `error` stopped the parser in.
pub(super) fn not_json(name: &str, error: &serde_json::Error) -> Failure {
    let told = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let what = told.strip_suffix(position.as_str()).unwrap_or(&told);
    // Of one line the number is known, and not the parser's.
    let place = match error.line() {
        0 | 1 => format!("near column {}", error.column()),
        line => format!("near line {line}, column {}", error.column()),
    };
    invalid(format!(
        "{name} is not valid JSON {place} ({what}). `cancel-machine-action sample` prints a valid one."
    ))
}

/// Of an input that cannot be read; `remedy` ends the sentence.
pub(crate) fn unreadable(name: &str, remedy: &str, error: &io::Error) -> Failure {
    Failure::new(
        FailureCode::NoInput,
        format!("{name} cannot be read.{remedy}"),
    )
    .because(error)
}

pub(super) fn invalid(message: String) -> Failure {
    Failure::new(FailureCode::InvalidInput, message)
}

//! What is wrong with a request or with the settings, and where.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Violation {
    /// Where it is wrong: a JSON Pointer (RFC 6901) into the request or the settings; empty for the whole.
    pub(crate) pointer: String,
    /// What is wrong there, and what would be right. It never repeats the value.
    pub(crate) message: String,
    /// The place as a sentence names it.
    #[serde(skip)]
    place: String,
}

impl Violation {
    /// `message` is said of the place in the request that `pointer` names.
    pub(crate) fn of_request(pointer: &str, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.to_owned(),
            message: message.into(),
            place: match pointer {
                "" => "the request".to_owned(),
                _ => pointer.to_owned(),
            },
        }
    }

    /// `message` is said of the environment variable `name`, or of the environment as a whole if that is empty.
    pub(crate) fn of_setting(name: &str, message: impl Into<String>) -> Self {
        let (pointer, place) = match name {
            "" => (String::new(), "the environment"),
            name => (format!("/{name}"), name),
        };
        Self {
            pointer,
            message: message.into(),
            place: place.to_owned(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.place, self.message)
    }
}

/// Every violation that was found: all are counted, and the first thousand kept, for a request of a mebibyte can have a
/// hundred thousand.
#[derive(Default)]
pub struct Violations {
    kept: Vec<Violation>,
    total: usize,
}

impl Violations {
    const MAX_KEPT: usize = 1000;

    /// Counts one more, and makes it if it is among the first.
    pub(crate) fn add(&mut self, make: impl FnOnce() -> Violation) {
        self.total += 1;
        if self.kept.len() < Self::MAX_KEPT {
            self.kept.push(make());
        }
    }

    /// Returns those that were kept, and how many there were.
    pub(crate) fn into_parts(self) -> (Vec<Violation>, usize) {
        (self.kept, self.total)
    }

    /// Returns whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.total == 0
    }
}

impl From<Vec<Violation>> for Violations {
    fn from(mut kept: Vec<Violation>) -> Self {
        let total = kept.len();
        kept.truncate(Self::MAX_KEPT);
        Self { kept, total }
    }
}

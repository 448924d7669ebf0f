//! A text or a number, where an answer should have one: whatever else stands there is read over and never built, so that
//! no answer costs much more memory than its bytes.

use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// What stands in a place of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Scalar {
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// Neither: nothing, `null`, a list, an object.
    #[default]
    Other,
}

impl Scalar {
    /// The number that it is, or that its text writes out.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Text(digits) => digits.parse().ok(),
            Self::Number(number) => Some(*number),
            Self::Other => None,
        }
    }

    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        let text = serde_json::from_str(json).map(Self::Text);
        let scalar = text.or_else(|_| serde_json::from_str(json).map(Self::Number));
        Ok(scalar.unwrap_or_default())
    }
}

//! A value that never prints.

use std::collections::HashSet;

use crate::auth::decodings::{decodings, is_space, layers};

/// How many characters in a row of a secret are not shown either; of a shorter one, all.
const PART: usize = 8;
/// What is shorter than this is looked for only as it is: it could be read out of any text.
const LEAST: usize = 4;

/// A client secret, an access token: readable only where `expose` is called.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the value out of the reach of `Debug` and `Display`.
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value itself: for the call that needs it, never for a message.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `text` repeats the secret or a part of it in a usual encoding: for what a service says, which may
    /// repeat what it was sent. Letter case, white space and punctuation make no difference.
    pub fn is_in(&self, text: &str) -> bool {
        let decodings = decodings(text);
        let secrets = layers(&self.0);
        let is_in_form = |form: fn(&str) -> String| {
            let said: Vec<String> = decodings.iter().map(|text| form(text)).collect();
            let mut secrets = secrets.iter().map(|secret| form(secret));
            secrets.any(|secret| secret.len() >= LEAST && shares_part(&secret, &said))
        };
        text.contains(&self.0)
            || is_in_form(str::to_lowercase)
            || is_in_form(letters_and_digits)
            || is_in_form(visible)
    }
}

/// Whether one of `texts` has a part of `secret`.
fn shares_part(secret: &str, texts: &[String]) -> bool {
    let length = secret.len().min(PART);
    let parts: HashSet<&[u8]> = secret.as_bytes().windows(length).collect();
    let mut windows = texts
        .iter()
        .flat_map(|text| text.as_bytes().windows(length));
    windows.any(|window| parts.contains(window))
}

fn letters_and_digits(text: &str) -> String {
    let kept = text.chars().filter(|letter| letter.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

/// For a secret that has few letters and digits.
fn visible(text: &str) -> String {
    let kept = text.chars().filter(|letter| !is_space(*letter));
    kept.flat_map(char::to_lowercase).collect()
}

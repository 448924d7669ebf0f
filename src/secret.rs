//! A value that never prints.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What the encoding of forms leaves as it is (URL Standard, "application/x-www-form-urlencoded percent-encode set").
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'*')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_');

/// What stands where a secret stood.
const BLOT: &str = "[secret]";

/// `%2F` becomes `%2f`, as some libraries encode.
fn with_lower_case_digits(encoded: &str) -> String {
    let mut digits_left = 0_u8;
    let lower = |letter: char| {
        if letter == '%' {
            digits_left = 2;
            return letter;
        }
        let is_digit = digits_left > 0;
        digits_left = digits_left.saturating_sub(1);
        if is_digit {
            letter.to_ascii_lowercase()
        } else {
            letter
        }
    };
    encoded.chars().map(lower).collect()
}

/// A client secret, an access token: readable only where [`Secret::expose`] is called.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the value out of the reach of `Debug` and `Display`.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value itself: for the call that needs it, never for a message.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `text` with the secret blotted out, plain or in the form's encoding: for what a service says, which may repeat
    /// what it was sent.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let encoded = utf8_percent_encode(&self.0, NON_ALPHANUMERIC).to_string();
        let usual = utf8_percent_encode(&self.0, FORM).to_string();
        let html = self.0.replace('&', "&amp;").replace('<', "&lt;");
        let html = html.replace('>', "&gt;").replace('"', "&quot;");
        let forms = [&self.0, &encoded, &usual, &usual.replace("%20", "+"), &html];
        forms.into_iter().fold(text.to_owned(), |text, form| {
            let text = text.replace(form.as_str(), BLOT);
            text.replace(&with_lower_case_digits(form), BLOT)
        })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

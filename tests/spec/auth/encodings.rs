//! The ways in which a service may write what it was sent, one over the other: generated.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use proptest::prelude::*;

/// One way to write a text that a reader undoes.
#[derive(Clone, Debug)]
pub enum Encoding {
    /// Percent codes, of all letters or of those that need it, with digits in lower case or not.
    Percent(bool, bool),
    /// As forms are encoded.
    Form,
    HtmlNames,
    /// Of all letters or of those that need it.
    HtmlDecimal(bool),
    HtmlHexadecimal(bool),
    Json(bool),
    /// With so many letters before it, in the usual alphabet or that of URLs, padded or not.
    Base64(u8, bool, bool),
    Hexadecimal(&'static str),
    UpperCase,
    LowerCase,
    /// A space after so many letters.
    Wrapped(u8),
}

impl Encoding {
    /// `text`, written so.
    pub fn of(&self, text: &str) -> String {
        let each = |write: &dyn Fn(char) -> String| text.chars().map(write).collect();
        let needs = |letter: char, all: bool| all || !letter.is_ascii_alphanumeric();
        match self {
            Self::Percent(all, lower) => each(&|letter| {
                let bytes = letter.to_string().into_bytes();
                let code = |byte: &u8| match lower {
                    true => format!("%{byte:02x}"),
                    false => format!("%{byte:02X}"),
                };
                match needs(letter, *all) {
                    true => bytes.iter().map(code).collect(),
                    false => letter.to_string(),
                }
            }),
            Self::Form => Self::Percent(false, false).of(text).replace("%20", "+"),
            Self::HtmlNames => each(&|letter| match letter {
                '&' => "&amp;".to_owned(),
                '<' => "&lt;".to_owned(),
                '>' => "&gt;".to_owned(),
                '"' => "&quot;".to_owned(),
                '\'' => "&apos;".to_owned(),
                letter => letter.to_string(),
            }),
            Self::HtmlDecimal(all) => each(&|letter| match needs(letter, *all) {
                true => format!("&#{};", u32::from(letter)),
                false => letter.to_string(),
            }),
            Self::HtmlHexadecimal(all) => each(&|letter| match needs(letter, *all) {
                true => format!("&#x{:X};", u32::from(letter)),
                false => letter.to_string(),
            }),
            Self::Json(all) => each(&|letter| match needs(letter, *all) {
                true => format!("\\u{:04x}", u32::from(letter)),
                false => letter.to_string(),
            }),
            Self::Base64(before, is_url, pads) => {
                let text = format!("{}{text}", "u:x".get(..usize::from(*before)).unwrap());
                match (is_url, pads) {
                    (true, true) => BASE64_URL_SAFE.encode(text),
                    (true, false) => BASE64_URL_SAFE_NO_PAD.encode(text),
                    (false, _) => BASE64_STANDARD.encode(text),
                }
            }
            Self::Hexadecimal(between) => {
                let digits: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
                digits.join(between)
            }
            Self::UpperCase => text.to_uppercase(),
            Self::LowerCase => text.to_lowercase(),
            Self::Wrapped(length) => each(&|letter| letter.to_string())
                .chars()
                .collect::<Vec<char>>()
                .chunks(usize::from(*length))
                .map(|chunk| chunk.iter().collect::<String>())
                .collect::<Vec<String>>()
                .join(" "),
        }
    }

    /// What is changed in this way cannot be undone any more if it is in digits.
    fn is_change_of_case(&self) -> bool {
        matches!(self, Self::UpperCase | Self::LowerCase)
    }

    fn is_digits(&self) -> bool {
        matches!(self, Self::Base64(..) | Self::Hexadecimal(_))
    }
}

fn encoding() -> impl Strategy<Value = Encoding> {
    use Encoding as E;
    prop_oneof![
        (any::<bool>(), any::<bool>()).prop_map(|(all, lower)| E::Percent(all, lower)),
        Just(E::Form),
        Just(E::HtmlNames),
        any::<bool>().prop_map(E::HtmlDecimal),
        any::<bool>().prop_map(E::HtmlHexadecimal),
        any::<bool>().prop_map(E::Json),
        (0..4_u8, any::<bool>(), any::<bool>())
            .prop_map(|(before, url, pads)| E::Base64(before, url, pads)),
        prop::sample::select(vec!["", " ", ":", "\\x", ",0x"]).prop_map(E::Hexadecimal),
        Just(E::UpperCase),
        Just(E::LowerCase),
        (3..20_u8).prop_map(E::Wrapped),
    ]
}

/// Some encodings, one over the other, that a reader can undo.
pub fn encodings() -> impl Strategy<Value = Vec<Encoding>> {
    let some = prop::collection::vec(encoding(), 0..4);
    some.prop_filter("what no reader can undo is no echo", |some| {
        let digits = some.iter().filter(|encoding| encoding.is_digits()).count();
        let after_digits = some.iter().skip_while(|encoding| !encoding.is_digits());
        digits <= 2 && !after_digits.clone().any(Encoding::is_change_of_case)
    })
}

/// What may be a secret, or is meant to look like something else.
pub fn secret() -> impl Strategy<Value = String> {
    let letters = prop::sample::select(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789~._-+/=&%<>\"'\\!@#äЖ"
            .chars()
            .collect::<Vec<char>>(),
    );
    let marks = prop::sample::select(
        "~._-+/=&%<>\"'\\!@#$^*()[]{}"
            .chars()
            .collect::<Vec<char>>(),
    );
    let text = |letters, length| {
        prop::collection::vec(letters, length)
            .prop_map(|letters: Vec<char>| letters.iter().collect())
    };
    prop_oneof![
        6 => text(letters.boxed(), 8..60),
        // What looks like an escape, too.
        1 => "[a-z]{6}%[0-9a-f]{2}[a-z]{6}&amp;[a-z]{4}\\\\u00[4-6][0-9]",
        1 => text(marks.boxed(), 12..40).prop_filter("a plus may stand for a space", |text: &String| {
            text.chars().filter(|letter| !"+\\&%".contains(*letter)).count() >= 8
        }),
    ]
}

/// `secret` in all of `encodings`, one over the other.
pub fn encoded(secret: &str, encodings: &[Encoding]) -> String {
    encodings
        .iter()
        .fold(secret.to_owned(), |text, encoding| encoding.of(&text))
}

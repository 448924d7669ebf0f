//! What a text may stand for: whoever repeats what it was sent may have encoded it on the way.

use std::iter::successors;

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;

/// How often escapes are decoded, one layer after the other.
const MAX_LAYERS: usize = 8;
/// How often base64 and hexadecimal digits are read, one in the other.
const MAX_DIGITS: usize = 2;

/// `text` and everything that it may stand for: its escapes decoded, and its letters read as base64 and as hexadecimal
/// digits.
pub(super) fn decodings(text: &str) -> Vec<String> {
    let mut newest = layers(text);
    let mut all = newest.clone();
    for _ in 0..MAX_DIGITS {
        let read = newest.iter().flat_map(|text| digits(text));
        newest = read.flat_map(|text| layers(&text)).collect();
        all.extend_from_slice(&newest);
    }
    all
}

/// `text`, then with its escapes decoded, then with those decoded that came to light, and so on; and the same without the
/// spaces, which may break an escape in two.
pub(super) fn layers(text: &str) -> Vec<String> {
    let mut layers = peeled(text.to_owned(), unescape);
    if layers.iter().any(|text| text.contains(is_space)) {
        layers.extend(peeled(joined(text), |text| joined(&unescape(text))));
    }
    layers
}

/// `text`, then what `peel` makes of it, and so on until there is nothing more to do.
fn peeled(text: String, peel: fn(&str) -> String) -> Vec<String> {
    let next = |text: &String| Some(peel(text)).filter(|next| next != text);
    successors(Some(text), next).take(1 + MAX_LAYERS).collect()
}

fn joined(text: &str) -> String {
    text.replace(is_space, "")
}

/// In a form a plus stands for a space.
pub(crate) fn is_space(letter: char) -> bool {
    letter.is_whitespace() || letter.is_control() || letter == '+'
}

/// `text` with the escapes of URLs, HTML, XML and JSON decoded.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let (decoded, length) =
            escape(rest).unwrap_or((Decoded::Letter(letter), letter.len_utf8()));
        match decoded {
            Decoded::Nothing => {}
            Decoded::Byte(byte) => bytes.push(byte),
            Decoded::Letter(letter) => {
                bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What an escape stands for.
enum Decoded {
    Nothing,
    /// A byte of UTF-8.
    Byte(u8),
    Letter(char),
}

/// The escape at the start of `text`, and its length in bytes.
fn escape(text: &str) -> Option<(Decoded, usize)> {
    if text.starts_with('&') {
        return numbered_entity(text).or_else(|| named_entity(text));
    }
    match text.as_bytes() {
        [b'%', b'u' | b'U', ..] | [b'\\', b'u' | b'U', ..] => letter(text, 2),
        [b'%', ..] => byte(text, 1),
        [b'\\', b'x' | b'X', ..] => byte(text, 2),
        [b'\\', b'n' | b'r' | b't', ..] => Some((Decoded::Byte(b' '), 2)),
        // What follows stands for itself.
        [b'\\', ..] => Some((Decoded::Nothing, 1)),
        _ => None,
    }
}

/// The byte that two digits from `start` on stand for.
fn byte(text: &str, start: usize) -> Option<(Decoded, usize)> {
    let byte = u8::try_from(number(text.get(start..start + 2)?, 16)?).ok()?;
    Some((Decoded::Byte(byte), start + 2))
}

/// The letter that four digits from `start` on stand for.
fn letter(text: &str, start: usize) -> Option<(Decoded, usize)> {
    let letter = char::from_u32(number(text.get(start..start + 4)?, 16)?);
    let letter = letter.unwrap_or(char::REPLACEMENT_CHARACTER);
    Some((Decoded::Letter(letter), start + 4))
}

/// The entity with a number at the start of `text`.
fn numbered_entity(text: &str) -> Option<(Decoded, usize)> {
    let (digits, radix) = match text.as_bytes() {
        [b'&', b'#', b'x' | b'X', ..] => (text.get(3..)?, 16),
        [b'&', b'#', ..] => (text.get(2..)?, 10),
        _ => return None,
    };
    let is_digit = |letter: &char| letter.is_digit(radix);
    let count = digits.chars().take_while(is_digit).count();
    let letter = char::from_u32(number(digits.get(..count)?, radix)?)?;
    let has_end = digits.get(count..)?.starts_with(';');
    let length = text.len() - digits.len() + count + usize::from(has_end);
    Some((Decoded::Letter(letter), length))
}

/// The entity with a name at the start of `text`. None stands for a letter or a digit: of those that are not known here
/// nothing is kept.
fn named_entity(text: &str) -> Option<(Decoded, usize)> {
    const LONGEST: usize = 32;
    let letters = text.get(1..)?.bytes().take(LONGEST);
    let count = letters.take_while(u8::is_ascii_alphanumeric).count();
    let name = text.get(1..=count).filter(|name| !name.is_empty())?;
    if !text.get(1 + count..)?.starts_with(';') {
        return None;
    }
    let decoded = match name.to_ascii_lowercase().as_str() {
        "amp" => Decoded::Byte(b'&'),
        "lt" => Decoded::Byte(b'<'),
        "gt" => Decoded::Byte(b'>'),
        "quot" => Decoded::Byte(b'"'),
        "apos" => Decoded::Byte(b'\''),
        _ => Decoded::Nothing,
    };
    Some((decoded, count + 2))
}

/// The number that `digits` are, all of them digits.
fn number(digits: &str, radix: u32) -> Option<u32> {
    let is_number = digits.chars().all(|digit| digit.is_digit(radix));
    u32::from_str_radix(digits, radix)
        .ok()
        .filter(|_| is_number)
}

/// What `text` is in base64 and in hexadecimal digits, wherever those begin and whatever stands between them.
fn digits(text: &str) -> Vec<String> {
    let mut sextets: String = text
        .chars()
        .filter_map(|letter| match letter {
            '-' => Some('+'),
            '_' => Some('/'),
            letter => Some(letter)
                .filter(|letter| letter.is_ascii_alphanumeric() || "+/".contains(*letter)),
        })
        .collect();
    // The last group is whole wherever the digits end.
    sextets.push_str("AAA");
    let hexadecimal = text.to_ascii_lowercase().replace("0x", "");
    let hexadecimal: Vec<u32> = hexadecimal
        .chars()
        .filter_map(|letter| letter.to_digit(16))
        .collect();
    let base64 = (0..4).map(|start| {
        let sextets = sextets.get(start..).unwrap_or_default();
        let groups = sextets.get(..sextets.len() / 4 * 4).unwrap_or_default();
        BASE64_STANDARD_NO_PAD.decode(groups).unwrap_or_default()
    });
    let pairs = (0..2).map(|start| {
        let pairs = hexadecimal.get(start..).unwrap_or_default().chunks_exact(2);
        let byte = |pair: &[u32]| pair.iter().fold(0, |byte, digit| byte * 16 + digit);
        pairs
            .filter_map(|pair| u8::try_from(byte(pair)).ok())
            .collect()
    });
    let read: Vec<Vec<u8>> = base64.chain(pairs).collect();
    read.iter()
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .collect()
}

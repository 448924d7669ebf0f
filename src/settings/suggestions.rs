//! What is said of a word of the command line that is not known: never the word itself, if it may be a secret.

use crate::settings::commands::COMMANDS;
use crate::settings::list_options::LIST_OPTIONS;
use crate::settings::options::OPTIONS;

/// The longest word that is repeated, in bytes.
const MAX_SHOWN: usize = 32;
/// The longest option that is repeated, in bytes.
const MAX_SHOWN_OPTION: usize = 40;

/// Says that `option` is not known. It is repeated only if it looks like one: lower-case letters and hyphens. Keys and
/// GUIDs have digits.
pub(super) fn option(option: &str) -> String {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    let is_short = option.len() <= MAX_SHOWN_OPTION;
    let shown = match is_short && option.bytes().all(is_letter) {
        true => format!("the option `{option}` is not known"),
        false => "an option is not known (it is not repeated here, because it may be a secret)"
            .to_owned(),
    };
    let known = OPTIONS.iter().map(|option| option.name);
    let known = known.chain(LIST_OPTIONS.iter().map(|option| option.name));
    match nearest(option, known.chain(["--help", "--version"])) {
        Some(meant) => format!("{shown} (did you mean `{meant}`?)"),
        None => shown,
    }
}

/// Whether `word` can be meant as a command, and can be repeated: letters and hyphens. Keys and GUIDs have digits.
pub(super) fn looks_like_command(word: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'-';
    (1..=MAX_SHOWN).contains(&word.len()) && word.bytes().all(is_letter)
}

/// Says that `word`, which looks like a command, is neither one nor a file.
pub(super) fn word(word: &str) -> String {
    match nearest(word, COMMANDS.iter().map(|command| command.name)) {
        Some(meant) => format!("no such file or command `{word}`; did you mean `{meant}`?"),
        None => format!("no such file or command `{word}`"),
    }
}

/// Returns the one of `known` from which `typed` differs by two letters at most, and by less than half of them.
fn nearest(typed: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let typed: String = typed.chars().take(MAX_SHOWN_OPTION).collect();
    let typed = typed.to_ascii_lowercase();
    let near = known.map(|name| (distance(&typed, name), name));
    let (distance, name) = near.min()?;
    (distance <= 2 && distance * 2 < name.len()).then_some(name)
}

/// Returns how many letters have to be put in, left out or changed to make `other` of `one`.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (1..=other.len()).collect();
    for (index, letter) in one.bytes().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        for (above, wanted) in row.iter_mut().zip(other.bytes()) {
            let changed = diagonal + usize::from(letter != wanted);
            diagonal = *above;
            left = changed.min(left + 1).min(*above + 1);
            *above = left;
        }
    }
    row.last().copied().unwrap_or(one.len())
}

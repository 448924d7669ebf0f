//! Letters that deceive a reader or command a terminal. A service may put any of them in its text.

/// Whether `letter` must not be shown as it is: it commands a terminal, ends a line, turns the direction of writing
/// around, or is there without being seen, so that text can hide in it.
///
/// Source: Unicode, `DerivedCoreProperties.txt`, `Default_Ignorable_Code_Point` for what is not seen; that list has
/// the letters of direction, too. The separators and the marks of annotations are not in it.
pub fn is_harmful(letter: char) -> bool {
    if letter.is_ascii() {
        return letter.is_ascii_control();
    }
    matches!(
        letter,
        '\u{80}'..='\u{9F}'
            | '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// `text` with a space for each harmful letter: it stays on its line.
pub(crate) fn harmless(text: &str) -> String {
    text.replace(is_harmful, " ")
}

/// Appends `letter`, of a string in JSON, to `text`; a harmful one by its escape, which is the same string.
pub(crate) fn push_in_json(text: &mut String, letter: char) {
    if !is_harmful(letter) {
        text.push(letter);
        return;
    }
    for unit in letter.encode_utf16(&mut [0; 2]) {
        text.push_str(&format!("\\u{unit:04x}"));
    }
}

//! How a snapshot shows stdout.

/// The lines of stdout, each that is compact JSON laid out over several lines with not a letter of it changed; `stdout` as
/// a Rust literal, if its last line does not end, or has an empty one behind it.
pub fn lay_out(stdout: &str) -> String {
    match stdout.strip_suffix('\n') {
        _ if stdout.is_empty() => String::new(),
        Some(lines) if !lines.ends_with('\n') => {
            let lines: Vec<String> = lines.split('\n').map(lay_out_line).collect();
            lines.join("\n")
        }
        _ => format!("{stdout:?}"),
    }
}

fn lay_out_line(line: &str) -> String {
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok();
    match indented(line) {
        Some(text) if is_json => text,
        _ => line.to_owned(),
    }
}

/// `None` if there is white space between the tokens of `json`, which would not be seen.
fn indented(json: &str) -> Option<String> {
    let (mut text, mut depth, mut in_string) = (String::new(), 0, false);
    let mut letters = json.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if in_string => text.extend([Some(letter), letters.next()].into_iter().flatten()),
            '"' => {
                in_string = !in_string;
                text.push(letter);
            }
            _ if in_string => text.push(letter),
            ' ' | '\t' => return None,
            '{' | '[' => {
                text.push(letter);
                match letters.next_if(|next| matches!(next, '}' | ']')) {
                    Some(end) => text.push(end),
                    None => {
                        depth += 1;
                        break_line(&mut text, depth);
                    }
                }
            }
            '}' | ']' => {
                depth -= 1;
                break_line(&mut text, depth);
                text.push(letter);
            }
            ',' => {
                text.push(letter);
                break_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            _ => text.push(letter),
        }
    }
    Some(text)
}

fn break_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
}

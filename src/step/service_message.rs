//! What a refusal of the service says of itself, fit for one line.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::auth::secret::Secret;
use crate::auth::sign_in_refusal::has_token;
use crate::output::answer::Answer;
use crate::output::harmful_letters;
use crate::output::scalar::Scalar;

/// The longest code and the longest message that are repeated, in characters.
const MAX_CODE: usize = 64;
const MAX_MESSAGE: usize = 300;
/// How much of a message is searched for the token, in characters: it may go on behind what is shown.
const MAX_READ: usize = 2000;

/// The service's own code and message; either may be empty.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Said {
    pub(super) code: String,
    pub(super) message: String,
}

/// The envelopes that are known: the service's own, that of its gateway, and RFC 9457.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(default, alias = "title")]
    message: Scalar,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    code: Scalar,
    #[serde(default)]
    message: Scalar,
}

impl Said {
    /// Reads what `answer` says. What repeats `token` is left out; so is the message of a 401, which names the
    /// application and the tenant.
    pub(super) fn of(answer: &Answer, token: &str) -> Self {
        let said = answer.json().map(read).unwrap_or_default();
        let token = Secret::new(token.to_owned());
        let shown = |text: &str, limit| {
            let read: String = text.chars().take(MAX_READ).collect();
            let repeats_token = has_token(&read) || token.is_in(&read);
            match repeats_token {
                true => String::new(),
                false => one_line(&read, limit),
            }
        };
        Self {
            code: shown(&said.code, MAX_CODE),
            message: match answer.status_code {
                401 => String::new(),
                _ => shown(&said.message, MAX_MESSAGE),
            },
        }
    }

    /// Whether it says nothing of itself.
    pub(super) fn is_empty(&self) -> bool {
        self.code.is_empty() && self.message.is_empty()
    }

    /// Returns what the service answered, with its code and message, as a sentence without its full stop.
    pub(super) fn sentence(&self, answer: &Answer) -> String {
        let (status, reason) = (answer.status_code.to_string(), answer.reason);
        let separator = if reason.is_empty() { "" } else { " " };
        // Many a code only repeats the status.
        let is_new = self.code != status && self.code != reason.replace(' ', "");
        let code = if is_new { self.code.as_str() } else { "" };
        let clause = match (code, self.message.trim_end_matches('.')) {
            ("", "") => String::new(),
            (code, "") => format!(", {code}"),
            ("", message) => format!(": \"{message}\""),
            (code, message) => format!(", {code}: \"{message}\""),
        };
        format!("the service answered {status}{separator}{reason}{clause}")
    }
}

fn read(json: &str) -> Said {
    let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(json) else {
        return Said::default();
    };
    let error = envelope.error.map(RawValue::get).unwrap_or_default();
    // A list would be taken for an object without names.
    if error.starts_with('{')
        && let Ok(refusal) = serde_json::from_str::<Refusal>(error)
    {
        return Said {
            code: text(&refusal.code),
            message: text(&refusal.message),
        };
    }
    Said {
        code: String::new(),
        message: serde_json::from_str(error).unwrap_or_else(|_| text(&envelope.message)),
    }
}

fn text(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Text(text) => text.clone(),
        Scalar::Number(number) => number.to_string(),
        Scalar::Other => String::new(),
    }
}

/// The first `limit` characters, on one line, with no letter that commands a terminal or turns the writing.
fn one_line(text: &str, limit: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = harmful_letters::harmless(&words.join(" "));
    match line.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

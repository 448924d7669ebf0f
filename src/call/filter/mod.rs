//! Which actions a list is asked for: checked values become an OData `$filter`, and what comes is held against them.

mod since;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use self::since::Since;
use crate::output::harmful_letters::is_harmful;
use crate::output::scalar::Scalar;

const STATUS: &str = "status";
/// The statuses of actions that are open.
const OPEN: [&str; 2] = ["Pending", "InProgress"];

/// How many values a property may be compared with: the query must fit into the line of a request.
const MAX_VALUES: usize = 25;
/// The longest value, in bytes; a device id has 40.
const MAX_VALUE: usize = 64;

/// What may stand in a query as it is (RFC 3986, section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Which actions are asked for: those that have one of the values that each property may have.
#[derive(Default)]
pub(crate) struct Filter {
    statuses: Vec<String>,
    types: Vec<String>,
    machine_ids: Vec<String>,
    requestors: Vec<String>,
    since: Option<Since>,
}

/// What of an action is held against a filter.
#[derive(Deserialize)]
struct Action {
    #[serde(default)]
    status: Scalar,
    #[serde(rename = "type", default)]
    kind: Scalar,
    #[serde(rename = "machineId", default)]
    machine_id: Scalar,
    #[serde(default)]
    requestor: Scalar,
    #[serde(rename = "creationDateTimeUtc", default)]
    created: Scalar,
}

impl Filter {
    /// Adds statuses, separated by commas. The error of this and of the others is the rule that `text` breaks.
    pub(crate) fn add_statuses(&mut self, text: &str) -> Result<(), &'static str> {
        add_words(&mut self.statuses, text)
    }

    /// Adds types of actions, separated by commas.
    pub(crate) fn add_types(&mut self, text: &str) -> Result<(), &'static str> {
        add_words(&mut self.types, text)
    }

    /// Adds ids of devices, separated by commas.
    pub(crate) fn add_machine_ids(&mut self, text: &str) -> Result<(), &'static str> {
        add_words(&mut self.machine_ids, text)
    }

    /// Adds a requestor: it may have commas in its name, but nothing that a reader of a query might take for its end.
    pub(crate) fn add_requestor(&mut self, text: &str) -> Result<(), &'static str> {
        const RULE: &str = "must be a name of 1 to 64 bytes without quotes, backslashes, percent signs and control characters";
        if !(1..=MAX_VALUE).contains(&text.len())
            || text.contains(is_quote)
            || text.contains(is_harmful)
        {
            return Err(RULE);
        }
        add(&mut self.requestors, text)
    }

    /// Sets from when on the actions were created.
    pub(crate) fn set_since(&mut self, text: &str) -> Result<(), &'static str> {
        self.since = Some(Since::parse(text)?);
        Ok(())
    }

    /// Returns the query of the first page; without a status that of the open actions.
    pub(crate) fn query(&self) -> String {
        let clauses = self
            .properties()
            .into_iter()
            .filter_map(|(name, values)| clause(name, &values));
        let since = self
            .since
            .as_ref()
            .map(|since| format!("creationDateTimeUtc ge {since}"));
        let filter: Vec<String> = clauses.chain(since).collect();
        format!(
            "$filter={}",
            utf8_percent_encode(&filter.join(" and "), ENCODED)
        )
    }

    /// Whether the action that `json` is, is one that was asked for: whatever became of the query on the way to the
    /// service. One without a status passes unless a status was asked for. `None` if it cannot be known: a property stands
    /// there twice.
    pub(crate) fn matches(&self, json: &str) -> Option<bool> {
        let action = serde_json::from_str::<Action>(json).ok()?;
        let held = [
            &action.status,
            &action.kind,
            &action.machine_id,
            &action.requestor,
        ];
        let mut pairs = self.properties().into_iter().zip(held.map(Scalar::text));
        let has_values = pairs.all(|((name, wanted), held)| match held {
            Some(held) => {
                wanted.is_empty()
                    || wanted
                        .iter()
                        .any(|wanted| wanted.eq_ignore_ascii_case(held))
            }
            None => wanted.is_empty() || (name == STATUS && self.statuses.is_empty()),
        });
        let created = action.created.text().unwrap_or_default();
        let since = self.since.as_ref();
        Some(has_values && since.is_none_or(|since| since.is_before(created)))
    }

    /// Returns the names of the properties, each with the values that it may have: any, if there are none.
    fn properties(&self) -> [(&'static str, Vec<&str>); 4] {
        let mut statuses = texts(&self.statuses);
        if statuses.is_empty() {
            statuses.extend(OPEN);
        }
        [
            (STATUS, statuses),
            ("type", texts(&self.types)),
            ("machineId", texts(&self.machine_ids)),
            ("requestor", texts(&self.requestors)),
        ]
    }
}

fn texts(values: &[String]) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}

/// Compares the property `name` with `values`. A quote in a value would be doubled (OData 4.01, URL Conventions, "Primitive
/// Literals"); none of them may have one.
fn clause(name: &str, values: &[&str]) -> Option<String> {
    let compare = |value: &&str| format!("{name} eq '{}'", value.replace('\'', "''"));
    let compared: Vec<String> = values.iter().map(compare).collect();
    match compared.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        many => Some(format!("({})", many.join(" or "))),
    }
}

/// Adds what `text` has between its commas: words of letters and digits.
fn add_words(values: &mut Vec<String>, text: &str) -> Result<(), &'static str> {
    let is_word = |word: &str| {
        (1..=MAX_VALUE).contains(&word.len())
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if !text.split(',').all(is_word) {
        return Err("must be letters and digits; several are separated by commas without spaces");
    }
    text.split(',').try_for_each(|word| add(values, word))
}

fn add(values: &mut Vec<String>, value: &str) -> Result<(), &'static str> {
    if values.len() == MAX_VALUES {
        return Err("must have 25 values at most: make several lists");
    }
    values.push(value.to_owned());
    Ok(())
}

/// Whether some reader may take `letter` for a quote, or for the beginning of one that is encoded.
fn is_quote(letter: char) -> bool {
    matches!(
        letter,
        '\'' | '"' | '`' | '\\' | '%' | '\u{2BC}' | '\u{2018}'
            ..='\u{201F}' | '\u{2032}' | '\u{FF02}' | '\u{FF07}' | '\u{FF05}'
    )
}

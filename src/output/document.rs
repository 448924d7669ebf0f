//! The JSON on stdout: answer and failure, one document on one line.

use std::collections::BTreeMap;
use std::io::{self, Write};

use schemars::JsonSchema;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::output::failure::{ExitStatus, Failure};
use crate::output::layout::Layout;
use crate::output::machine_action::ServiceObject;
use crate::step::verify::Outcome;

/// What the service answered, whatever its status.
///
/// Source: the connector's specification of the step, "Output".
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Cancel Machine Action: output")]
pub struct Answer {
    /// The HTTP status code. 2xx means that the service accepted the cancel, not that the action was stopped.
    #[schemars(range(min = 100, max = 999))]
    pub status_code: u16,
    /// The standard phrase of the status code (RFC 9110 and the registry of HTTP status codes); empty if it has none.
    pub reason: &'static str,
    /// The headers of the answer as they came over the wire, each name spelled one way.
    pub response_headers: Headers,
    /// The body.
    #[serde(flatten)]
    pub body: Body,
    /// What has truly become of the action; only if it was waited for (`MDE_WAIT`). All else is then as the last read has brought it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Outcome")]
    pub outcome: Option<Outcome>,
}

impl Answer {
    /// Whether the service accepted the cancel.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status_code)
    }

    /// The service's object, if the body is one.
    #[must_use]
    pub fn json(&self) -> Option<&str> {
        match &self.body {
            Body::Json(json) => Some(json.get()),
            Body::Text(_) => None,
        }
    }

    /// The status that the process ends with.
    #[must_use]
    pub fn exit_status(&self) -> ExitStatus {
        match self.outcome {
            Some(Outcome::Cancelled) => ExitStatus::Accepted,
            Some(_) => ExitStatus::NotCancelled,
            None if self.is_success() => ExitStatus::Accepted,
            None => ExitStatus::Refused,
        }
    }
}

/// The body of an answer: the service's object, or the text of what is no JSON object.
#[derive(Debug, Serialize, JsonSchema)]
pub enum Body {
    /// The service's object, unchanged: every key in its order, known or not.
    #[serde(rename = "json_body")]
    Json(#[schemars(with = "ServiceObject")] Box<RawValue>),
    /// The decoded text of a body that is not a JSON object: nothing, a proxy's page, a bare array.
    #[serde(rename = "response_text")]
    Text(#[schemars(description = "The decoded text of a body that is not a JSON object.")] String),
}

/// The headers of an answer, in their order: name and value.
#[derive(Debug, JsonSchema)]
pub struct Headers(#[schemars(with = "DocumentedHeaders")] pub Vec<(String, String)>);

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// The headers that are documented; each may be missing, and others may be there. A repeated header's values are
/// joined with a comma and a space.
///
/// Source: the connector's specification of the step, "Response Headers".
#[derive(Serialize, JsonSchema)]
#[schemars(transform = crate::output::machine_action::nothing_required)]
pub struct DocumentedHeaders {
    /// When the answer was made.
    #[serde(rename = "Date")]
    pub date: String,
    /// Media type of the body.
    #[serde(rename = "Content-Type")]
    pub content_type: String,
    /// How the body was framed on the wire.
    #[serde(rename = "Transfer-Encoding")]
    pub transfer_encoding: String,
    /// What becomes of the connection.
    #[serde(rename = "Connection")]
    pub connection: String,
    /// How the body was compressed on the wire; it is decoded here.
    #[serde(rename = "Content-Encoding")]
    pub content_encoding: String,
    /// Request headers that the answer depends on.
    #[serde(rename = "Vary")]
    pub vary: String,
    /// Id by which the vendor's support finds the call.
    #[serde(rename = "mise-correlation-id")]
    pub mise_correlation_id: String,
    /// Version of the OData protocol.
    #[serde(rename = "OData-Version")]
    pub odata_version: String,
    /// The service's HTTPS policy.
    #[serde(rename = "Strict-Transport-Security")]
    pub strict_transport_security: String,
    /// Any other header, in Train-Case.
    #[serde(flatten)]
    pub others: BTreeMap<String, String>,
}

impl Headers {
    /// The documented names that are not in Train-Case, as documented.
    const SPELLED_OTHERWISE: [&'static str; 2] = ["mise-correlation-id", "OData-Version"];

    /// The one spelling of `name`, whatever the wire's.
    #[must_use]
    pub fn spell(name: &str) -> String {
        for documented in Self::SPELLED_OTHERWISE {
            if documented.eq_ignore_ascii_case(name) {
                return documented.to_owned();
            }
        }
        let mut begins_word = true;
        let spell = |letter: char| {
            let spelled = if begins_word {
                letter.to_ascii_uppercase()
            } else {
                letter.to_ascii_lowercase()
            };
            begins_word = letter == '-';
            spelled
        };
        name.chars().map(spell).collect()
    }
}

/// The failure, under the one key that tells it from an answer.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Cancel Machine Action: failure")]
pub struct FailureDocument<'a> {
    /// Why there is no answer.
    pub error: &'a Failure,
}

/// Writes `document` and flushes it: on one line, or indented for a person at a terminal.
///
/// # Errors
///
/// The document did not get out whole.
pub fn write(
    stdout: &mut dyn Write,
    document: &impl Serialize,
    is_terminal: bool,
) -> io::Result<()> {
    let mut layout = Layout::new(stdout, is_terminal);
    serde_json::to_writer(&mut layout, document)?;
    layout.end()
}

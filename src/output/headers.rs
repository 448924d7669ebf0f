//! The headers of an answer, spelled one way whatever the wire did.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

/// The headers of an answer, in their order: name and value.
#[derive(Debug, JsonSchema)]
pub struct Headers(#[schemars(with = "DocumentedHeaders")] pub Vec<(String, String)>);

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The response headers. Each of the documented ones may be missing, and there may be others. The values of a repeated
/// header are joined with a comma and a space.
///
/// Source: the connector's specification of the step, "Response Headers".
#[derive(Serialize, JsonSchema)]
#[schemars(transform = crate::output::machine_action::nothing_required)]
pub struct DocumentedHeaders {
    /// When the service made the answer.
    #[serde(rename = "Date")]
    pub(crate) date: String,
    /// Media type of the body.
    #[serde(rename = "Content-Type")]
    pub(crate) content_type: String,
    /// How the end of the body was marked on the wire.
    #[serde(rename = "Transfer-Encoding")]
    pub(crate) transfer_encoding: String,
    /// Whether the connection stays open.
    #[serde(rename = "Connection")]
    pub(crate) connection: String,
    /// How the body was compressed on the wire; in this document it is decoded.
    #[serde(rename = "Content-Encoding")]
    pub(crate) content_encoding: String,
    /// The request headers that the answer depends on.
    #[serde(rename = "Vary")]
    pub(crate) vary: String,
    /// Id of the call, for Microsoft's support.
    #[serde(rename = "mise-correlation-id")]
    pub(crate) mise_correlation_id: String,
    /// Version of the OData protocol.
    #[serde(rename = "OData-Version")]
    pub(crate) odata_version: String,
    /// The service's HTTPS policy.
    #[serde(rename = "Strict-Transport-Security")]
    pub(crate) strict_transport_security: String,
    /// Any other header, in Train-Case.
    #[serde(flatten)]
    pub(crate) others: BTreeMap<String, String>,
}

impl Headers {
    /// The documented names that are not in Train-Case, as documented.
    const SPELLED_OTHERWISE: [&'static str; 2] = ["mise-correlation-id", "OData-Version"];

    /// The one spelling of `name`, whatever the wire's.
    pub(crate) fn spell(name: &str) -> String {
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

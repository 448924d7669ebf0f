//! What the sign-in service says when it refuses.

use serde::Deserialize;

use crate::response::{self, Received};

/// Whether the sign-in service's answer is a refusal that may pass by itself.
#[must_use]
pub fn is_transient(received: &Received) -> bool {
    let body = response::decoded_body(received).unwrap_or_default();
    serde_json::from_slice(&body).is_ok_and(|refusal: Refusal| refusal.is_transient())
}

/// A refusal of the sign-in service (RFC 6749, section 5.2). Its trace ids and times stay out of every message.
#[derive(Deserialize)]
pub(super) struct Refusal {
    /// App Service sends a `statusCode` in its place.
    #[serde(default)]
    error: Option<String>,
    #[serde(alias = "message", default)]
    error_description: Option<String>,
}

impl Refusal {
    /// The longest text of the sign-in service that a message repeats, in characters.
    const MAX_SHOWN: usize = 400;

    /// The code, and the description without the trace that follows it, as one sentence:
    /// `invalid_client: AADSTS7000215: …` What `blot` blots out is not shown.
    pub(super) fn sentence(&self, blot: impl Fn(&str) -> String) -> String {
        let is_code = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
        let code = match blot(self.error.as_deref().unwrap_or_default()) {
            code if code.is_empty() => "error".to_owned(),
            code if code.len() <= 64 && code.chars().all(is_code) && !code.starts_with("eyJ") => {
                code
            }
            _ => "an unnamed error".to_owned(),
        };
        let description = self.description().lines().next().unwrap_or_default();
        let mut description = blot(description);
        for trace in [" Trace ID:", " Correlation ID:", " Timestamp:"] {
            let end = description.find(trace).unwrap_or(description.len());
            description.truncate(end);
        }
        let words = description.split(' ').map(|word| {
            // Every JSON Web Token begins so: what a service repeats of an assertion is not shown.
            if word.contains("eyJ") {
                "[token]"
            } else {
                word
            }
        });
        let description = words.collect::<Vec<&str>>().join(" ");
        let description: String = description.trim().chars().take(Self::MAX_SHOWN).collect();
        match description.as_str() {
            "" => format!("{code}."),
            text if text.ends_with(['.', '!', '?']) => format!("{code}: {text}"),
            text => format!("{code}: {text}."),
        }
    }

    fn description(&self) -> &str {
        self.error_description.as_deref().unwrap_or_default()
    }

    /// The number behind `AADSTS`, which tells one reason from another.
    fn number(&self) -> Option<u32> {
        let (_, rest) = self.description().split_once("AADSTS")?;
        let end = rest.find(|letter: char| !letter.is_ascii_digit());
        rest.get(..end.unwrap_or(rest.len()))?.parse().ok()
    }

    /// Whether the refusal may pass by itself. Source of the numbers: "Microsoft Entra authentication & authorization
    /// error codes".
    pub(super) fn is_transient(&self) -> bool {
        matches!(self.number(), Some(90055 | 90024 | 90006 | 90033))
            || matches!(
                self.error.as_deref(),
                Some("temporarily_unavailable" | "server_error")
            )
    }

    /// What helps against a refusal that does not pass by itself. Source of the numbers: as above.
    pub(super) fn hint(&self) -> &'static str {
        match self.number() {
            Some(7_000_215) => {
                "Set AZURE_CLIENT_SECRET to the secret's value: its id does not sign in."
            }
            Some(7_000_222) => {
                "The client secret has expired: create a new one and set AZURE_CLIENT_SECRET to its value."
            }
            Some(700_016) => {
                "The tenant has no such application: check AZURE_CLIENT_ID and AZURE_TENANT_ID."
            }
            Some(90_002) => {
                "There is no such tenant: check AZURE_TENANT_ID, and MDE_CLOUD if it is a government tenant."
            }
            Some(90_038 | 900_382 | 900_432) => {
                "The tenant is in another national cloud: set MDE_CLOUD."
            }
            Some(500_011) => {
                "The tenant does not know the API: check MDE_SCOPE and MDE_CLOUD, and that the tenant has Defender for \
                 Endpoint."
            }
            Some(70_011) => "Check MDE_SCOPE: it must be one resource followed by /.default.",
            Some(7_000_112) => {
                "The application is disabled: enable it under Enterprise applications."
            }
            Some(50_012 | 700_027) => {
                "Check that the certificate is uploaded to the app registration and that the key belongs to it."
            }
            Some(700_024) => "Set this machine's clock: the assertion is outside its time.",
            Some(70_021 | 700_211..=700_213) => {
                "No federated credential of the app registration matches the token's issuer, subject and audience."
            }
            _ => "Check AZURE_TENANT_ID, AZURE_CLIENT_ID and the credential.",
        }
    }
}

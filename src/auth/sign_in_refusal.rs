//! What the sign-in service says when it refuses.

use serde::Deserialize;

use crate::auth::decodings::layers;
use crate::auth::secret::Secret;
use crate::call::received::Received;

/// Whether the sign-in service's answer is a refusal that may pass by itself.
pub(super) fn is_transient(received: &Received) -> bool {
    serde_json::from_slice(received.decoded()).is_ok_and(|refusal: Refusal| refusal.is_transient())
}

/// What stands for a code that is not shown.
const UNNAMED: &str = "an unnamed error";

/// Whether a JSON Web Token is in `text`: every one begins so.
pub(crate) fn has_token(text: &str) -> bool {
    layers(text).iter().any(|text| text.contains("eyJ"))
}

/// Returns `code` if it looks like one.
fn safe_code(code: &str) -> &str {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    match code {
        "" => "error",
        code if code.len() <= 64 && code.chars().all(is_allowed) => code,
        _ => UNNAMED,
    }
}

fn without_trace(line: &str) -> &str {
    let traces = [" Trace ID:", " Correlation ID:", " Timestamp:"];
    let starts = traces.iter().filter_map(|trace| line.find(trace));
    let end = starts.min().unwrap_or(line.len());
    line.get(..end).unwrap_or_default().trim()
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
    /// How much of that text is searched for a credential, in characters.
    const MAX_READ: usize = 2000;

    /// The code, and the description without the trace that follows it, as one sentence:
    /// `invalid_client: AADSTS7000215: …` What repeats `proof` or a token, in whatever encoding, is not shown.
    pub(super) fn sentence(&self, proof: Option<&Secret>) -> String {
        let repeats = |text: &str| has_token(text) || proof.is_some_and(|proof| proof.is_in(text));
        let code = safe_code(self.error.as_deref().unwrap_or_default());
        let line = self.description().lines().next().unwrap_or_default();
        let shown: String = without_trace(line).chars().take(Self::MAX_SHOWN).collect();
        let sentence = match shown.as_str() {
            "" => format!("{code}."),
            text if text.ends_with(['.', '!', '?']) => format!("{code}: {text}"),
            text => format!("{code}: {text}."),
        };
        // A credential at the end of what is shown may go on behind it.
        let more: String = self.description().chars().take(Self::MAX_READ).collect();
        if !repeats(&format!("{sentence} {more}")) {
            return sentence;
        }
        let code = if repeats(code) { UNNAMED } else { code };
        format!("{code} (its message is not shown, because it repeats a credential).")
    }

    /// Whether it has a code or a description.
    pub(super) fn says_why(&self) -> bool {
        self.error.is_some() || !self.description().is_empty()
    }

    fn description(&self) -> &str {
        self.error_description.as_deref().unwrap_or_default()
    }

    /// Returns the number behind `AADSTS`, which names the reason.
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
            Some(7_000_215 | 7_000_222) => {
                "Set AZURE_CLIENT_SECRET (or its file) to the value, not the id, of a secret that has not expired."
            }
            Some(700_016) => {
                "The tenant has no such application: check AZURE_CLIENT_ID and AZURE_TENANT_ID."
            }
            Some(90_002) => {
                "There is no such tenant: check AZURE_TENANT_ID. For a government tenant, check MDE_CLOUD too."
            }
            Some(90_038 | 900_382 | 900_432) => {
                "The tenant is in another national cloud: set MDE_CLOUD to it (commercial, gcc, gcc-high or dod)."
            }
            Some(500_011) => {
                "The tenant does not know the API: check MDE_SCOPE and MDE_CLOUD, and that the tenant has Defender for \
                 Endpoint."
            }
            Some(70_011 | 1_002_012) => {
                "Check MDE_SCOPE: it must be one resource followed by /.default."
            }
            Some(7_000_112) => {
                "The application is disabled: enable it under Enterprise applications."
            }
            Some(50_012 | 700_027) => {
                "Check that the certificate is uploaded to the app registration, and that the private key matches it."
            }
            Some(700_024) => {
                "The assertion is outside its validity period: correct this machine's clock, or renew the federated token."
            }
            Some(53_003) => {
                "A Conditional Access policy blocks this application: ask who administers Microsoft Entra ID."
            }
            Some(70_021 | 700_211..=700_213) => {
                "No federated credential of the app registration matches the token: compare the issuer, subject and audience of both."
            }
            _ => "Check AZURE_TENANT_ID, AZURE_CLIENT_ID and the credential.",
        }
    }
}

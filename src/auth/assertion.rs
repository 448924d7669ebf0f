//! The signed statement that stands for a client secret (RFC 7523, section 2.2).
//!
//! Source: "Microsoft identity platform application authentication certificate credentials".

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{RSA_PSS_SHA256, RsaKeyPair};
use serde::Serialize;

use crate::auth::certificate::ClientCertificate;

/// How long an assertion is valid; the service takes ten minutes at most.
const LIFETIME: Duration = Duration::from_secs(5 * 60);

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(rename = "x5t#S256")]
    thumbprint: &'a str,
}

#[derive(Serialize)]
struct Statement<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    nbf: u64,
    iat: u64,
    exp: u64,
}

/// Returns the statement, signed with the certificate's key, that the caller of `token_url` is `client_id`. Fails if
/// the system has no random numbers.
pub(super) fn sign(
    certificate: &ClientCertificate,
    token_url: &str,
    client_id: &str,
    now: SystemTime,
) -> Result<String, Unspecified> {
    let random = SystemRandom::new();
    // Only has to be unique.
    let mut id = [0; 16];
    random.fill(&mut id)?;
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let header = Header {
        alg: "PS256",
        typ: "JWT",
        thumbprint: &certificate.thumbprint,
    };
    let statement = Statement {
        aud: token_url,
        iss: client_id,
        sub: client_id,
        jti: BASE64_URL_SAFE_NO_PAD.encode(id),
        nbf: now.as_secs(),
        iat: now.as_secs(),
        exp: (now + LIFETIME).as_secs(),
    };
    let text = format!("{}.{}", encode(&header), encode(&statement));
    let signature = signature(&certificate.key, text.as_bytes(), &random)?;
    Ok(format!("{text}.{signature}"))
}

fn encode(part: &impl Serialize) -> String {
    // Neither part has anything that cannot be serialised.
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).unwrap_or_default())
}

fn signature(key: &RsaKeyPair, bytes: &[u8], random: &SystemRandom) -> Result<String, Unspecified> {
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PSS_SHA256, random, bytes, &mut signature)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(signature))
}

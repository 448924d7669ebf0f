//! A certificate and its private key, and the assertion that they make.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{RSA_PSS_SHA256, RsaKeyPair};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Serialize;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::output::failure::{Failure, FailureCode};

/// How long an assertion is valid; the service takes ten minutes at most.
const LIFETIME: Duration = Duration::from_secs(5 * 60);

/// A certificate of an app registration, with the private RSA key that belongs to it.
pub struct ClientCertificate {
    key: RsaKeyPair,
    /// SHA-256 of the DER certificate, in base64url: what the service finds the certificate by.
    thumbprint: String,
}

impl ClientCertificate {
    /// The certificate and the key in the file `bytes`, both valid at `now` and made for each other.
    ///
    /// # Errors
    ///
    /// What is wrong with them, and the command that mends it.
    pub fn parse(bytes: &[u8], now: SystemTime) -> Result<Self, &'static str> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        // DER is a sequence whose length takes more than one byte.
        if matches!(bytes, [0x30, length, ..] if *length >= 0x80) {
            return Err(
                "names a PFX or DER file; make a PEM file of it: `openssl pkcs12 -in client.pfx -nodes -out client.pem`",
            );
        }
        let is_encrypted = [&b"ENCRYPTED PRIVATE KEY"[..], b"Proc-Type: 4,ENCRYPTED"]
            .iter()
            .any(|mark| bytes.windows(mark.len()).any(|window| window == *mark));
        if is_encrypted {
            return Err(
                "names a file whose private key is encrypted; decrypt it: `(openssl x509 -in client.pem; openssl pkey -in \
                 client.pem) > decrypted.pem`",
            );
        }
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
        let certificates = certificates.map_err(|_| "names a file that is not PEM")?;
        if certificates.is_empty() {
            return Err(
                "names a file without a certificate; put both into one: `cat certificate.pem key.pem > client.pem`",
            );
        }
        let key = PrivateKeyDer::from_pem_slice(bytes).map_err(|error| match error {
            pem::Error::NoItemsFound => {
                "names a file without a private key; put both into one: `cat certificate.pem key.pem > client.pem`"
            }
            _ => "names a file that is not PEM",
        })?;
        let key = rsa_key(&key)?;
        let matching = certificates
            .iter()
            .filter_map(|der| Some((der, Certificate::from_der(der).ok()?)))
            .filter(|(_, certificate)| public_key(certificate) == Some(key.public().as_ref()));
        // The one that is renewed stands beside the old one, in any order.
        let (der, certificate) = matching
            .max_by_key(|(_, certificate)| {
                let validity = certificate.tbs_certificate().validity();
                let has_begun = validity.not_before.to_system_time() <= now;
                (has_begun, validity.not_after.to_system_time())
            })
            .ok_or(
                "names a file whose private key does not belong to its certificate; compare: `openssl x509 -in client.pem \
                 -noout -pubkey; openssl pkey -in client.pem -pubout`",
            )?;
        let validity = certificate.tbs_certificate().validity();
        if now > validity.not_after.to_system_time() {
            return Err(
                "names a certificate that has expired; make and upload a new one: `openssl req -x509 -newkey rsa:2048 \
                 -nodes -days 365 -subj /CN=cancel-machine-action -keyout key.pem -out certificate.pem`",
            );
        }
        if now < validity.not_before.to_system_time() {
            return Err(
                "names a certificate that is not valid yet; compare with this machine's clock: `date -u`",
            );
        }
        Ok(Self {
            key,
            thumbprint: BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, der)),
        })
    }

    /// The signed statement that the caller is the application, for one call of `token_url`.
    ///
    /// Source: "Microsoft identity platform application authentication certificate credentials".
    ///
    /// # Errors
    ///
    /// The operating system has no random numbers.
    pub fn assertion(
        &self,
        token_url: &str,
        client_id: &str,
        now: SystemTime,
    ) -> Result<String, Failure> {
        let random = SystemRandom::new();
        let issued = seconds(now);
        let header = Header {
            alg: "PS256",
            typ: "JWT",
            thumbprint: &self.thumbprint,
        };
        let claims = Claims {
            aud: token_url,
            iss: client_id,
            sub: client_id,
            jti: guid(&random)?,
            nbf: issued,
            iat: issued,
            exp: issued + LIFETIME.as_secs(),
        };
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PSS_SHA256, &random, signed.as_bytes(), &mut signature)
            .map_err(|_| not_signed())?;
        Ok(format!(
            "{signed}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(signature)
        ))
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ClientCertificate")
    }
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(rename = "x5t#S256")]
    thumbprint: &'a str,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    nbf: u64,
    iat: u64,
    exp: u64,
}

fn encode(part: &impl Serialize) -> String {
    // Neither part has anything that cannot be serialised.
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).unwrap_or_default())
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

/// A random GUID (RFC 9562, version 4).
fn guid(random: &SystemRandom) -> Result<String, Failure> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes).map_err(|_| not_signed())?;
    let number = u128::from_be_bytes(bytes) & !(0xF << 76) | 4 << 76;
    let number = number & !(0b11 << 62) | 0b10 << 62;
    let digits = format!("{number:032x}");
    let mut guid = String::with_capacity(36);
    for (index, digit) in digits.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            guid.push('-');
        }
        guid.push(digit);
    }
    Ok(guid)
}

fn not_signed() -> Failure {
    Failure::new(
        FailureCode::InvalidSettings,
        "the assertion cannot be signed: this machine gives no random numbers. Nothing was sent.",
    )
}

fn rsa_key(key: &PrivateKeyDer<'_>) -> Result<RsaKeyPair, &'static str> {
    let parsed = match key {
        PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()).ok(),
        PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).ok(),
        _ => None,
    };
    parsed.ok_or(
        "names a file whose private key is no RSA key of 2048 to 4096 bits; make one: `openssl req -x509 -newkey rsa:2048 \
         -nodes -days 365 -subj /CN=cancel-machine-action -keyout key.pem -out certificate.pem`",
    )
}

/// The RSA public key in the certificate, in DER.
fn public_key(certificate: &Certificate) -> Option<&[u8]> {
    certificate
        .tbs_certificate()
        .subject_public_key_info()
        .subject_public_key
        .as_bytes()
}

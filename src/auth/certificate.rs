//! A certificate of an app registration, and the private key that belongs to it.

use std::time::SystemTime;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::signature::RsaKeyPair;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_cert::Certificate;
use x509_cert::der::Decode;

const NOT_PEM: &str = "names a file that is not PEM";

/// A certificate with the private RSA key that belongs to it.
pub(crate) struct ClientCertificate {
    pub(super) key: RsaKeyPair,
    /// SHA-256 of the DER certificate, in base64url: what the service finds the certificate by.
    pub(super) thumbprint: String,
}

impl ClientCertificate {
    /// Finds the certificate and the key in the file `bytes`, both valid at `now` and made for each other. The error is
    /// what is wrong with them, and the command that mends it.
    pub(crate) fn parse(bytes: &[u8], now: SystemTime) -> Result<Self, &'static str> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        reject_other_formats(bytes)?;
        let certificates = certificates(bytes)?;
        let key = private_key(bytes)?;
        let (der, certificate) = newest_match(&certificates, &key, now)?;
        check_validity(&certificate, now)?;
        Ok(Self {
            key,
            thumbprint: BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, der)),
        })
    }
}

fn reject_other_formats(bytes: &[u8]) -> Result<(), &'static str> {
    // DER is a sequence whose length takes more than one byte.
    if matches!(bytes, [0x30, length, ..] if *length >= 0x80) {
        return Err(
            "names a PFX or DER file; convert it to PEM: `openssl pkcs12 -in client.pfx -nodes -out client.pem`",
        );
    }
    let has = |mark: &[u8]| bytes.windows(mark.len()).any(|window| window == mark);
    if has(b"ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED") {
        return Err(
            "names a file whose private key is encrypted; decrypt the key: `(openssl x509 -in client.pem; openssl pkey -in \
             client.pem) > decrypted.pem`",
        );
    }
    Ok(())
}

fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'_>>, &'static str> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(
            "names a file without a certificate; put the certificate and its private key into one file: `cat certificate.pem key.pem > client.pem`",
        ),
        found => found.map_err(|_| NOT_PEM),
    }
}

fn private_key(bytes: &[u8]) -> Result<RsaKeyPair, &'static str> {
    let key = PrivateKeyDer::from_pem_slice(bytes).map_err(|error| match error {
        pem::Error::NoItemsFound => {
            "names a file without a private key; put the certificate and its private key into one file: `cat certificate.pem key.pem > client.pem`"
        }
        _ => NOT_PEM,
    })?;
    let parsed = match &key {
        PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()).ok(),
        PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).ok(),
        _ => None,
    };
    parsed.ok_or(
        "names a file whose private key is not an RSA key of 2048, 3072 or 4096 bits with the exponent 65537; make a new key and certificate: `openssl req -x509 -newkey rsa:2048 \
         -nodes -days 365 -subj /CN=cancel-machine-action -keyout key.pem -out certificate.pem`",
    )
}

/// Returns the certificate of `key` that is good for longest. A renewed one may stand beside the old one, in any order.
fn newest_match<'a>(
    certificates: &'a [CertificateDer<'a>],
    key: &RsaKeyPair,
    now: SystemTime,
) -> Result<(&'a CertificateDer<'a>, Certificate), &'static str> {
    certificates
        .iter()
        .filter_map(|der| Some((der, Certificate::from_der(der).ok()?)))
        .filter(|(_, certificate)| public_key(certificate) == Some(key.public().as_ref()))
        .max_by_key(|(_, certificate)| {
            let validity = certificate.tbs_certificate().validity();
            let has_begun = validity.not_before.to_system_time() <= now;
            (has_begun, validity.not_after.to_system_time())
        })
        .ok_or(
            "names a file whose private key does not match its certificate; compare the public keys: `openssl x509 -in client.pem \
             -noout -pubkey; openssl pkey -in client.pem -pubout`",
        )
}

/// Returns the RSA public key in the certificate, in DER.
fn public_key(certificate: &Certificate) -> Option<&[u8]> {
    certificate
        .tbs_certificate()
        .subject_public_key_info()
        .subject_public_key
        .as_bytes()
}

fn check_validity(certificate: &Certificate, now: SystemTime) -> Result<(), &'static str> {
    let validity = certificate.tbs_certificate().validity();
    if now > validity.not_after.to_system_time() {
        return Err(
            "names a certificate that has expired; make a new one and upload it: `openssl req -x509 -newkey rsa:2048 -nodes \
             -days 365 -subj /CN=cancel-machine-action -keyout key.pem -out certificate.pem`",
        );
    }
    if now < validity.not_before.to_system_time() {
        return Err(
            "names a certificate that is not valid yet; check this machine's clock: `date -u`",
        );
    }
    Ok(())
}

//! Names the issuer of a certificate that is not trusted: a proxy that inspects TLS is found by that name.

use std::fmt;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};
use x509_cert::der::Decode;

use crate::output::harmful_letters::is_harmful;

/// Why a certificate is not trusted: who issued it, by common name, unit and organization, as RFC 4514 writes them.
#[derive(Debug)]
pub(crate) struct UntrustedIssuer(String);

impl fmt::Display for UntrustedIssuer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for UntrustedIssuer {}

/// Leaves every verdict to rustls, and adds the issuer's name to one of them.
#[derive(Debug)]
pub(super) struct NamingVerifier(pub(super) Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for NamingVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict =
            self.0
                .verify_server_cert(certificate, intermediates, name, ocsp_response, now);
        verdict.map_err(|error| match error {
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
                let issuer = issuer(intermediates.last().unwrap_or(certificate));
                let reason = OtherError(Arc::new(UntrustedIssuer(issuer)));
                rustls::Error::InvalidCertificate(CertificateError::Other(reason))
            }
            other => other,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// The longest issuer that a message repeats, in characters: whoever answers chooses it.
const MAX_SHOWN_ISSUER: usize = 120;

fn issuer(certificate: &CertificateDer<'_>) -> String {
    let certificate = x509_cert::Certificate::from_der(certificate).ok();
    let name = certificate
        .as_ref()
        .map(|certificate| certificate.tbs_certificate().issuer());
    // The library could write any name in full, but only with a table of all names of attributes that there are.
    let parts = [
        ("CN", name.and_then(|name| name.common_name().ok()?)),
        ("OU", name.and_then(|name| name.organization_unit().ok()?)),
        ("O", name.and_then(|name| name.organization().ok()?)),
    ];
    let named = parts
        .into_iter()
        .filter_map(|(label, part)| Some(format!("{label}={}", escaped(&part?.value()))));
    let issuer = named.collect::<Vec<_>>().join(",");
    match issuer.is_empty() {
        true => "without a name".to_owned(),
        false => issuer.chars().take(MAX_SHOWN_ISSUER).collect(),
    }
}

/// A part of a name cannot feign another (RFC 4514, section 2.4), nor write to a terminal.
fn escaped(part: &str) -> String {
    let mut escaped = String::new();
    for letter in part.chars() {
        if ",+\"\\<>;=#".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(if is_harmful(letter) { ' ' } else { letter });
    }
    escaped
}

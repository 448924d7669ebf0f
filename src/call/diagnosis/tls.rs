//! A secure connection that could not be made, or that broke.

use std::io;

use rustls::{CertificateError, OtherError};
use ureq::Error;

use super::peer::{Diagnosis, Peer};
use crate::call::wire::issuer::UntrustedIssuer;
use crate::call::wire::progress::Stage;
use crate::output::failure::FailureCode;

pub(super) fn is_untrusted_issuer(error: &io::Error) -> bool {
    let error = error.get_ref().and_then(|error| error.downcast_ref());
    matches!(
        error,
        Some(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(reason))))
            if reason.is::<UntrustedIssuer>()
    )
}

pub(super) fn error_in(error: &Error) -> Option<&rustls::Error> {
    match error {
        Error::Rustls(error) => Some(error),
        Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

pub(super) fn diagnose(error: &rustls::Error, stage: Stage, peer: &Peer) -> Diagnosis {
    let host = &peer.host;
    if stage > Stage::Handshake {
        return Diagnosis::new(
            FailureCode::NetworkError,
            format!("the secure connection to {host} broke"),
            "Check what stands between, then try again.",
        );
    }
    match error {
        rustls::Error::InvalidCertificate(reason) => diagnose_certificate(reason, peer),
        rustls::Error::InvalidMessage(_) => Diagnosis::tls(
            match &peer.proxy {
                None => format!("{host} did not answer in TLS"),
                Some(proxy) => {
                    format!("{host}, or the proxy {proxy} on the way to it, did not answer in TLS")
                }
            },
            format!("Check the host and port in {}.", peer.setting()),
        ),
        _ => Diagnosis::tls(
            format!("no secure connection to {host} could be made"),
            format!("Check {} and any proxy between.", peer.setting()),
        ),
    }
}

fn diagnose_certificate(reason: &CertificateError, peer: &Peer) -> Diagnosis {
    let host = &peer.host;
    match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Diagnosis::tls(
            format!("the certificate of {host} has expired"),
            "Renew it there, or set this machine's clock.",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Diagnosis::tls(
                format!("the certificate of {host} is not valid yet"),
                "Set this machine's clock.",
            )
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Diagnosis::tls(
                format!("the certificate of {host} is for another name"),
                format!("Check {}.", peer.setting()),
            )
        }
        CertificateError::Other(OtherError(reason)) if reason.is::<UntrustedIssuer>() => {
            Diagnosis::tls(
                format!("the certificate of {host} is from an unknown issuer ({reason})"),
                "If a proxy inspects TLS, name a PEM file with its certificate authority in SSL_CERT_FILE.",
            )
        }
        // The library names this case only so.
        CertificateError::Other(reason) if reason.to_string() == "CaUsedAsEndEntity" => {
            Diagnosis::tls(
                format!(
                    "the certificate of {host} is that of a certificate authority, or self-signed as one"
                ),
                "Give the host a certificate that an authority has issued, and name that authority's in SSL_CERT_FILE.",
            )
        }
        _ => Diagnosis::tls(
            format!("the certificate of {host} is not acceptable"),
            format!("Check {} and any proxy between.", peer.setting()),
        ),
    }
}

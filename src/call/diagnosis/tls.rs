//! A secure connection that could not be made, or that broke.

use std::error::Error;
use std::time::{Duration, UNIX_EPOCH};

use rustls::pki_types::UnixTime;
use rustls::{CertificateError, OtherError};

use super::peer::{Diagnosis, Peer};
use crate::call::wire::certificate_issuer::UntrustedIssuer;
use crate::call::wire::progress::Stage;
use crate::output::failure::FailureCode;

pub(super) fn error_in(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

pub(super) fn diagnose(error: &rustls::Error, stage: Stage, peer: &Peer) -> Diagnosis {
    let host = &peer.host;
    if stage > Stage::Handshake {
        return Diagnosis::new(
            FailureCode::NetworkError,
            "connection broken",
            format!("the TLS connection to {host} broke"),
            "Check the network and any proxy in between, then try again.",
        );
    }
    match error {
        rustls::Error::InvalidCertificate(reason) => diagnose_certificate(reason, peer),
        rustls::Error::InvalidMessage(_) => {
            let message = match &peer.proxy {
                None => format!("{host} did not answer with TLS"),
                Some(proxy) => {
                    format!("{host}, or the proxy {proxy} in between, did not answer with TLS")
                }
            };
            let remedy = format!("Check the host and the port in {}.", peer.setting());
            Diagnosis::tls("not TLS", message, remedy).without_cause()
        }
        _ => Diagnosis::tls(
            "TLS handshake failed",
            format!("the TLS handshake with {host} failed"),
            format!("Check {}, and any proxy in between.", peer.setting()),
        ),
    }
}

fn diagnose_certificate(reason: &CertificateError, peer: &Peer) -> Diagnosis {
    use CertificateError as Reason;

    let certificate = format!("the certificate of {}", peer.host);
    match reason {
        Reason::ExpiredContext { time, not_after } => expired(format!(
            "{certificate} expired on {} (this machine's clock says {})",
            date(*not_after),
            date(*time)
        )),
        Reason::Expired => expired(format!("{certificate} has expired")),
        Reason::NotValidYetContext { time, not_before } => not_valid_yet(format!(
            "{certificate} is not valid before {} (this machine's clock says {})",
            date(*not_before),
            date(*time)
        )),
        Reason::NotValidYet => not_valid_yet(format!("{certificate} is not valid yet")),
        Reason::NotValidForName => wrong_name(format!("{certificate} is for another name"), peer),
        Reason::NotValidForNameContext { presented, .. } => {
            let names = shown(presented);
            wrong_name(format!("{certificate} is for another name ({names})"), peer)
        }
        Reason::Other(OtherError(reason)) => diagnose_issuer(reason.as_ref(), peer),
        _ => Diagnosis::tls(
            "certificate not accepted",
            format!("{certificate} is not acceptable"),
            format!("Check {}, and any proxy in between.", peer.setting()),
        ),
    }
}

fn expired(message: String) -> Diagnosis {
    let remedy = "Renew the certificate on that host, or correct this machine's clock.";
    Diagnosis::tls("certificate expired", message, remedy).without_cause()
}

fn not_valid_yet(message: String) -> Diagnosis {
    let remedy = "Correct this machine's clock.";
    Diagnosis::tls("certificate not valid yet", message, remedy).without_cause()
}

fn wrong_name(message: String, peer: &Peer) -> Diagnosis {
    let remedy = format!("Check {}.", peer.setting());
    Diagnosis::tls("certificate for another name", message, remedy).without_cause()
}

fn diagnose_issuer(reason: &(dyn Error + 'static), peer: &Peer) -> Diagnosis {
    let certificate = format!("the certificate of {}", peer.host);
    if reason.is::<UntrustedIssuer>() {
        return Diagnosis::tls(
            "unknown certificate issuer",
            format!("{certificate} is from an unknown issuer ({reason})"),
            "If a proxy inspects TLS, set SSL_CERT_FILE to a PEM file with the proxy's CA certificate.",
        )
        .without_cause();
    }
    // The library names this case only so.
    if reason.to_string() == "CaUsedAsEndEntity" {
        return Diagnosis::tls(
            "CA certificate instead of a server certificate",
            format!("{certificate} is a CA certificate, not a server certificate"),
            "Give the host a server certificate that a CA has issued, and set SSL_CERT_FILE to a PEM file with that CA's.",
        )
        .without_cause();
    }
    Diagnosis::tls(
        "certificate not accepted",
        format!("{certificate} is not acceptable"),
        format!("Check {}, and any proxy in between.", peer.setting()),
    )
}

/// How many names of a certificate a message repeats: whoever answers chooses them.
const MAX_NAMES: usize = 3;
/// How much of each, in characters.
const MAX_NAME: usize = 80;

/// The names that a certificate is for, of which the library writes each as `DnsName("…")`.
fn shown(names: &[String]) -> String {
    let bare = |name: &String| {
        let name = name.split('"').nth(1).unwrap_or(name);
        name.chars().take(MAX_NAME).collect()
    };
    let mut shown: Vec<String> = names.iter().take(MAX_NAMES).map(bare).collect();
    if names.len() > MAX_NAMES {
        shown.push(format!("and {} more", names.len() - MAX_NAMES));
    }
    match shown.is_empty() {
        true => "without a name".to_owned(),
        false => shown.join(", "),
    }
}

/// The first second that has no date with a year of four digits.
const YEAR_10000: u64 = 253_402_300_800;

/// `time` as HTTP writes dates.
fn date(time: UnixTime) -> String {
    match time.as_secs() {
        seconds @ ..YEAR_10000 => {
            httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))
        }
        seconds => format!("second {seconds} since 1970"),
    }
}

//! A call that brought no answer becomes a failure that says what happened, where, and what to do.

use std::io;
use std::time::Duration;

use rustls::CertificateError;
use ureq::Error;
use ureq::http::Uri;

use crate::error::{Failure, FailureCode};
use crate::progress::Stage;

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// It asks for a token.
    SignIn,
    /// It cancels the machine action.
    Cancel,
}

/// The other side of a call, as messages need it.
pub struct Peer {
    call: Call,
    host: String,
    limit: Duration,
}

impl Peer {
    /// The host of `uri`, called within `limit`.
    #[must_use]
    pub fn new(call: Call, uri: &Uri, limit: Duration) -> Self {
        Self {
            call,
            host: uri.authority().map(ToString::to_string).unwrap_or_default(),
            limit,
        }
    }

    /// The variable that names the host.
    fn setting(&self) -> &'static str {
        match self.call {
            Call::SignIn => "AZURE_AUTHORITY_HOST",
            Call::Cancel => "MDE_BASE_URL",
        }
    }

    /// What is to be known of the cancel when the call was lost at `stage`.
    fn consequence(&self, stage: Stage) -> &'static str {
        match self.call {
            Call::SignIn => "Nothing was cancelled.",
            Call::Cancel if stage < Stage::Send => "The cancel was not sent.",
            Call::Cancel => {
                "Whether the action was cancelled is not known: read its status, or cancel it again."
            }
        }
    }
}

/// The failure that `error`, at `stage` of the call to `peer`, amounts to.
#[must_use]
pub fn explain(error: &Error, stage: Stage, peer: &Peer) -> Failure {
    let (code, what, remedy) = diagnose(error, stage, peer);
    let message = format!("{what}. {} {remedy}", peer.consequence(stage));
    let failure = Failure::new(code, message);
    match error {
        Error::Timeout(_) => failure,
        Error::Io(cause) => failure.because(cause),
        other => failure.because(other),
    }
}

fn diagnose(error: &Error, stage: Stage, peer: &Peer) -> (FailureCode, String, String) {
    if let Some(error) = tls_error(error) {
        return diagnose_tls(error, stage, peer);
    }
    let host = &peer.host;
    match error {
        Error::Timeout(_) => (
            FailureCode::Timeout,
            format!(
                "the time limit of {} s passed while {}",
                peer.limit.as_secs_f64(),
                doing(stage, host)
            ),
            "Check the network, or raise --timeout.".to_owned(),
        ),
        Error::Protocol(_) | Error::LargeResponseHeader(..) => (
            FailureCode::InvalidAnswer,
            format!("{host} answered something that is not a well-formed HTTP answer"),
            format!("Check {} and any proxy between.", peer.setting()),
        ),
        Error::BodyExceedsLimit(limit) => (
            FailureCode::InvalidAnswer,
            format!("the answer of {host} has a body of more than {limit} bytes"),
            format!("Check {} and any proxy between.", peer.setting()),
        ),
        Error::Io(error) => diagnose_io(error, stage, peer),
        Error::HostNotFound => not_found(peer),
        _ => (
            FailureCode::NetworkError,
            format!("the call to {host} failed while {}", doing(stage, host)),
            format!("Check {} and the network.", peer.setting()),
        ),
    }
}

fn diagnose_io(error: &io::Error, stage: Stage, peer: &Peer) -> (FailureCode, String, String) {
    let host = &peer.host;
    let network = |what: String| {
        let remedy = format!("Check {} and the network, then try again.", peer.setting());
        (FailureCode::NetworkError, what, remedy)
    };
    match (stage, error.kind()) {
        (Stage::Resolve, _) => not_found(peer),
        (Stage::Connect, io::ErrorKind::ConnectionRefused) => {
            network(format!("{host} refused the connection"))
        }
        (Stage::Connect, _) => network(format!("no connection to {host} could be made")),
        (Stage::Handshake, _) => {
            network(format!("{host} closed the connection in the TLS handshake"))
        }
        (Stage::Send, _) => network(format!(
            "the connection to {host} broke while the request was sent"
        )),
        (Stage::Wait, _) => network(format!(
            "{host} closed the connection before a whole answer"
        )),
        (Stage::Read, _) => (
            FailureCode::InvalidAnswer,
            format!("the answer of {host} was cut short"),
            "Check the network, then try again.".to_owned(),
        ),
    }
}

fn not_found(peer: &Peer) -> (FailureCode, String, String) {
    (
        FailureCode::NetworkError,
        format!("the host {} is unknown", peer.host),
        format!("Check {}, MDE_CLOUD and DNS.", peer.setting()),
    )
}

fn doing(stage: Stage, host: &str) -> String {
    match stage {
        Stage::Resolve => format!("looking up the address of {host}"),
        Stage::Connect => format!("connecting to {host}"),
        Stage::Handshake => format!("making the TLS handshake with {host}"),
        Stage::Send => format!("sending the request to {host}"),
        Stage::Wait => format!("waiting for the answer of {host}"),
        Stage::Read => format!("reading the answer of {host}"),
    }
}

fn tls_error(error: &Error) -> Option<&rustls::Error> {
    match error {
        Error::Rustls(error) => Some(error),
        Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

fn diagnose_tls(error: &rustls::Error, stage: Stage, peer: &Peer) -> (FailureCode, String, String) {
    let host = &peer.host;
    if stage > Stage::Handshake {
        return (
            FailureCode::NetworkError,
            format!("the secure connection to {host} broke"),
            "Check what stands between, then try again.".to_owned(),
        );
    }
    let (what, remedy) = match error {
        rustls::Error::InvalidCertificate(reason) => match reason {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
                format!("the certificate of {host} has expired"),
                "Renew it there, or set this machine's clock.".to_owned(),
            ),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
                format!("the certificate of {host} is not valid yet"),
                "Set this machine's clock.".to_owned(),
            ),
            CertificateError::NotValidForName
            | CertificateError::NotValidForNameContext { .. } => (
                format!("the certificate of {host} is for another name"),
                format!("Check {}.", peer.setting()),
            ),
            CertificateError::UnknownIssuer => (
                format!("the certificate of {host} is from an unknown issuer"),
                "If a proxy inspects TLS, name a PEM file with its certificate authority in SSL_CERT_FILE.".to_owned(),
            ),
            _ => (
                format!("the certificate of {host} is not acceptable"),
                format!("Check {} and any proxy between.", peer.setting()),
            ),
        },
        rustls::Error::InvalidMessage(_) => (
            format!("{host} did not answer in TLS"),
            format!("Check the host and port in {}.", peer.setting()),
        ),
        _ => (
            format!("no secure connection to {host} could be made"),
            format!("Check {} and any proxy between.", peer.setting()),
        ),
    };
    (FailureCode::TlsError, what, remedy)
}

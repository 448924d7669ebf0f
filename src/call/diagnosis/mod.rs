//! A call that brought no answer becomes a failure that says what happened, where, and what to do.

use std::io;
use std::time::Duration;

use rustls::{CertificateError, OtherError};
use ureq::Error;
use ureq::http::Uri;

use crate::call::Call;
use crate::call::wire::issuer::UntrustedIssuer;
use crate::call::wire::progress::Stage;
use crate::call::wire::resolver::NoThread;
use crate::output::failure::{Failure, FailureCode};

/// The other side of a call, as messages need it.
pub struct Peer {
    pub(super) call: &'static Call,
    host: String,
    proxy: Option<String>,
    limit: Duration,
}

impl Peer {
    /// The host of `uri`, called within `limit`, by way of `proxy` (host and port) if there is one.
    #[must_use]
    pub fn new(call: &'static Call, uri: &Uri, proxy: Option<String>, limit: Duration) -> Self {
        Self {
            call,
            proxy,
            host: uri.authority().map(ToString::to_string).unwrap_or_default(),
            limit,
        }
    }

    /// The variable that names the host.
    fn setting(&self) -> &'static str {
        self.call.host_setting
    }

    /// What is known of the action when the call was lost at `stage`.
    fn consequence(&self, stage: Stage) -> &'static str {
        if stage < Stage::Send {
            self.call.if_not_sent
        } else {
            self.call.if_lost
        }
    }
}

/// The failure of a call that was broken off at `stage`, because the process was told to stop.
#[must_use]
pub fn broken_off(stage: Stage, peer: &Peer) -> Failure {
    let what = format!(
        "the call to {} was broken off, because the step was told to stop",
        peer.host
    );
    let mut failure = Failure::new(
        FailureCode::NetworkError,
        format!("{what}. {}", peer.consequence(stage)),
    );
    failure.what = what.into();
    failure
}

/// The failure that `error`, at `stage` of the call to `peer`, amounts to.
#[must_use]
pub fn explain(error: &Error, stage: Stage, peer: &Peer) -> Failure {
    let Diagnosis {
        code,
        what,
        remedy,
        is_lasting,
    } = diagnose(error, stage, peer);
    let mut failure = Failure::new(
        code,
        format!("{what}. {} {remedy}", peer.consequence(stage)),
    );
    failure.retryable &= !is_lasting;
    failure.what = what.into();
    match error {
        Error::Timeout(_) => failure,
        // Its debug form is all that this error of the TLS library would add.
        Error::Io(cause) if is_untrusted_issuer(cause) => failure,
        Error::Io(cause) => failure.because(cause),
        other => failure.because(other),
    }
}

fn is_untrusted_issuer(error: &io::Error) -> bool {
    let error = error.get_ref().and_then(|error| error.downcast_ref());
    matches!(
        error,
        Some(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(reason))))
            if reason.is::<UntrustedIssuer>()
    )
}

struct Diagnosis {
    code: FailureCode,
    what: String,
    remedy: String,
    /// Whether it will be the same the next time.
    is_lasting: bool,
}

impl Diagnosis {
    fn new(code: FailureCode, what: String, remedy: impl Into<String>) -> Self {
        Self {
            code,
            what,
            remedy: remedy.into(),
            is_lasting: false,
        }
    }

    fn lasting(self) -> Self {
        Self {
            is_lasting: true,
            ..self
        }
    }

    fn network(what: String, peer: &Peer) -> Self {
        let remedy = format!("Check {} and the network, then try again.", peer.setting());
        Self::new(FailureCode::NetworkError, what, remedy)
    }

    fn answer(what: String, peer: &Peer) -> Self {
        let remedy = format!("Check {} and any proxy between.", peer.setting());
        Self::new(FailureCode::InvalidAnswer, what, remedy).lasting()
    }

    fn tls(what: String, remedy: impl Into<String>) -> Self {
        Self::new(FailureCode::TlsError, what, remedy)
    }
}

fn diagnose(error: &Error, stage: Stage, peer: &Peer) -> Diagnosis {
    let host = &peer.host;
    if let Error::Timeout(_) = error {
        return Diagnosis::new(
            FailureCode::Timeout,
            format!(
                "the time limit of {} s passed while {}",
                peer.limit.as_secs_f64(),
                doing(stage, peer)
            ),
            "Check the network, or raise --timeout.",
        );
    }
    if let Some(diagnosis) = diagnose_machine(error, peer) {
        return diagnosis;
    }
    // Until the handshake with the host itself begins, all that can go wrong is the proxy's.
    if let (Some(proxy), Stage::Resolve | Stage::Connect) = (&peer.proxy, stage) {
        return through_proxy(error, proxy, host);
    }
    if let Some(error) = tls_error(error) {
        return diagnose_tls(error, stage, peer);
    }
    match error {
        Error::Protocol(_) | Error::LargeResponseHeader(..) => Diagnosis::answer(
            format!("{host} answered something that is not a well-formed HTTP answer"),
            peer,
        ),
        Error::BodyExceedsLimit(limit) => Diagnosis::answer(
            format!("the answer of {host} has a body of more than {limit} bytes"),
            peer,
        ),
        Error::Io(error) => diagnose_io(error, stage, peer),
        Error::HostNotFound => not_found(peer),
        _ => Diagnosis::network(
            format!("the call failed while {}", doing(stage, peer)),
            peer,
        ),
    }
}

/// What is wrong with the machine that the step runs on, whoever is called.
fn diagnose_machine(error: &Error, peer: &Peer) -> Option<Diagnosis> {
    let has_no_thread = matches!(error, Error::Io(error) if error.get_ref().is_some_and(|cause| cause.is::<NoThread>()));
    if has_no_thread {
        return Some(Diagnosis::new(
            FailureCode::NetworkError,
            format!(
                "no thread could be made to look up the address of {}",
                peer.host
            ),
            "Raise the limit of processes (ulimit -u, or pids of the container) or of memory, then try again.",
        ));
    }
    matches!(tls_error(error)?, rustls::Error::FailedToGetCurrentTime).then(|| {
        Diagnosis::tls(
            "this machine's clock is before 1970".to_owned(),
            "Correct this machine's clock.",
        )
    })
}

fn through_proxy(error: &Error, proxy: &str, host: &str) -> Diagnosis {
    let refused = |status: &str| matches!(error, Error::ConnectProxyFailed(reason) if reason.contains(status));
    let what = format!("the proxy {proxy} made no way to {host}");
    let diagnosis = |remedy| Diagnosis::new(FailureCode::NetworkError, what.clone(), remedy);
    if refused(" 407/") {
        diagnosis("It wants a user and a password, or others: http://user:password@host:port in HTTPS_PROXY.").lasting()
    } else if refused(" responded 4") {
        diagnosis("It does not allow the host: ask who runs it, or name the host in NO_PROXY.")
            .lasting()
    } else if tls_error(error).is_some() {
        diagnosis("If it does not speak TLS itself, begin HTTPS_PROXY with http://; otherwise check its certificate.")
            .lasting()
    } else {
        diagnosis("Check the host and port in HTTPS_PROXY, and that the proxy is up.")
    }
}

fn diagnose_io(error: &io::Error, stage: Stage, peer: &Peer) -> Diagnosis {
    let host = &peer.host;
    match (stage, error.kind()) {
        (Stage::Resolve, _) => not_found(peer),
        (Stage::Connect, io::ErrorKind::ConnectionRefused) => {
            Diagnosis::network(format!("{host} refused the connection"), peer)
        }
        (Stage::Connect, _) => {
            Diagnosis::network(format!("no connection to {host} could be made"), peer)
        }
        (Stage::Handshake, _) => Diagnosis::network(
            match &peer.proxy {
                None => format!("{host} closed the connection in the TLS handshake"),
                Some(proxy) => format!(
                    "{host}, or the proxy {proxy} on the way to it, closed the connection in the TLS handshake"
                ),
            },
            peer,
        ),
        (Stage::Send, _) => Diagnosis::network(
            format!("the connection to {host} broke while the request was sent"),
            peer,
        ),
        (Stage::Wait, _) => Diagnosis::network(
            format!("{host} closed the connection before a whole answer"),
            peer,
        ),
        (Stage::Read, _) => Diagnosis::new(
            FailureCode::InvalidAnswer,
            format!("the answer of {host} was cut short"),
            "Check the network, then try again.",
        ),
    }
}

fn not_found(peer: &Peer) -> Diagnosis {
    Diagnosis::new(
        FailureCode::NetworkError,
        format!("the address of the host {} was not found", peer.host),
        format!("Check {}, MDE_CLOUD and DNS.", peer.setting()),
    )
}

fn doing(stage: Stage, peer: &Peer) -> String {
    let host = &peer.host;
    match (stage, &peer.proxy) {
        (Stage::Resolve, None) => format!("looking up the address of {host}"),
        (Stage::Connect, None) => format!("connecting to {host}"),
        (Stage::Resolve | Stage::Connect, Some(proxy)) => {
            format!("connecting to {host} by way of the proxy {proxy}")
        }
        (Stage::Handshake, _) => format!("making the TLS handshake with {host}"),
        (Stage::Send, _) => format!("sending the request to {host}"),
        (Stage::Wait, _) => format!("waiting for the answer of {host}"),
        (Stage::Read, _) => format!("reading the answer of {host}"),
    }
}

fn tls_error(error: &Error) -> Option<&rustls::Error> {
    match error {
        Error::Rustls(error) => Some(error),
        Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

fn diagnose_tls(error: &rustls::Error, stage: Stage, peer: &Peer) -> Diagnosis {
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

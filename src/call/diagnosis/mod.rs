//! A call that brought no answer becomes a failure that says what happened, where, and what to do.

mod peer;
mod io;
mod tls;

use ureq::Error;

use self::peer::Diagnosis;
pub use self::peer::Peer;
use crate::call::wire::progress::Stage;
use crate::call::wire::resolver::NoThread;
use crate::output::failure::{Failure, FailureCode};

/// Returns the failure of a call that was not begun, because the process was told to stop.
pub(crate) fn stopped() -> Failure {
    let what = "the step was told to stop";
    Failure {
        what: what.into(),
        ..Failure::new(
            FailureCode::Interrupted,
            format!("{what}. The cancel was not sent."),
        )
    }
}

/// Returns the failure of a call that will not be tried again after `failure`, because the process was told to stop.
pub(crate) fn told_to_stop(failure: Failure) -> Failure {
    match failure.code {
        FailureCode::Interrupted => failure,
        _ => Failure {
            code: FailureCode::Interrupted,
            retryable: true,
            message: format!("the step was told to stop after this: {}", failure.message),
            ..failure
        },
    }
}

/// Returns the failure of a call that was broken off at `stage`, because the process was told to stop.
pub(crate) fn broken_off(stage: Stage, peer: &Peer) -> Failure {
    let what = format!(
        "the call to {} was broken off, because the step was told to stop",
        peer.host
    );
    let mut failure = Failure::new(
        FailureCode::Interrupted,
        format!("{what}. {}", peer.consequence(stage)),
    );
    failure.what = what.into();
    failure
}

/// Returns the failure that `error`, at `stage` of the call to `peer`, amounts to.
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
        Error::Io(cause) if tls::is_untrusted_issuer(cause) => failure,
        Error::Io(cause) => failure.because(cause),
        other => failure.because(other),
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
    if let Some(error) = tls::error_in(error) {
        return tls::diagnose(error, stage, peer);
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
        Error::Io(error) => io::diagnose(error, stage, peer),
        Error::HostNotFound => io::not_found(peer),
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
    matches!(tls::error_in(error)?, rustls::Error::FailedToGetCurrentTime).then(|| {
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
    } else if tls::error_in(error).is_some() {
        diagnosis("If it does not speak TLS itself, begin HTTPS_PROXY with http://; otherwise check its certificate.")
            .lasting()
    } else {
        diagnosis("Check the host and port in HTTPS_PROXY, and that the proxy is up.")
    }
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

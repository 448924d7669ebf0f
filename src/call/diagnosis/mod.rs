//! A call that brought no answer becomes a failure that says what happened, where, and what to do.

mod peer;
mod io;
mod proxy;
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
            format!("{what}. No cancel was sent. Run it again if that is still wanted."),
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
    // What may have been cancelled says what to do itself.
    let remedy = match peer.call.may_change_something && stage >= Stage::Send {
        true => "",
        false => " Run it again if that is still wanted.",
    };
    let message = format!(
        "the step was told to stop during {} ({}). {}{remedy}",
        peer.call.name,
        peer.host,
        peer.consequence(stage)
    );
    let mut failure = Failure::new(FailureCode::Interrupted, message);
    failure.what = "told to stop".into();
    failure
}

/// Returns the failure that `error`, at `stage` of the call to `peer`, amounts to.
pub fn explain(error: &Error, stage: Stage, peer: &Peer) -> Failure {
    let Diagnosis {
        code,
        what,
        message,
        remedy,
        is_lasting,
        has_cause,
    } = diagnose(error, stage, peer);
    let mut failure = Failure::new(
        code,
        format!("{message}. {} {remedy}", peer.consequence(stage)),
    );
    failure.retryable &= !is_lasting;
    failure.what = what.into();
    if has_cause {
        failure = match error {
            Error::Io(cause) => failure.because(cause),
            Error::Protocol(cause) => failure.because(cause),
            cause => failure.because(cause),
        };
    }
    for cause in &mut failure.caused_by {
        *cause = cause.trim_start_matches(LOOKUP_FAILED).to_owned();
    }
    failure
}

/// How the standard library begins the system's reason for a name that could not be resolved.
const LOOKUP_FAILED: &str = "failed to lookup address information: ";

fn diagnose(error: &Error, stage: Stage, peer: &Peer) -> Diagnosis {
    if let Error::Timeout(_) = error {
        return time_out(stage, peer);
    }
    if let Some(diagnosis) = diagnose_machine(error, peer) {
        return diagnosis;
    }
    // Until the handshake with the host itself begins, all that can go wrong is the proxy's.
    if let (Some(proxy), Stage::Resolve | Stage::Connect) = (&peer.proxy, stage) {
        return proxy::diagnose(error, proxy, peer);
    }
    if let Some(error) = tls::error_in(error) {
        return tls::diagnose(error, stage, peer);
    }
    let host = &peer.host;
    match error {
        Error::Protocol(_) | Error::LargeResponseHeader(..) => {
            let message = format!("the answer from {host} is not valid HTTP");
            Diagnosis::answer("not HTTP", message, peer)
        }
        Error::BodyExceedsLimit(limit) => {
            let message = format!("the answer from {host} has a body of more than {limit} bytes");
            Diagnosis::answer("answer too large", message, peer).without_cause()
        }
        Error::Io(error) => io::diagnose(error, stage, peer),
        Error::HostNotFound => io::not_resolved(peer).without_cause(),
        _ => {
            let message = format!("the call failed while {}", doing(stage, peer));
            Diagnosis::network("call failed", message, peer)
        }
    }
}

fn time_out(stage: Stage, peer: &Peer) -> Diagnosis {
    let what = match stage {
        Stage::Resolve | Stage::Connect | Stage::Handshake => "no connection in time",
        Stage::Send | Stage::Wait | Stage::Read => "no answer in time",
    };
    let message = format!(
        "the time limit of {} s was reached while {}",
        peer.limit.as_secs_f64(),
        doing(stage, peer)
    );
    let remedy = "Check the network, or raise --timeout.";
    Diagnosis::new(FailureCode::Timeout, what, message, remedy).without_cause()
}

/// What is wrong with the machine that the step runs on, whoever is called.
fn diagnose_machine(error: &Error, peer: &Peer) -> Option<Diagnosis> {
    let has_no_thread = matches!(error, Error::Io(error) if error.get_ref().is_some_and(|cause| cause.is::<NoThread>()));
    if has_no_thread {
        return Some(no_thread(peer));
    }
    matches!(tls::error_in(error)?, rustls::Error::FailedToGetCurrentTime).then(|| {
        Diagnosis::tls(
            "clock before 1970",
            "this machine's clock is before 1970".to_owned(),
            "Correct this machine's clock.",
        )
        .without_cause()
    })
}

fn no_thread(peer: &Peer) -> Diagnosis {
    Diagnosis::new(
        FailureCode::NetworkError,
        "no thread for resolving a name",
        format!(
            "the system has no thread left for resolving the name of the host {}",
            peer.host
        ),
        "Raise the limit of processes (ulimit -u, or pids of the container) or of memory, then try again.",
    )
}

fn doing(stage: Stage, peer: &Peer) -> String {
    let host = &peer.host;
    match (stage, &peer.proxy) {
        (Stage::Resolve, None) => format!("resolving the name of the host {host}"),
        (Stage::Connect, None) => format!("connecting to {host}"),
        (Stage::Resolve | Stage::Connect, Some(proxy)) => {
            format!("connecting to {host} through the proxy {proxy}")
        }
        (Stage::Handshake, _) => format!("making the TLS handshake with {host}"),
        (Stage::Send, _) => format!("sending the request to {host}"),
        (Stage::Wait, _) => format!("waiting for the answer from {host}"),
        (Stage::Read, _) => format!("reading the answer from {host}"),
    }
}

//! A proxy that did not let a call through.

use ureq::Error;

use super::peer::{Diagnosis, Peer};
use super::{io, tls};
use crate::output::failure::FailureCode;

/// Of a call that failed before the proxy had connected to the host.
pub(super) fn diagnose(error: &Error, proxy: &str, peer: &Peer) -> Diagnosis {
    let host = &peer.host;
    let why = match error {
        Error::ConnectProxyFailed(reason) => return refused(reason, proxy, host),
        Error::Io(error) => io::in_short(error),
        _ => None,
    };
    let not_reached = format!("could not reach {host} through the proxy {proxy}");
    let new =
        |what, message, remedy| Diagnosis::new(FailureCode::NetworkError, what, message, remedy);
    if tls::error_in(error).is_some() {
        let remedy = "If the proxy does not use TLS itself, begin HTTPS_PROXY with http://; otherwise check its certificate.";
        let message = format!("{not_reached}: no TLS connection to the proxy");
        return new("no TLS connection to the proxy", message, remedy).lasting();
    }
    let remedy = "Check the host and the port in HTTPS_PROXY, and that the proxy is running.";
    match why {
        Some(why) => {
            let message = format!("{not_reached}: {why}");
            new("proxy not reached", message, remedy).without_cause()
        }
        None => new("proxy not reached", not_reached, remedy),
    }
}

/// Of a proxy that answered otherwise than with a connection; `reason` is ureq's, with the status in it.
fn refused(reason: &str, proxy: &str, host: &str) -> Diagnosis {
    let (_, answer) = reason.rsplit_once(' ').unwrap_or_default();
    let status = answer.split('/').next().unwrap_or_default();
    let is_status = status.parse::<u16>().is_ok();
    let not_reached = format!("could not reach {host} through the proxy {proxy}");
    let message = match is_status {
        true => format!("{not_reached}, which answered HTTP {status}"),
        false => format!("{not_reached}, which closed the connection without an answer"),
    };
    let new = |what, remedy| Diagnosis::new(FailureCode::NetworkError, what, message, remedy);
    let diagnosis = match status {
        "407" => new(
            "proxy requires credentials",
            "The proxy requires a user name and a password, or other ones: set HTTPS_PROXY to http://user:password@host:port.",
        )
        .lasting(),
        _ if is_status && status.starts_with('4') => new(
            "refused by the proxy",
            "The proxy does not allow this host: ask its administrator, or list the host in NO_PROXY.",
        )
        .lasting(),
        _ => new(
            "failed at the proxy",
            "Check the host and the port in HTTPS_PROXY, and that the proxy can reach the host.",
        ),
    };
    diagnosis.without_cause()
}

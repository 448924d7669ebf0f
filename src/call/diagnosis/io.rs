//! A connection that could not be made, or that broke.

use std::io::{self, ErrorKind};

use super::peer::{Diagnosis, Peer};
use crate::call::wire::progress::Stage;
use crate::output::failure::FailureCode;

pub(super) fn diagnose(error: &io::Error, stage: Stage, peer: &Peer) -> Diagnosis {
    let host = &peer.host;
    match stage {
        Stage::Resolve => not_resolved(peer),
        Stage::Connect => not_connected(error, peer),
        Stage::Handshake => {
            let who = match &peer.proxy {
                None => host.clone(),
                Some(proxy) => format!("{host}, or the proxy {proxy} in between,"),
            };
            lost(error, &who, "during the TLS handshake", peer)
        }
        Stage::Send => Diagnosis {
            what: "connection lost while sending",
            ..lost(error, host, "while the request was being sent", peer)
        },
        Stage::Wait => lost(error, host, "before its answer was complete", peer),
        Stage::Read => cut_short(error, peer),
    }
}

pub(super) fn not_resolved(peer: &Peer) -> Diagnosis {
    Diagnosis::new(
        FailureCode::NetworkError,
        "name not resolved",
        format!("the name of the host {} could not be resolved", peer.host),
        format!("Check {}, MDE_CLOUD and DNS.", peer.setting()),
    )
}

/// What became of an attempt to connect, in a few words; `None` if only the system's own words say it.
pub(super) fn in_short(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        ErrorKind::ConnectionRefused => Some("connection refused"),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Some("no route to host"),
        _ => None,
    }
}

fn not_connected(error: &io::Error, peer: &Peer) -> Diagnosis {
    let host = &peer.host;
    match in_short(error) {
        Some(what @ "connection refused") => {
            Diagnosis::network(what, format!("connection to {host} refused"), peer).without_cause()
        }
        Some(what) => {
            Diagnosis::network(what, format!("no route to the host {host}"), peer).without_cause()
        }
        None => {
            let message = format!("could not connect to {host}");
            Diagnosis::network("no connection", message, peer)
        }
    }
}

/// Of a connection that ended too early: `when` says at which point.
fn lost(error: &io::Error, who: &str, when: &str, peer: &Peer) -> Diagnosis {
    match error.kind() {
        ErrorKind::ConnectionReset => {
            let message = format!("{who} reset the connection {when}");
            Diagnosis::network("connection reset", message, peer).without_cause()
        }
        ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe => {
            let message = format!("{who} closed the connection {when}");
            Diagnosis::network("connection closed", message, peer).without_cause()
        }
        _ => {
            let message = format!("the connection to {} broke {when}", peer.host);
            Diagnosis::network("connection broken", message, peer)
        }
    }
}

fn cut_short(error: &io::Error, peer: &Peer) -> Diagnosis {
    let diagnosis = Diagnosis::new(
        FailureCode::InvalidAnswer,
        "answer cut short",
        format!("the answer from {} was cut short", peer.host),
        "Check the network, then try again.",
    );
    match error.kind() {
        ErrorKind::UnexpectedEof => diagnosis.without_cause(),
        _ => diagnosis,
    }
}

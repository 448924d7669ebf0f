//! A connection that could not be made, or that broke.

use std::io;

use super::peer::{Diagnosis, Peer};
use crate::call::wire::progress::Stage;
use crate::output::failure::FailureCode;

pub(super) fn diagnose(error: &io::Error, stage: Stage, peer: &Peer) -> Diagnosis {
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

pub(super) fn not_found(peer: &Peer) -> Diagnosis {
    Diagnosis::new(
        FailureCode::NetworkError,
        format!("the address of the host {} was not found", peer.host),
        format!("Check {}, MDE_CLOUD and DNS.", peer.setting()),
    )
}

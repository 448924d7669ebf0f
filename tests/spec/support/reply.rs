//! What a scripted server does with a request.

use std::time::Duration;

use super::server::PATIENCE;

/// The header of an answer in JSON.
pub const JSON: &str = "Content-Type: application/json; charset=utf-8";

/// What the server does with one request.
#[must_use]
#[derive(Clone, Debug)]
pub struct Reply {
    pub acts: Vec<Act>,
    pub reads_request: bool,
    pub keeps_open: bool,
    pub closes_server: bool,
}

#[derive(Clone, Debug)]
pub enum Act {
    Send(Vec<u8>),
    Pause(Duration),
    /// Waits until so many requests have come.
    Await(usize),
    /// Ends the connection without TLS's `close_notify`.
    BreakOff,
}

impl Reply {
    /// Reads the request, sends `bytes`, and closes.
    pub fn bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self {
            acts: vec![Act::Send(bytes.as_ref().to_vec())],
            reads_request: true,
            keeps_open: false,
            closes_server: false,
        }
    }

    /// Reads the request, sends `bytes`, and waits for the next request on the same connection.
    pub fn keeping_open(bytes: impl AsRef<[u8]>) -> Self {
        Self {
            keeps_open: true,
            ..Self::bytes(bytes)
        }
    }

    /// Sends `bytes` before there is any request, and closes.
    pub fn unasked(bytes: impl AsRef<[u8]>) -> Self {
        Self {
            reads_request: false,
            ..Self::bytes(bytes)
        }
    }

    /// Reads the request, and says nothing for longer than anybody waits.
    pub fn silence() -> Self {
        Self::bytes("").pausing(PATIENCE)
    }

    /// Waits before what comes next.
    pub fn pausing(mut self, pause: Duration) -> Self {
        self.acts.push(Act::Pause(pause));
        self
    }

    /// Waits, before what comes next, until so many requests have come.
    pub fn awaiting(mut self, requests: usize) -> Self {
        self.acts.push(Act::Await(requests));
        self
    }

    /// Sends more.
    pub fn then(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.acts.push(Act::Send(bytes.as_ref().to_vec()));
        self
    }

    /// Sends `bytes` one at a time, with `pause` after each.
    pub fn dripping(mut self, bytes: &[u8], pause: Duration) -> Self {
        for byte in bytes {
            self = self.then([*byte]).pausing(pause);
        }
        self
    }

    /// No further connection is accepted, from before this reply is sent.
    pub fn closing_the_server(mut self) -> Self {
        self.closes_server = true;
        self
    }

    /// Ends the connection without a proper close.
    pub fn breaking_off(mut self) -> Self {
        self.acts.push(Act::BreakOff);
        self
    }
}

/// An answer with `status`, `headers` and `body`, framed by its length.
pub fn response(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut bytes = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len()).into_bytes();
    for header in headers {
        bytes.extend(format!("{header}\r\n").bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(body);
    bytes
}

//! Ports that nobody else gets, so that a step which tries a closed one again never reaches the server of another test.

use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below those that the kernel gives to whoever asks for any.
const FIRST: u16 = 10_000;
const COUNT: u16 = 22_000;

/// A listener on 127.0.0.1, at a port that no other listener of this process has or had.
pub fn listen() -> TcpListener {
    let bound = |port| TcpListener::bind(("127.0.0.1", port)).ok();
    (0..COUNT).find_map(|_| bound(next())).expect("a free port")
}

/// A port of 127.0.0.1 at which nobody listens, and nobody of this process did.
///
/// A listener that is closed would not do: a process that another thread starts has a copy of it until it runs its
/// program, and the kernel accepts connections for that copy.
pub fn free_port() -> u16 {
    let is_free = |port: &u16| TcpStream::connect(("127.0.0.1", *port)).is_err();
    (0..COUNT)
        .map(|_| next())
        .find(is_free)
        .expect("a free port")
}

fn next() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    // Another process of the tests begins elsewhere.
    let start = std::process::id().wrapping_mul(7919) % u32::from(COUNT);
    let start = u16::try_from(start).expect("a remainder");
    FIRST + (start + TAKEN.fetch_add(1, Ordering::Relaxed)) % COUNT
}

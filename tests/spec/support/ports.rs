//! Ports that nobody else gets, so that a step which tries a closed one again never reaches the server of another test.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below those that the kernel gives to whoever asks for any.
const FIRST: u16 = 10_000;
const COUNT: u16 = 22_000;

/// A listener on 127.0.0.1, at a port that no other listener of this process has or had.
pub fn listen() -> TcpListener {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    // Another process of the tests begins elsewhere.
    let start = std::process::id().wrapping_mul(7919) % u32::from(COUNT);
    let start = u16::try_from(start).expect("a remainder");
    let next = || {
        let offset = (start + TAKEN.fetch_add(1, Ordering::Relaxed)) % COUNT;
        TcpListener::bind(("127.0.0.1", FIRST + offset)).ok()
    };
    (0..COUNT).find_map(|_| next()).expect("a free port")
}

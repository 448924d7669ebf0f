//! The contract, tested through the real binary and real sockets: a file per stage, in the order of the flow.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]
#![allow(unreachable_pub, reason = "modules of a test binary")]

mod support;

mod cli;
mod typed;
mod read;
mod validate;
mod one_reading;
mod bounds;
mod settings;
mod start_deadline;
mod auth;
mod sign_in;
mod encodings;
mod redaction;
mod cache;
mod cache_files;
mod cache_lock;
mod request;
mod send;
mod network;
mod proxies;
mod retry;
mod faults;
mod machine;
mod sandbox;
mod response;
mod output;
mod terminal;
mod streams;
mod wait;
mod batch;
mod throttled;
mod signals;
mod check;
mod generated;
mod rooms;
mod contract;
mod readme;

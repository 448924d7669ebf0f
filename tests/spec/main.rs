//! The contract, tested through the real binary and real sockets: a folder per room of `src`, in its order.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]
#![allow(unreachable_pub, reason = "modules of a test binary")]

mod support;

mod publish;
mod mcp;
mod step;
mod settings;
mod auth;
mod call;
mod input;
mod waiting;
mod output;
mod rooms;
mod contract;
mod readme;

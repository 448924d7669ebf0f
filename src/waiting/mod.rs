//! How long, for what, and what cuts it short.

pub mod deadline;
pub mod interrupt;
pub(crate) mod timed_lock;
pub mod schedule;
pub(crate) mod signals;
pub mod stream;
pub mod sink;
mod ready;

//! How long, for what, and what cuts it short.

pub(crate) mod deadline;
pub(crate) mod interrupt;
pub(crate) mod timed_lock;
pub mod schedule;
pub(crate) mod signals;
pub mod stream;
pub mod sink;
mod ready;

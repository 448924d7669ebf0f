//! How long, for what, and what cuts it short.

pub mod deadline;
pub mod interrupt;
pub(crate) mod lock;
pub mod schedule;
pub(crate) mod signals;
pub mod stream;
pub mod sink;
mod ready;

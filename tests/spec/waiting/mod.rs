//! How long, for what, and what cuts it short.

mod streams;
mod schedule;

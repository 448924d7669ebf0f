//! Command line and environment become settings.

mod arguments;
mod variables;
mod start_deadline;

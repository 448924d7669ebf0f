//! Command line and environment become settings.

mod arguments;
mod variables;
mod clouds;
mod start_deadline;

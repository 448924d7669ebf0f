//! What the step says.

pub(crate) mod outcome;
pub mod answer;
pub(crate) mod retry_policy;
pub mod headers;
pub mod document;
pub mod layout;
pub mod harmful_letters;
pub mod machine_action;
pub(crate) mod actions;
pub mod scalar;
pub mod failure;
pub mod violation;
pub mod exit_status;
pub mod log;
pub mod generated_files;

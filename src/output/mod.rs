//! What the step says.

pub mod document;
pub mod layout;
pub mod letters;
pub mod machine_action;
pub mod scalar;
pub mod failure;
pub mod log;
pub mod files;

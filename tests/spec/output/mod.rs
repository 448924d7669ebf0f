//! What the step says.

mod document;
mod terminal;

//! What the step says.

mod document;
mod stderr;
mod terminal;

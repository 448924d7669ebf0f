//! What ureq lacks: links of its connector chain, and a resolver.

pub mod progress;
pub mod tls;
pub mod resolver;

//! What ureq lacks: links of its connector chain, and a resolver.

pub mod progress;
pub(crate) mod watch;
pub(crate) mod tls;
pub(crate) mod certificate_issuer;
pub(crate) mod resolver;

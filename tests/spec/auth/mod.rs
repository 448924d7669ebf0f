//! Credentials become a bearer token.

mod application;
mod credentials;
mod certificate;
mod managed_identity;
mod session;
mod encodings;
mod decodings;
mod cache;
mod cache_folder;
mod cache_lock;

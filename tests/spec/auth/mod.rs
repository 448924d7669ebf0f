//! Credentials become a bearer token.

mod application;
mod credentials;
mod certificate;
mod managed_identity;
mod session;
mod encodings;
mod readings;
mod cache;
mod cache_folder;
mod cache_turn;

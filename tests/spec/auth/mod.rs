//! Credentials become a bearer token.

mod application;
mod credentials;
mod encodings;
mod readings;
mod cache;
mod cache_folder;
mod cache_turn;

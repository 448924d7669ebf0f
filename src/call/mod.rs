//! A described call becomes what came back.

pub mod api;
pub mod service_url;
pub mod send;
pub mod retry;
pub mod pace;
pub mod received;
pub mod proxy;
pub mod diagnosis;
pub mod wire;
pub mod sandbox;

//! A described call becomes what came back.

mod api;
mod send;
mod proxy;
mod proxies;
mod retry;
mod faults;
mod machine;
mod received;
mod body;
mod sandbox;

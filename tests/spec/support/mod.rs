//! What the tests stand on: the real binary, a scripted server, certificates made for the run.

pub mod batch;
pub mod busy;
pub mod cache;
pub mod certificates;
pub mod client;
pub mod masks;
pub mod pages;
pub mod ports;
pub mod proxy;
pub mod files;
pub mod granted;
pub mod layout;
pub mod reply;
pub mod rows;
pub mod running;
pub mod server;
pub mod service;
pub mod step;
pub mod token;

pub use certificates::Authority;
pub use ports::{free_port, listen};
pub use reply::{JSON, Reply, response};
pub use rows::each;
pub use server::Server;
pub use step::{Outcome, Step, step};

/// insta's, but the expression is left out of the files.
macro_rules! assert_snapshot {
    ($($arguments:tt)*) => {
        insta::with_settings!({omit_expression => true}, {
            insta::assert_snapshot!($($arguments)*);
        })
    };
}
pub(crate) use assert_snapshot;

/// The request that most tests send.
pub const REQUEST: &str = r#"{"path_parameters":{"machineactionid":"988cc94e-7a8f-4b28-ab65-54970c5d5018"},"json_body":{"Comment":"Machine action was canceled by automation"}}"#;

/// A request with `id` and no comment.
pub fn request_for(id: &str) -> String {
    format!(r#"{{"path_parameters":{{"machineactionid":"{id}"}},"json_body":{{}}}}"#)
}

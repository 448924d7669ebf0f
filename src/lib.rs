//! One step of a security playbook: cancels a pending *machine action* in Microsoft Defender for Endpoint.
//!
//! [`run`] is the program without the process around it. Below it are eight rooms; each uses only those below it:
//!
//! ```text
//! main → run → mcp       an AI agent asks, by the Model Context Protocol: only `mcp` passes here
//!               │
//!              step      one request, or many; what is open? is it cancelled? may the identity cancel?
//!               │
//!            settings    the command line and the environment become settings
//!               │
//!              auth      credentials become a bearer token
//!               │
//!              call      a described call becomes what came back; the only room that touches the network
//!               │
//!             input      bytes become one request, or every reason why not
//!               │
//!            waiting     how long, for what, and what cuts it short
//!               │
//!             output     what the step says
//! ```
//!
//! A request goes down once and comes back once: it is read and checked (`input`), a token is got for it (`auth`), it is
//! sent (`call`), and what came back is written (`output`). `publish` stands beside `run`: it generates what is committed
//! under `schema/` and in `manifest.json`, and only tests enter it. `tests/spec/rooms.rs` holds the order.

mod run;
pub mod publish;
mod mcp;
mod step;
pub mod settings;
pub mod auth;
pub mod call;
pub mod input;
pub mod waiting;
pub mod output;

pub use run::{Process, run};

//! One request, many, what is open, is it cancelled, may I.

mod verify;
mod batch;
mod pace;
mod throttled;
mod signals;
mod stop;
mod check;
mod get;
mod list;
mod list_faults;
mod list_streams;

//! One request, many, what is open, is it cancelled, may I.

mod verify;
mod batch;
mod pace;
mod side_by_side;
mod throttled;
mod signals;
mod stop;
mod moments;
mod wait;
mod allow;
mod statuses;
mod words;
mod check;
mod get;
mod list;
mod list_faults;
mod list_streams;
mod list_entities;

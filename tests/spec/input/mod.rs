//! Bytes become one request, or every reason why not.

mod source;
pub mod validate;
mod typed;
mod one_reading;
mod bounds;

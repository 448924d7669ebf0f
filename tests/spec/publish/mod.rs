//! What catalogs list.

mod generated;
mod manual;

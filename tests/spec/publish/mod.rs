//! What catalogs list.

mod generated;

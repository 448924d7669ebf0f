//! What catalogs list: generated, committed, and entered by tests only.

pub mod schemas;
pub mod manifest;
pub mod catalog;

//! The list of a capture folder: its rows and filters.

pub mod row;

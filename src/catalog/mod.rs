//! The list of captures: one row per capture, filters, an index of rows, and search. It touches no files: bytes come in,
//! rows and lines go out.

pub mod filter;
pub mod index;
pub mod row;
pub mod search;

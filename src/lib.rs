//! skeleton
pub mod span;
pub mod tape;

//! What an exchange means, read once from its tape; and the runs of one request at several targets.

pub mod meaning;
pub mod runs;

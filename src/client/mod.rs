//! Sending: one exchange over one connection ([`drive`]).

pub mod drive;

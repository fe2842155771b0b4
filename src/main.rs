//! The `wire` binary.
fn main() {}

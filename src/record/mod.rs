//! `wire record`: what surrounds the relay. The certificate authority for opened hosts, the program that is recorded, and
//! the coverage of its connections.

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )
)]

pub mod ca;
pub mod coverage;
pub mod program;

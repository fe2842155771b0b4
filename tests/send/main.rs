//! `wire send`, the whole program against the embedded server and against servers of the tests: one module a topic,
//! in one binary, so that the library is linked once.

#![allow(
    clippy::disallowed_methods,
    reason = "tests look at files and variables themselves"
)]

#[path = "../common/mod.rs"]
mod common;

mod answers;
mod big;
mod broken;
mod exit_codes;
mod files;
mod keys;
mod masking;
mod output;
mod proxy;
mod request;
mod stop;

/// A whole plain response.
const OK: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{\"a\": 1}\n";

//! `wire` against software that others wrote: nginx, OpenSSL, Python's HTTP server, llama.cpp with a real
//! model, a real proxy; and curl as the judge of what a body is. All on loopback.
//!
//! A test whose counterpart is not installed says `SKIPPED` and passes; with `WIRE_PEERS=required` it
//! fails. `.ci/peers DIR` installs them all; `WIRE_PEERS_PYTHON=DIR/bin/python` then names the Python.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests look at files and variables themselves, and say what they skip"
)]

mod common;

mod peers {
    mod certificates;
    mod counterpart;
    mod curl;
    mod llama;
    mod nginx;
    mod openssl;
    mod proxies;
    mod python;
}

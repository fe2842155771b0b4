//! `wire` against other software on loopback: nginx, OpenSSL, Python's HTTP server, llama.cpp with a real model,
//! a proxy; and curl, whose reading of a body must be the same.
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
    mod websocket;
}

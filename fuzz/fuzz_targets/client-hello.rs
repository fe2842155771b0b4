//! The first bytes of a TLS connection: no split changes what is read, and no bytes break it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::net::fuzz_client_hello(bytes));

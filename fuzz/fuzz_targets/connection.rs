//! Connections: no split and no interleaving of the two directions changes the exchanges.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::http1::fuzz_connection(bytes));

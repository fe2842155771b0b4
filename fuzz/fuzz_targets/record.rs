//! Recording: any split of a client's bytes forwards the same sound requests, and nothing after a refused one.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::record::fuzz(bytes));

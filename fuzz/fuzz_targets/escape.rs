//! Escaping: nothing that acts on a terminal comes through.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::render::escape::fuzz(bytes));

//! Messages: spans tile the input, and no split changes what is read.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::http1::fuzz(bytes));

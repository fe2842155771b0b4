//! Event streams: the items cover the input, and no split changes them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::sse::fuzz(bytes));

//! Masking: no known key comes through, however the bytes are split.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::capture::fuzz_mask(bytes));

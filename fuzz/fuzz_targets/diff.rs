//! The difference of two JSON texts: empty only for equal ones, mirrored, and as a patch the way from one to the other.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::diff::json::fuzz(bytes));

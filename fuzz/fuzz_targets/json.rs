//! The JSON tree and its edits, with serde_json as the judge.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::json::fuzz(bytes));

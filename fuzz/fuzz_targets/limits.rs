//! Field values about limits, times and retries: whatever stands in them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::sdk::fuzz(bytes));

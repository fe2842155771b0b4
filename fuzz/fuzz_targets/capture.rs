//! Capture files: whatever is in them, what is read can be written and read again.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::capture::fuzz_read(bytes));

//! Frames of AWS event streams: all are read back, no split changes them, and no changed bit goes unnoticed.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::sse::fuzz_frames(bytes));

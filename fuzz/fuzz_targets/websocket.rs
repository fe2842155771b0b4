//! WebSocket: frames tile the input, and no split changes frames or messages.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::websocket::fuzz(bytes));

//! Answers read as bedrock-invoke: always an answer, and no split changes it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::chat::fuzz_as(Some("bedrock-invoke"), bytes));

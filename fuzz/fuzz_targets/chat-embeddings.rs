//! Answers read as embeddings: always an answer, and no split changes it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::chat::fuzz_as(Some("embeddings"), bytes));

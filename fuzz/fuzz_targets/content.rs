//! Content codings: any split gives the same bytes, and limits hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::content::fuzz(bytes));

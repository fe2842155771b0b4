//! Guarantees that hold for every advice, as assertions: the body of a fuzz target.

use super::{CallFailure, advise_all};

/// Reads `bytes` as fields and asserts that the advice made from them holds together. The body of a fuzz target.
pub fn fuzz(bytes: &[u8]) {
    let facts = crate::service::check_fields(bytes);
    for status in [429, 200] {
        for advice in advise_all(CallFailure::Status(status), &facts, facts.date) {
            assert!(
                advice
                    .waits
                    .iter()
                    .all(|wait| wait.least_micros <= wait.most_micros)
            );
            assert!(advice.retries || advice.waits.is_empty());
        }
    }
}

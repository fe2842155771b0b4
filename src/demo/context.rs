//! The values beside the request that a reply depends on.

use std::time::Duration;

use super::{ids, timestamps};

/// Values that a demo reply depends on besides the request: the time, the seeds of its ids, the pace.
#[derive(Clone, Copy, Debug)]
pub struct DemoContext {
    /// The number of the request on this server, from 1.
    pub request_number: u64,
    /// Wall-clock time, seconds since 1970.
    pub created_secs: i64,
    /// The pause between the events of a stream.
    pub pace: Duration,
}

impl DemoContext {
    /// The seed of the ids in an answer; it differs for each request.
    pub(super) fn answer_seed(self) -> u64 {
        ids::mix_bits(self.created_secs.unsigned_abs()) ^ self.request_number
    }

    /// The seed of the request's id.
    pub(super) fn request_seed(self) -> u64 {
        ids::mix_bits(self.request_number ^ self.created_secs.unsigned_abs())
    }

    /// The value of the Date field.
    pub(super) fn http_date(self) -> String {
        timestamps::http_date(self.created_secs)
    }

    /// The time that a model takes for `tokens` tokens: one pause each.
    pub(super) fn pauses(self, tokens: u64) -> Duration {
        let tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
        self.pace.saturating_mul(tokens)
    }
}

//! The clock: the only place that reads the time.

#![expect(clippy::disallowed_methods, reason = "this is the clock")]

use std::time::Instant;

use crate::span::Moment;

/// The clock of one exchange: counts moments from its start; they never go back.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: jiff::Timestamp,
    zero: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self {
            started: jiff::Timestamp::now(),
            zero: Instant::now(),
        }
    }

    /// Wall-clock time of moment zero.
    pub fn started(&self) -> jiff::Timestamp {
        self.started
    }

    /// The time since the start, in microseconds.
    pub fn moment(&self) -> Moment {
        Moment::from_micros(u64::try_from(self.zero.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}

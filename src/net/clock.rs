//! The clock: the only place that reads the time.

#![expect(clippy::disallowed_methods, reason = "this is the clock")]

use std::time::{Duration, Instant};

use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

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
        self.moment_of(ClockReading::now())
    }

    /// The time from the start to `reading`, in microseconds.
    pub fn moment_of(&self, reading: ClockReading) -> Moment {
        let since = reading.0.saturating_duration_since(self.zero);
        Moment::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
    }
}

/// A point in time, for clocks that started at different times.
#[derive(Clone, Copy, Debug)]
pub struct ClockReading(Instant);

impl ClockReading {
    /// The current time.
    pub fn now() -> Self {
        Self(Instant::now())
    }
}

/// The wall clock for TLS: `None` before 1970, where the clock of rustls would panic.
#[derive(Debug)]
pub(crate) struct TlsClock;

impl TimeProvider for TlsClock {
    fn current_time(&self) -> Option<UnixTime> {
        unix_time(jiff::Timestamp::now())
    }
}

fn unix_time(now: jiff::Timestamp) -> Option<UnixTime> {
    let seconds = u64::try_from(now.as_second()).ok()?;
    Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_has_no_time_before_1970() {
        let time = |text: &str| unix_time(text.parse().unwrap()).map(|time| time.as_secs());
        assert_eq!(time("1970-01-01T00:00:07.5Z"), Some(7));
        assert_eq!(time("1969-12-31T23:59:59Z"), None);
    }
}

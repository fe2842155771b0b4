//! Addresses and moments: where a byte lies, in which stream, and when it crossed the wire.

use serde::{Deserialize, Serialize};

/// A run of bytes of one stream: half-open, counted from the stream's first byte.
///
/// Offsets are absolute, so a span stays true when the bytes before it have been dropped.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset one past the last byte; never before `start`.
    pub end: u64,
}

impl Span {
    /// The bytes from `start` up to, and without, `end`. A reversed pair is taken as empty.
    pub fn new(start: u64, end: u64) -> Self {
        Self {
            start,
            end: end.max(start),
        }
    }

    /// An empty span: a place between two bytes.
    pub fn empty_at(offset: u64) -> Self {
        Self::new(offset, offset)
    }

    /// How many bytes it covers.
    pub fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether it covers no byte.
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// Whether the byte at `offset` lies in it.
    pub fn contains(self, offset: u64) -> bool {
        self.start <= offset && offset < self.end
    }

    /// The part that both cover; empty (at the later start) where they do not meet.
    pub fn intersection(self, other: Self) -> Self {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// Which of the two streams of an exchange, seen from the program that asks.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamSide {
    /// What the asking program wrote: the request.
    Sent,
    /// What it read: the response.
    Received,
}

impl std::fmt::Display for StreamSide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sent => "sent",
            Self::Received => "received",
        })
    }
}

/// A monotonic moment: microseconds since the exchange began. Never wall-clock time.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Moment {
    /// Microseconds since the exchange began.
    pub micros: u64,
}

impl Moment {
    /// The moment `micros` microseconds after the exchange began.
    pub fn from_micros(micros: u64) -> Self {
        Self { micros }
    }

    /// Microseconds from `earlier` to this moment; zero if `earlier` is later.
    pub fn micros_since(self, earlier: Self) -> u64 {
        self.micros.saturating_sub(earlier.micros)
    }
}

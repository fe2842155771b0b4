//! Addresses and times of bytes: span, side of the connection, moment.

use serde::{Deserialize, Serialize};

/// A byte range of one stream: half-open, in offsets from the stream's first byte.
///
/// Offsets are absolute, so a span stays valid when the bytes before it are dropped from memory.
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
    /// The span from `start` to before `end`; empty at `start` when `end` is smaller.
    pub fn new(start: u64, end: u64) -> Self {
        Self {
            start,
            end: end.max(start),
        }
    }

    /// The empty span before the byte at `offset`.
    pub fn empty_at(offset: u64) -> Self {
        Self::new(offset, offset)
    }

    /// The bytes of this span in `bytes`, whose first byte has offset 0. Empty where `bytes` ends before the span does.
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.range()).unwrap_or_default()
    }

    /// The characters of this span in `text`. Empty where `text` ends before the span does, or an end of the span lies
    /// inside a character.
    pub fn of_text(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or_default()
    }

    /// The span as indexes into memory. An offset above the largest index becomes that index.
    pub fn range(self) -> std::ops::Range<usize> {
        let index = |offset| usize::try_from(offset).unwrap_or(usize::MAX);
        index(self.start)..index(self.end)
    }

    /// Number of bytes.
    pub fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether the span has no bytes.
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// Whether the byte at `offset` is in the span.
    pub fn contains(self, offset: u64) -> bool {
        self.start <= offset && offset < self.end
    }

    /// The common part of two spans; empty at the later start when they do not overlap.
    pub fn intersection(self, other: Self) -> Self {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// One of the two streams of a connection, named from the side of the client.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamSide {
    /// The bytes that the client wrote: the request.
    Sent,
    /// The bytes that the client read: the response.
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

/// A monotonic time: microseconds since the exchange began. Never wall-clock time.
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

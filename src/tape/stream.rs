//! The bytes of one direction: [`Stream`] keeps them all, [`RollingBuffer`] those still needed, [`Window`] shows them.

use crate::span::{Moment, Span, StreamSide};

/// The bytes of one direction, with the time of each read or write.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Which direction.
    pub side: StreamSide,
    /// Offset of the first byte still held.
    pub base: u64,
    /// The bytes from `base` on.
    pub bytes: Vec<u8>,
    /// Where each read or write began; ascending in offset and moment.
    pub marks: Vec<ReadMark>,
    /// Whether no more can come.
    pub ended: bool,
}

/// The start of one read or write: its first byte and its time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReadMark {
    /// Absolute offset.
    pub at: u64,
    /// When that read or write returned.
    pub moment: Moment,
}

impl Stream {
    /// An empty stream.
    pub fn new(side: StreamSide) -> Self {
        Self {
            side,
            base: 0,
            bytes: Vec::new(),
            marks: Vec::new(),
            ended: false,
        }
    }

    /// Appends the bytes of one read or write. An empty one is not recorded.
    pub fn push(&mut self, moment: Moment, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.marks.push(ReadMark {
            at: self.end(),
            moment,
        });
        self.bytes.extend_from_slice(bytes);
    }

    /// Offset one past the last byte seen so far.
    pub fn end(&self) -> u64 {
        self.base.saturating_add(self.bytes.len() as u64)
    }

    /// The held bytes as a window for a decoder.
    pub fn window(&self) -> Window<'_> {
        Window {
            base: self.base,
            bytes: &self.bytes,
            ended: self.ended,
        }
    }

    /// The bytes of `span`; shorter or empty if the stream does not hold all of them.
    pub fn slice(&self, span: Span) -> &[u8] {
        self.window().slice(span)
    }

    /// The time at which the byte at `offset` crossed; `None` outside of the bytes that were seen.
    pub fn moment_at(&self, offset: u64) -> Option<Moment> {
        if offset >= self.end() {
            return None;
        }
        let after = self.marks.partition_point(|mark| mark.at <= offset);
        Some(self.marks.get(after.checked_sub(1)?)?.moment)
    }

    /// `span`, cut where one read or write ended and the next began.
    pub fn split_at_reads(&self, span: Span) -> impl Iterator<Item = Span> + '_ {
        let first = self.marks.partition_point(|mark| mark.at <= span.start);
        let inner = self.marks.get(first..).unwrap_or_default().iter();
        let cuts = inner
            .map(|mark| mark.at)
            .take_while(move |at| *at < span.end);
        let ends = cuts.chain(std::iter::once(span.end));
        ends.scan(span.start, |start, end| {
            Some(Span::new(std::mem::replace(start, end), end))
        })
    }

    /// Each read or write: its bytes and its moment, in order.
    pub fn reads(&self) -> impl Iterator<Item = (Span, Moment)> + '_ {
        self.marks.iter().enumerate().map(|(n, mark)| {
            let end = self
                .marks
                .get(n.saturating_add(1))
                .map_or(self.end(), |next| next.at);
            (Span::new(mark.at, end), mark.moment)
        })
    }
}

/// The bytes of a stream that a reader still needs. Earlier ones are dropped, so that memory stays bounded however long
/// the stream runs.
#[derive(Clone, Debug, Default)]
pub struct RollingBuffer {
    base: u64,
    held: Vec<u8>,
}

impl RollingBuffer {
    /// An empty buffer of a reader that needs the bytes from `base` on.
    pub fn starting_at(base: u64) -> Self {
        Self {
            base,
            held: Vec::new(),
        }
    }

    /// The offset of the first held byte, and the held bytes.
    pub fn into_parts(self) -> (u64, Vec<u8>) {
        (self.base, self.held)
    }

    /// Offset of the first byte that the reader still needs.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// Offset one past the last byte fed so far.
    pub fn end(&self) -> u64 {
        self.base.saturating_add(self.held.len() as u64)
    }

    /// Passes the held bytes and `bytes` to `read`, which returns the offset of the first byte that it still needs.
    /// Bytes are copied only if they must be held.
    pub fn feed(&mut self, bytes: &[u8], ended: bool, read: impl FnOnce(Window<'_>) -> u64) {
        let direct = self.held.is_empty();
        if !direct {
            self.held.extend_from_slice(bytes);
        }
        let window = Window {
            base: self.base,
            bytes: if direct { bytes } else { &self.held },
            ended,
        };
        let needed = read(window).clamp(self.base, window.end());
        let read = usize::try_from(needed.saturating_sub(self.base)).unwrap_or(usize::MAX);
        if direct {
            self.held
                .extend_from_slice(bytes.get(read..).unwrap_or_default());
        } else {
            self.held.drain(..read.min(self.held.len()));
        }
        self.base = needed;
    }
}

/// The part of a stream that a decoder may see now: the bytes from `base` on, and whether more can come.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// Absolute offset of the first byte.
    pub base: u64,
    /// The bytes.
    pub bytes: &'a [u8],
    /// Whether no more can come.
    pub ended: bool,
}

impl<'a> Window<'a> {
    /// Offset one past the last byte.
    pub fn end(&self) -> u64 {
        self.base.saturating_add(self.bytes.len() as u64)
    }

    /// The bytes from the absolute `offset` on; empty past the end.
    pub fn slice_from(&self, offset: u64) -> &'a [u8] {
        self.slice(Span::new(offset, self.end()))
    }

    /// The bytes of `span`; shorter or empty if the window does not have all of them.
    pub fn slice(&self, span: Span) -> &'a [u8] {
        let seen = span.intersection(Span::new(self.base, self.end()));
        Span::new(
            seen.start.saturating_sub(self.base),
            seen.end.saturating_sub(self.base),
        )
        .of(self.bytes)
    }
}

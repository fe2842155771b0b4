//! Streams of events in a body: the event-stream grammar of the WHATWG (HTML, section 9.2.6), JSON lines, a JSON array
//! of which every item is an event, and the binary frames of AWS. Bytes in, spans out; `chat` reads their meaning.
//!
//! An [`EventDecoder`] is fed [`Window`]s of the body (content codings undone) and returns [`StreamItem`]s. It owns no
//! buffer and decodes no text: only whole events are returned, so a character that two reads split is whole too.
//!
//! ```text
//!  : hi \n data: {"a" \n data: :1} \n \n data: [DO
//! |Comment|          Event           |Sep| Truncated (Sep: Separator)
//! ```
//!
//! Guarantees, held by property tests and fuzzing:
//!
//! - any split of the input, empty slices included, gives the same items;
//! - the spans of the items cover the input; only a comment may lie inside an event;
//! - an event is returned as soon as the first byte of its blank line is seen, CR or LF;
//! - an event over the limit is not held: [`StreamItem::TooLong`] is returned at its end.
//!
//! ```
//! use wire::sse::{EventDecoder, StreamFormat, StreamItem};
//! use wire::tape::Window;
//!
//! let seen = Window { base: 0, bytes: b"event: tick\ndata: 1\ndata: 2\n\n", ended: true };
//! let mut decoder = EventDecoder::new(StreamFormat::EventStream);
//! let Some(StreamItem::Event(event)) = decoder.step(seen) else { panic!("no event") };
//! assert_eq!(event.name(seen), b"tick");
//! assert_eq!(&event.data(seen)[..], b"1\n2");
//! ```

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )
)]

mod array;
mod checks;
mod field;
mod frames;
mod lines;
mod stream;

#[cfg(test)]
mod tests;

#[doc(hidden)]
pub use checks::{encode_frame, fuzz_frames};
pub use field::{SseField, SseFields};
pub use frames::{FrameFacts, FrameFault, begins_with_frame};

use std::borrow::Cow;

use crate::span::Span;
use crate::tape::Window;

/// The format in which a body holds a sequence of events.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamFormat {
    /// `text/event-stream`.
    EventStream,
    /// One JSON text a line (`application/x-ndjson`).
    Lines,
    /// One JSON array; each item is an event (Gemini without `alt=sse`).
    Array,
    /// Binary frames of AWS (`application/vnd.amazon.eventstream`); each is an event.
    Frames,
}

impl StreamFormat {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::EventStream, Self::Lines, Self::Array, Self::Frames];
}

/// An event of a stream: the spans of its data, name and id in the body.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize)]
pub struct SseEvent {
    /// All its lines with their line ends, without the blank line that ends it.
    pub span: Span,
    /// The value of its first `data` field; the whole value in JSON lines and arrays; the payload of a frame.
    pub first_data: Option<Span>,
    /// Number of its `data` fields.
    pub data_lines: u64,
    /// The value of its last `event` field; the type of a frame.
    pub name: Option<Span>,
    /// The value of its last valid `id` field: one without NUL.
    pub id: Option<Span>,
    /// Its last valid `retry` field: milliseconds, digits only.
    pub retry: Option<u64>,
    /// Its first line whose field name the standard does not know, without its line end: readers ignore it.
    #[serde(skip)]
    pub unknown: Option<Span>,
    /// Whether a `data` field has no space after its colon.
    #[serde(skip)]
    pub lacks_space: bool,
    /// Whether a line ends with a bare carriage return.
    #[serde(skip)]
    pub has_bare_cr: bool,
    /// Facts that only frames of AWS have.
    #[serde(skip)]
    pub frame: Option<FrameFacts>,
}

impl SseEvent {
    /// The event's data: the values of its `data` fields, joined by line feeds. Borrowed if there is only one.
    pub fn data<'a>(&self, seen: Window<'a>) -> Cow<'a, [u8]> {
        match self.first_data {
            None => Cow::Borrowed(&[]),
            Some(first) if self.data_lines <= 1 => Cow::Borrowed(seen.slice(first)),
            Some(_) => Cow::Owned(self.join_data(seen)),
        }
    }

    fn join_data(&self, seen: Window<'_>) -> Vec<u8> {
        let mut joined = Vec::new();
        let values = self
            .fields(seen)
            .filter(|field| seen.slice(field.name) == b"data");
        for (n, field) in values.enumerate() {
            if n > 0 {
                joined.push(b'\n');
            }
            joined.extend_from_slice(seen.slice(field.value));
        }
        joined
    }

    /// The event's name (`event` field); empty if it has none, which clients read as `message`.
    pub fn name<'a>(&self, seen: Window<'a>) -> &'a [u8] {
        self.name.map_or(&[], |name| seen.slice(name))
    }

    /// Iterates over the event's lines in order, with comments and unknown fields. For event streams only.
    pub fn fields<'a>(&self, seen: Window<'a>) -> SseFields<'a> {
        SseFields::new(seen, self.span)
    }
}

/// One item of a stream of events: an event, a comment, or bytes between events.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StreamItem {
    /// An event with data, which a client's code receives.
    Event(SseEvent),
    /// An event without data: a client's code receives none, but its `id` and `retry` take effect.
    WithoutData(SseEvent),
    /// A line that begins with a colon, often sent to keep the connection alive.
    Comment {
        /// The line with its line end.
        span: Span,
        /// The bytes after the colon and one space.
        text: Span,
    },
    /// Bytes between events: a byte order mark, an empty line, white space, brackets and commas of an array.
    Separator(Span),
    /// An event longer than the limit, which was skipped.
    TooLong(Span),
    /// An event that the end of the stream cut off: a client's code never receives it.
    Truncated(TruncatedEvent),
    /// Frames of AWS from one whose lengths cannot be trusted to the end of the stream.
    Unframed {
        /// From the first byte of that frame to the end of the body.
        span: Span,
        /// The fault of its lengths.
        fault: FrameFault,
    },
}

impl StreamItem {
    /// Whether the item has a number in its stream: events with data have one, comments and separators have none.
    pub fn is_numbered(&self) -> bool {
        !matches!(
            self,
            Self::WithoutData(_) | Self::Comment { .. } | Self::Separator(_)
        )
    }

    /// The item's bytes in the body.
    pub fn span(&self) -> Span {
        match *self {
            Self::Event(event) | Self::WithoutData(event) => event.span,
            Self::Comment { span, .. } | Self::Unframed { span, .. } => span,
            Self::Separator(span) | Self::TooLong(span) => span,
            Self::Truncated(cut) => cut.span,
        }
    }
}

/// An event that the end of the stream cut off: the part that was there.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
pub struct TruncatedEvent {
    /// From the first byte of the event to the end of the body. Empty if only the array was not closed.
    pub span: Span,
    /// Its whole lines; in JSON lines and arrays, the bytes that were there.
    pub event: SseEvent,
    /// The last line, without a line end.
    pub line: Span,
    /// The event with that line, as if a line end and a blank line had come.
    #[serde(skip)]
    pub with_line: SseEvent,
}

/// Longest event that is read, in bytes: memory needs a bound, and the largest events that APIs send, with an image in
/// base64, have a few megabytes.
pub const MAX_EVENT_BYTES: u64 = 64 << 20;

/// Decoder that finds the events in a body, in any of the formats.
#[derive(Clone, Debug)]
pub struct EventDecoder {
    format: StreamFormat,
    /// Longest event in bytes.
    limit: u64,
    /// Everything before this offset was returned or is no longer needed. Never goes back.
    at: u64,
    /// Everything before this offset was searched: `at <= scanned`.
    scanned: u64,
    /// One past the last byte that the last item needed.
    ready_at: u64,
    /// Start offset of the line that is being read; in an array, of the bytes not returned yet.
    line_start: u64,
    /// First byte of that line, once seen: the line itself may be gone when its end arrives.
    first_byte: Option<u8>,
    /// Second byte of that line, once seen.
    second_byte: Option<u8>,
    /// The event that is being read.
    open_event: Option<SseEvent>,
    /// Whether that event is longer than the limit.
    skipping: bool,
    /// Whether a byte order mark has been looked for.
    bom_checked: bool,
    /// Whether the end of the stream was returned.
    finished: bool,
    /// State of the array scanner.
    array: array::ArrayScanner,
    /// The lengths of the frame that is being read.
    frame: Option<frames::FramePrelude>,
}

impl EventDecoder {
    /// A decoder at the start of a body.
    pub fn new(format: StreamFormat) -> Self {
        Self::with_limit(format, MAX_EVENT_BYTES)
    }

    /// A decoder at the start of a body, with another limit on the bytes of one event.
    pub fn with_limit(format: StreamFormat, limit: u64) -> Self {
        Self {
            format,
            limit,
            at: 0,
            scanned: 0,
            ready_at: 0,
            line_start: 0,
            first_byte: None,
            second_byte: None,
            open_event: None,
            skipping: false,
            // A binary stream has no mark.
            bom_checked: format == StreamFormat::Frames,
            finished: false,
            array: array::ArrayScanner::default(),
            frame: None,
        }
    }

    /// A decoder at `offset`, where an event begins.
    pub fn starting_at(offset: u64, format: StreamFormat, limit: u64) -> Self {
        let mut decoder = Self::with_limit(format, limit);
        decoder.bom_checked = offset > 0;
        decoder.advance_to(offset);
        decoder
    }

    /// The next item, or `None` when more bytes are needed (or nothing is left, once the window has ended).
    pub fn step(&mut self, seen: Window<'_>) -> Option<StreamItem> {
        if self.finished {
            return None;
        }
        if !self.bom_checked
            && let Some(mark) = self.skip_bom(seen)?
        {
            return Some(mark);
        }
        match self.format {
            StreamFormat::EventStream => self.step_stream(seen),
            StreamFormat::Lines => self.step_lines(seen),
            StreamFormat::Array => self.step_array(seen),
            StreamFormat::Frames => self.step_frames(seen),
        }
    }

    /// Offset of the first byte that is still needed.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// One past the last byte that the last item needed: it was complete when that byte arrived.
    pub fn ready_at(&self) -> u64 {
        self.ready_at
    }

    /// Skips one byte order mark at the very start, which is no part of the stream. `None`: needs more bytes.
    fn skip_bom(&mut self, seen: Window<'_>) -> Option<Option<StreamItem>> {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        let start = seen.slice_from(0);
        if start.len() < MARK.len() && MARK.starts_with(start) && !seen.ended {
            return None;
        }
        self.bom_checked = true;
        if !start.starts_with(MARK) {
            return Some(None);
        }
        let span = Span::new(0, 3);
        self.advance_to(span.end);
        Some(Some(StreamItem::Separator(span)))
    }

    /// Marks everything before `offset` as read, with no line or event open.
    fn advance_to(&mut self, offset: u64) {
        self.at = offset;
        self.scanned = offset;
        self.line_start = offset;
        self.ready_at = offset;
        self.first_byte = None;
        self.second_byte = None;
    }

    /// The item for a complete event, which depends on whether it has data and is within the limit.
    fn finish_event(&mut self, event: SseEvent) -> StreamItem {
        if self.skipping || event.span.len() > self.limit {
            self.skipping = false;
            return StreamItem::TooLong(event.span);
        }
        match event.first_data {
            Some(_) => StreamItem::Event(event),
            None => StreamItem::WithoutData(event),
        }
    }

    /// The item for an event that the end of the body cut off; if it is too long, only its spans.
    fn truncated_item(&mut self, event: SseEvent, line: Span, with_line: SseEvent) -> StreamItem {
        let span = Span::new(event.span.start, line.end);
        let too_long = self.skipping || span.len() > self.limit;
        let only_span = SseEvent {
            span: event.span,
            ..SseEvent::default()
        };
        StreamItem::Truncated(TruncatedEvent {
            span,
            event: if too_long { only_span } else { event },
            line,
            with_line: if too_long { only_span } else { with_line },
        })
    }

    /// Stores the first two bytes of the current line, which is known up to `end`.
    fn remember_line_start(&mut self, seen: Window<'_>, end: u64) {
        let start = seen.slice(Span::new(self.line_start, end));
        let next = seen.slice(Span::new(self.line_start.saturating_add(1), end));
        self.first_byte = self.first_byte.or_else(|| start.first().copied());
        self.second_byte = self.second_byte.or_else(|| next.first().copied());
    }

    /// Prepares for the next window: stores how the line begins, and gives up an event that is over the limit.
    fn wait_for_more(&mut self, seen: Window<'_>) {
        self.remember_line_start(seen, self.scanned);
        let start = self
            .open_event
            .map_or(self.line_start, |event| event.span.start);
        if self.scanned.saturating_sub(start) > self.limit {
            self.skipping = true;
        }
        self.at = if self.skipping { self.scanned } else { start };
    }
}

/// Decodes `bytes` in each format and asserts the guarantees of the module page. The body of a fuzz target.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    for format in StreamFormat::ALL {
        checks::assert_guarantees(format, bytes);
    }
}

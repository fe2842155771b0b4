//! Head, framing, body, end: the states of one message, request or response, driven by windows.

use std::collections::VecDeque;

use super::chunked::parse_chunk_size;
use super::framing::{self, BodyFraming, FramingFields, RequestMethod};
use super::head;
use super::oddity::{HttpFault, HttpOddity, OddityKind};
use super::scan::{LineScanner, ScannedLine};
use super::{Event, MessageEnd, MessagePart};
use crate::span::Span;
use crate::tape::Window;

/// The longest head and the longest chunk-size line that are read.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// Bytes of a head, of the trailers, and of all interim responses before a head; by default 256 KiB: servers and
    /// proxies accept 8 to 64 KiB.
    pub head: u64,
    /// Bytes of a chunk-size line; by default 16 KiB: only its extensions can make it long. Also the most by which the
    /// lines of a body may be longer than its data pays for.
    pub chunk_head: u64,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            head: 256 << 10,
            chunk_head: 16 << 10,
        }
    }
}

/// A reader of one message from windows of a stream. The module page lists its guarantees.
#[derive(Clone, Debug)]
pub(super) struct HttpDecoder {
    /// `None` reads a request; otherwise what the response answers.
    request_method: Option<RequestMethod>,
    limits: HttpLimits,
    at: u64,
    /// Where the head, or the trailers, began: what the limit counts from.
    section_start: u64,
    scan: LineScanner,
    state: DecoderState,
    status: u16,
    framing_fields: FramingFields,
    open_field: Option<OpenField>,
    /// Bytes of chunk-size lines that the data of the chunks so far does not pay for.
    chunk_overhead: u64,
    /// Events that were found and not yet returned.
    queue: VecDeque<Event>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum DecoderState {
    StartLine,
    Fields { first: bool },
    Length { left: u64 },
    UntilClose,
    ChunkHead,
    ChunkData { left: u64 },
    ChunkEnd,
    Trailers { first: bool },
    Lost,
    Done,
}

impl HttpDecoder {
    /// Reads the message whose first byte is at `start`: the response to a request of the method `asked`, or a request
    /// if that is `None`. An interim response (1xx) is a message of its own.
    pub(super) fn new(asked: Option<RequestMethod>, start: u64, limits: HttpLimits) -> Self {
        Self {
            request_method: asked,
            limits,
            at: start,
            section_start: start,
            scan: LineScanner::default(),
            state: DecoderState::StartLine,
            status: 0,
            framing_fields: FramingFields::default(),
            open_field: None,
            chunk_overhead: 0,
            queue: VecDeque::new(),
        }
    }

    /// A reader that lost the framing at `start`: all bytes from there on belong to no message.
    pub(super) fn lost(start: u64, fault: HttpFault, limits: HttpLimits) -> Self {
        let mut decoder = Self::new(Some(RequestMethod::Other), start, limits);
        decoder.lose_framing(start, fault);
        decoder
    }

    /// The offset of the first byte that is still needed. Earlier bytes may be dropped.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Returns the next event in the window; `None` if more bytes are needed or the message is over.
    ///
    /// Each call must see at least the bytes from [`HttpDecoder::at`] on that an earlier call saw.
    pub(super) fn step(&mut self, seen: Window<'_>) -> Option<Event> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Some(event);
            }
            let moved = match self.state {
                DecoderState::StartLine => self.read_start_line(seen),
                DecoderState::Fields { first } => self.read_field_line(seen, first, false),
                DecoderState::Trailers { first } => self.read_field_line(seen, first, true),
                DecoderState::Length { left } => self.read_data(seen, left),
                DecoderState::ChunkData { left } => self.read_data(seen, left),
                DecoderState::UntilClose => self.read_until_close(seen),
                DecoderState::ChunkHead => self.read_chunk_head(seen),
                DecoderState::ChunkEnd => self.read_chunk_end(seen),
                DecoderState::Lost => self.read_unframed(seen),
                DecoderState::Done => None,
            };
            moved?;
        }
    }

    fn read_start_line(&mut self, seen: Window<'_>) -> Option<()> {
        if self.request_method.is_some() && !could_be_http(seen.slice_from(self.at)) {
            return self.lose_framing(self.at, HttpFault::NotHttp);
        }
        // Empty lines before it count too: they are part of the head.
        let limit = self.room_in_head();
        let Some(line) = self.next_line(seen, limit, HttpFault::HeadTooLong) else {
            return self.wait_or_truncate(seen, MessagePart::StartLine, None);
        };
        if line.text.is_empty() {
            self.queue_oddity(OddityKind::LeadingBlank, line.whole);
            return self.advance(Event::Blank(line.whole), line.whole.end);
        }
        let (read, odd) = match self.request_method {
            Some(_) => head::parse_status_line(seen, line.whole, line.text),
            None => head::parse_request_line(seen, line.whole, line.text),
        };
        match read {
            Err(fault) => self.lose_framing(line.whole.start, fault),
            Ok(start) => {
                self.note_bare_lf(line);
                self.queue.extend(odd.into_iter().map(Event::Odd));
                self.status = start.status().unwrap_or(0);
                self.framing_fields.http10 = start.is_http10();
                self.state = DecoderState::Fields { first: true };
                self.advance(Event::Start(start), line.whole.end)
            }
        }
    }

    /// Reads one field line with its folded lines, or the empty line at the end of the fields.
    fn read_field_line(&mut self, seen: Window<'_>, first: bool, trailer: bool) -> Option<()> {
        let (part, too_long) = match trailer {
            true => (MessagePart::Trailers, HttpFault::TrailersTooLong),
            false => (MessagePart::Head, HttpFault::HeadTooLong),
        };
        let start = self.at;
        let limit = self.room_in_head();
        if self.open_field.is_none() {
            let Some(line) = self.next_line(seen, limit, too_long) else {
                return self.wait_or_truncate(seen, part, None);
            };
            if line.text.is_empty() {
                self.note_bare_lf(line);
                return if trailer {
                    self.finish_trailers(line.whole)
                } else {
                    self.finish_head(line.whole)
                };
            }
            if first && matches!(seen.slice(line.text).first(), Some(b' ' | b'\t')) {
                return self.lose_framing(start, HttpFault::LeadingSpace);
            }
            self.open_field = Some(OpenField {
                first: line,
                whole: line.whole,
                text: line.text,
            });
        }
        match self.extend_fold(seen, limit) {
            FoldResult::NeedsMore => self.wait_or_truncate(seen, part, None),
            FoldResult::TooLong => self.lose_framing(start, too_long),
            FoldResult::Whole(open) => self.finish_field(seen, open, trailer),
        }
    }

    /// Extends the open field line by the lines folded onto it (RFC 9112, section 5.2). The byte after a line end
    /// shows whether another folded line follows.
    fn extend_fold(&mut self, seen: Window<'_>, limit: u64) -> FoldResult {
        let Some(mut open) = self.open_field else {
            return FoldResult::NeedsMore;
        };
        loop {
            match seen.slice_from(open.whole.end).first() {
                Some(b' ' | b'\t') => {}
                None if !seen.ended => return FoldResult::NeedsMore,
                _ => {
                    self.open_field = None;
                    return FoldResult::Whole(open);
                }
            }
            let next = self.scan.next_line(seen, open.whole.end);
            let reaches = next.map_or(seen.end(), |next| next.whole.end);
            if reaches.saturating_sub(open.whole.start) > limit {
                return FoldResult::TooLong;
            }
            let Some(next) = next else {
                return FoldResult::NeedsMore;
            };
            open.whole.end = next.whole.end;
            open.text.end = next.text.end;
            self.open_field = Some(open);
        }
    }

    fn finish_field(&mut self, seen: Window<'_>, open: OpenField, trailer: bool) -> Option<()> {
        let (read, odd) = head::parse_field(seen, open.whole, open.first.text, open.text);
        let field = match read {
            Ok(field) => field,
            Err(fault) => return self.lose_framing(open.whole.start, fault),
        };
        self.note_bare_lf(open.first);
        self.queue.extend(odd.into_iter().map(Event::Odd));
        if trailer {
            self.state = DecoderState::Trailers { first: false };
            return self.advance(Event::Trailer(field), open.whole.end);
        }
        self.framing_fields
            .add_field(seen.slice(field.name), seen.slice(field.value));
        self.state = DecoderState::Fields { first: false };
        self.advance(Event::Field(field), open.whole.end)
    }

    fn finish_head(&mut self, line: Span) -> Option<()> {
        let (decided, odd) = match self.request_method {
            Some(asked) => framing::response_framing(asked, self.status, &self.framing_fields),
            None => framing::request_framing(&self.framing_fields),
        };
        let head = Span::new(self.section_start, line.end);
        for kind in odd {
            self.queue_oddity(kind, head);
        }
        let framing = match decided {
            Ok(framing) => framing,
            Err(fault) => return self.lose_framing(line.start, fault),
        };
        self.advance(Event::HeadEnd(line, framing), line.end)?;
        self.state = match framing {
            BodyFraming::Empty | BodyFraming::Tunnel | BodyFraming::Length(0) => {
                return self.finish(MessageEnd::Complete);
            }
            BodyFraming::Length(left) => DecoderState::Length { left },
            BodyFraming::Chunked => DecoderState::ChunkHead,
            BodyFraming::UntilClose => DecoderState::UntilClose,
        };
        Some(())
    }

    fn finish_trailers(&mut self, line: Span) -> Option<()> {
        self.advance(Event::TrailerEnd(line), line.end)?;
        self.finish(MessageEnd::Complete)
    }

    fn read_data(&mut self, seen: Window<'_>, left: u64) -> Option<()> {
        let in_chunk = matches!(self.state, DecoderState::ChunkData { .. });
        let available = seen.end().saturating_sub(self.at).min(left);
        if available == 0 {
            let part = if in_chunk {
                MessagePart::ChunkData
            } else {
                MessagePart::Body
            };
            return self.wait_or_truncate(seen, part, Some(left));
        }
        let span = Span::new(self.at, self.at.saturating_add(available));
        self.advance(Event::Data(span), span.end)?;
        self.state = match (left.saturating_sub(available), in_chunk) {
            (0, false) => return self.finish(MessageEnd::Complete),
            (0, true) => DecoderState::ChunkEnd,
            (left, false) => DecoderState::Length { left },
            (left, true) => DecoderState::ChunkData { left },
        };
        Some(())
    }

    fn read_until_close(&mut self, seen: Window<'_>) -> Option<()> {
        if seen.end() > self.at {
            let span = Span::new(self.at, seen.end());
            return self.advance(Event::Data(span), span.end);
        }
        if seen.ended {
            self.finish(MessageEnd::Closed)
        } else {
            None
        }
    }

    fn read_chunk_head(&mut self, seen: Window<'_>) -> Option<()> {
        let start = self.at;
        let Some(line) = self.next_line(seen, self.limits.chunk_head, HttpFault::ChunkHeadTooLong)
        else {
            return self.wait_or_truncate(seen, MessagePart::ChunkHead, None);
        };
        let mut odd = Vec::new();
        match parse_chunk_size(seen, line.text, &mut odd) {
            Err(fault) => self.lose_framing(start, fault),
            Ok(head) if self.exceeds_chunk_overhead(line.whole.len(), head.size) => {
                self.lose_framing(start, HttpFault::ChunkOverhead)
            }
            Ok(head) => {
                self.note_bare_lf(line);
                self.queue.extend(odd.into_iter().map(Event::Odd));
                let (size, extensions) = (head.size, head.extensions);
                self.state = match size {
                    0 => DecoderState::Trailers { first: true },
                    left => DecoderState::ChunkData { left },
                };
                self.section_start = line.whole.end;
                self.advance(
                    Event::ChunkHead {
                        line: line.whole,
                        size,
                        extensions,
                    },
                    line.whole.end,
                )
            }
        }
    }

    /// Counts a chunk-size line. Returns whether the lines so far are too long for the data. A chunk pays for 16 bytes and
    /// for twice its data, as in Go's net/http (internal/chunked.go): one extension with a signature is fine, also before
    /// small chunks, and megabytes of extensions are not.
    fn exceeds_chunk_overhead(&mut self, line: u64, size: u64) -> bool {
        let paid = size.saturating_mul(2).saturating_add(16);
        self.chunk_overhead = self
            .chunk_overhead
            .saturating_add(line)
            .saturating_sub(paid);
        self.chunk_overhead > self.limits.chunk_head
    }

    fn read_chunk_end(&mut self, seen: Window<'_>) -> Option<()> {
        let length = match seen.slice_from(self.at) {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            [] | [b'\r'] => return self.wait_or_truncate(seen, MessagePart::ChunkEnd, None),
            _ => return self.lose_framing(self.at, HttpFault::BadChunkEnd),
        };
        let span = Span::new(self.at, self.at.saturating_add(length));
        if length == 1 {
            self.queue_oddity(OddityKind::BareLf, span);
        }
        self.state = DecoderState::ChunkHead;
        self.advance(Event::ChunkEnd(span), span.end)
    }

    fn read_unframed(&mut self, seen: Window<'_>) -> Option<()> {
        if seen.end() <= self.at {
            return None;
        }
        let span = Span::new(self.at, seen.end());
        self.advance(Event::Unframed(span), span.end)
    }

    /// The number of bytes that the head or the trailers may still have.
    fn room_in_head(&self) -> u64 {
        let used = self.at.saturating_sub(self.section_start);
        self.limits.head.saturating_sub(used)
    }

    /// Reads the line at the current offset. A line longer than `limit` loses the framing.
    fn next_line(&mut self, seen: Window<'_>, limit: u64, fault: HttpFault) -> Option<ScannedLine> {
        let line = self.scan.next_line(seen, self.at);
        let reaches = line.map_or(seen.end(), |line| line.whole.end);
        if reaches.saturating_sub(self.at) > limit {
            self.lose_framing(self.at, fault);
            return None;
        }
        line
    }

    /// Waits for more bytes; ends the message as truncated if the stream has ended.
    fn wait_or_truncate(
        &mut self,
        seen: Window<'_>,
        within: MessagePart,
        missing: Option<u64>,
    ) -> Option<()> {
        if self.state == DecoderState::Lost {
            return Some(());
        }
        if !seen.ended {
            return None;
        }
        self.queue
            .push_back(Event::End(MessageEnd::Truncated { within, missing }));
        self.state = DecoderState::Lost;
        Some(())
    }

    fn lose_framing(&mut self, at: u64, fault: HttpFault) -> Option<()> {
        self.queue
            .push_back(Event::End(MessageEnd::FramingLost { at, fault }));
        self.state = DecoderState::Lost;
        Some(())
    }

    fn finish(&mut self, end: MessageEnd) -> Option<()> {
        self.queue.push_back(Event::End(end));
        self.state = DecoderState::Done;
        Some(())
    }

    fn advance(&mut self, event: Event, to: u64) -> Option<()> {
        self.queue.push_back(event);
        self.at = to;
        Some(())
    }

    fn queue_oddity(&mut self, kind: OddityKind, at: Span) {
        self.queue.push_back(Event::Odd(HttpOddity::new(kind, at)));
    }

    fn note_bare_lf(&mut self, line: ScannedLine) {
        if line.bare_lf {
            self.queue_oddity(OddityKind::BareLf, Span::new(line.text.end, line.whole.end));
        }
    }
}

/// A field line that may still be continued by a folded line.
#[derive(Clone, Copy, Debug)]
struct OpenField {
    first: ScannedLine,
    /// With the lines folded onto it so far.
    whole: Span,
    /// The same without the last line end.
    text: Span,
}

enum FoldResult {
    Whole(OpenField),
    NeedsMore,
    TooLong,
}

/// Whether `bytes` can still become a status line, perhaps after empty lines.
fn could_be_http(bytes: &[u8]) -> bool {
    let bytes = match bytes {
        [b'\r', rest @ ..] => return matches!(rest, [] | [b'\n', ..]),
        [b'\n', ..] => return true,
        bytes => bytes,
    };
    let prefix = b"HTTP/";
    let length = bytes.len().min(prefix.len());
    bytes.get(..length) == prefix.get(..length)
}

#[doc(hidden)]
pub use checks::fuzz;

/// The promises of the module page, as assertions for tests and fuzzing.
#[allow(
    clippy::arithmetic_side_effects,
    reason = "assertions over small numbers of its own"
)]
mod checks {
    use super::*;

    /// Reads `bytes` as a response and as a request, whole and split by its own first bytes, and asserts
    /// what the module page promises. The body of a fuzz target.
    pub fn fuzz(bytes: &[u8]) {
        let (steps, bytes) = bytes.split_at(bytes.len().min(4));
        let limits = HttpLimits {
            head: 300,
            chunk_head: 40,
        };
        for asked in [None, Some(RequestMethod::Other), Some(RequestMethod::Head)] {
            let decoder = HttpDecoder::new(asked, 0, limits);
            let whole = decode_in_steps(decoder.clone(), bytes, std::iter::once(bytes.len()));
            let step = steps.iter().map(|&step| usize::from(step % 24));
            let split = decode_in_steps(decoder, bytes, step.cycle().take(bytes.len().max(1) * 4));
            assert_eq!(whole, split, "a split changed the reading");
            assert_tiles(&whole, bytes.len() as u64);
        }
    }

    /// Decodes `bytes`, fed in steps. Returns the events, with neighbouring data joined.
    pub(super) fn decode_in_steps(
        mut decoder: HttpDecoder,
        bytes: &[u8],
        steps: impl Iterator<Item = usize>,
    ) -> Vec<Event> {
        let mut events = Vec::new();
        let mut fed = 0usize;
        let mut base = 0u64;
        let mut see =
            |decoder: &mut HttpDecoder, fed: usize, ended: bool, events: &mut Vec<Event>| {
                let held = usize::try_from(base).unwrap_or(usize::MAX);
                let bytes = bytes.get(held..fed).unwrap_or_default();
                while let Some(event) = decoder.step(Window { base, bytes, ended }) {
                    push_joined(events, event);
                }
                base = decoder.at();
            };
        for step in steps {
            fed = fed.saturating_add(step).min(bytes.len());
            see(&mut decoder, fed, false, &mut events);
        }
        see(&mut decoder, bytes.len(), false, &mut events);
        see(&mut decoder, bytes.len(), true, &mut events);
        events
    }

    fn push_joined(events: &mut Vec<Event>, event: Event) {
        match (events.last_mut(), event) {
            (Some(Event::Data(last)), Event::Data(next))
            | (Some(Event::Unframed(last)), Event::Unframed(next)) => last.end = next.end,
            _ => events.push(event),
        }
    }

    /// Asserts that the spans follow each other without gap or overlap, up to the end of the message.
    pub(super) fn assert_tiles(events: &[Event], length: u64) {
        let mut at = 0;
        for (_, span) in events.iter().filter_map(Event::role_and_span) {
            assert_eq!(span.start, at, "spans do not tile");
            at = span.end;
        }
        let ends: Vec<_> = events
            .iter()
            .filter(|event| matches!(event, Event::End(_)))
            .collect();
        assert_eq!(ends.len(), 1, "a message ends once");
        match ends.first() {
            Some(Event::End(MessageEnd::Complete)) => assert!(at <= length),
            _ => assert_eq!(at, length, "bytes without a role"),
        }
    }
}

#[cfg(test)]
mod tests;

//! Head, framing, body, end: the states of one message, request or response, driven by windows.

use std::collections::VecDeque;

use super::chunked::chunk_head;
use super::framing::{self, Asked, Cues, Framing};
use super::head;
use super::oddity::{Fault, Oddity, OddityKind};
use super::scan::{Line, Scan};
use super::{End, Event, Part};
use crate::span::Span;
use crate::tape::Window;

/// How much a decoder will take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a head, and of the trailers; by default 256 KiB.
    pub head: u64,
    /// Bytes of a chunk-size line; by default 16 KiB.
    pub chunk_head: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: 256 << 10,
            chunk_head: 16 << 10,
        }
    }
}

/// Reads one message from windows of a stream. See the module page for what it promises.
#[derive(Clone, Debug)]
pub struct Decoder {
    /// `None` reads a request; otherwise what the response answers.
    asked: Option<Asked>,
    limits: Limits,
    at: u64,
    /// Where the head, or the trailers, began: what the limit counts from.
    section: u64,
    scan: Scan,
    state: State,
    status: u16,
    cues: Cues,
    open: Option<Open>,
    /// Found, not yet handed out.
    queue: VecDeque<Event>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
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

impl Decoder {
    /// Reads the response to `asked`, whose first byte is at `start`. An interim response (1xx) is a
    /// message of its own.
    pub fn response(asked: Asked, start: u64, limits: Limits) -> Self {
        Self::new(Some(asked), start, limits)
    }

    /// Reads the request whose first byte is at `start`.
    pub fn request(start: u64, limits: Limits) -> Self {
        Self::new(None, start, limits)
    }

    fn new(asked: Option<Asked>, start: u64, limits: Limits) -> Self {
        Self {
            asked,
            limits,
            at: start,
            section: start,
            scan: Scan::default(),
            state: State::StartLine,
            status: 0,
            cues: Cues::default(),
            open: None,
            queue: VecDeque::new(),
        }
    }

    /// The first byte that is still needed: those before it may be dropped.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Whether the message is over: by its framing, or cut, or lost. Bytes from [`Decoder::at`] on are
    /// not part of it.
    pub fn is_done(&self) -> bool {
        self.state == State::Done && self.queue.is_empty()
    }

    /// The next event in what is seen; `None`: needs more, or done.
    ///
    /// Each call must see at least the bytes from [`Decoder::at`] on that an earlier call saw.
    pub fn step(&mut self, seen: Window<'_>) -> Option<Event> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Some(event);
            }
            let moved = match self.state {
                State::StartLine => self.start_line(seen),
                State::Fields { first } => self.field_line(seen, first, false),
                State::Trailers { first } => self.field_line(seen, first, true),
                State::Length { left } => self.data(seen, left),
                State::ChunkData { left } => self.data(seen, left),
                State::UntilClose => self.until_close(seen),
                State::ChunkHead => self.chunk_line(seen),
                State::ChunkEnd => self.chunk_end(seen),
                State::Lost => self.unframed(seen),
                State::Done => None,
            };
            moved?;
        }
    }

    fn start_line(&mut self, seen: Window<'_>) -> Option<()> {
        if self.asked.is_some() && !could_be_http(seen.from(self.at)) {
            return self.lose(self.at, Fault::NotHttp);
        }
        // Empty lines before it count too: they are part of the head.
        let limit = self.room_in_head();
        let Some(line) = self.line(seen, limit, Fault::HeadTooLong) else {
            return self.cut(seen, Part::StartLine, None);
        };
        if line.text.is_empty() {
            self.odd(OddityKind::LeadingBlank, line.whole);
            return self.advance(Event::Blank(line.whole), line.whole.end);
        }
        let (read, odd) = match self.asked {
            Some(_) => head::status_line(seen, line.whole, line.text),
            None => head::request_line(seen, line.whole, line.text),
        };
        match read {
            Err(fault) => self.lose(line.whole.start, fault),
            Ok(start) => {
                self.bare_lf(line);
                self.queue.extend(odd.into_iter().map(Event::Odd));
                self.status = start.status().unwrap_or(0);
                self.cues.http10 = start.is_http10();
                self.state = State::Fields { first: true };
                self.advance(Event::Start(start), line.whole.end)
            }
        }
    }

    /// One field line of the head or of the trailers, with the lines folded onto it; or the empty line.
    fn field_line(&mut self, seen: Window<'_>, first: bool, trailer: bool) -> Option<()> {
        let part = if trailer { Part::Trailers } else { Part::Head };
        let start = self.at;
        let limit = self.room_in_head();
        if self.open.is_none() {
            let Some(line) = self.line(seen, limit, Fault::HeadTooLong) else {
                return self.cut(seen, part, None);
            };
            if line.text.is_empty() {
                self.bare_lf(line);
                return if trailer {
                    self.trailers_end(line.whole)
                } else {
                    self.head_end(line.whole)
                };
            }
            if first && matches!(seen.slice(line.text).first(), Some(b' ' | b'\t')) {
                return self.lose(start, Fault::LeadingSpace);
            }
            self.open = Some(Open {
                first: line,
                whole: line.whole,
                text: line.text,
            });
        }
        match self.fold(seen, limit) {
            Fold::More => self.cut(seen, part, None),
            Fold::TooLong => self.lose(start, Fault::HeadTooLong),
            Fold::Whole(open) => self.field(seen, open, trailer),
        }
    }

    /// How far the lines reach that are folded onto the open one (RFC 9112, section 5.2). Whether another
    /// one follows is only known once the byte after the line end is seen.
    fn fold(&mut self, seen: Window<'_>, limit: u64) -> Fold {
        let Some(mut open) = self.open else {
            return Fold::More;
        };
        loop {
            match seen.from(open.whole.end).first() {
                Some(b' ' | b'\t') => {}
                None if !seen.ended => return Fold::More,
                _ => {
                    self.open = None;
                    return Fold::Whole(open);
                }
            }
            let next = self.scan.line(seen, open.whole.end);
            let reaches = next.map_or(seen.end(), |next| next.whole.end);
            if reaches.saturating_sub(open.whole.start) > limit {
                return Fold::TooLong;
            }
            let Some(next) = next else {
                return Fold::More;
            };
            open.whole.end = next.whole.end;
            open.text.end = next.text.end;
            self.open = Some(open);
        }
    }

    fn field(&mut self, seen: Window<'_>, open: Open, trailer: bool) -> Option<()> {
        let (read, odd) = head::field(seen, open.whole, open.first.text, open.text);
        let field = match read {
            Ok(field) => field,
            Err(fault) => return self.lose(open.whole.start, fault),
        };
        self.bare_lf(open.first);
        self.queue.extend(odd.into_iter().map(Event::Odd));
        if trailer {
            self.state = State::Trailers { first: false };
            return self.advance(Event::Trailer(field), open.whole.end);
        }
        self.cues
            .field(seen.slice(field.name), seen.slice(field.value));
        self.state = State::Fields { first: false };
        self.advance(Event::Field(field), open.whole.end)
    }

    fn head_end(&mut self, line: Span) -> Option<()> {
        let (decided, odd) = match self.asked {
            Some(asked) => framing::of_response(asked, self.status, &self.cues),
            None => framing::of_request(&self.cues),
        };
        let head = Span::new(self.section, line.end);
        for kind in odd {
            self.odd(kind, head);
        }
        let framing = match decided {
            Ok(framing) => framing,
            Err(fault) => return self.lose(line.start, fault),
        };
        self.advance(Event::HeadEnd(line, framing), line.end)?;
        self.state = match framing {
            Framing::Empty | Framing::Tunnel | Framing::Length(0) => {
                return self.finish(End::Complete);
            }
            Framing::Length(left) => State::Length { left },
            Framing::Chunked => State::ChunkHead,
            Framing::UntilClose => State::UntilClose,
        };
        Some(())
    }

    fn trailers_end(&mut self, line: Span) -> Option<()> {
        self.advance(Event::TrailerEnd(line), line.end)?;
        self.finish(End::Complete)
    }

    fn data(&mut self, seen: Window<'_>, left: u64) -> Option<()> {
        let in_chunk = matches!(self.state, State::ChunkData { .. });
        let available = seen.end().saturating_sub(self.at).min(left);
        if available == 0 {
            let part = if in_chunk {
                Part::ChunkData
            } else {
                Part::Body
            };
            return self.cut(seen, part, Some(left));
        }
        let span = Span::new(self.at, self.at.saturating_add(available));
        self.advance(Event::Data(span), span.end)?;
        self.state = match (left.saturating_sub(available), in_chunk) {
            (0, false) => return self.finish(End::Complete),
            (0, true) => State::ChunkEnd,
            (left, false) => State::Length { left },
            (left, true) => State::ChunkData { left },
        };
        Some(())
    }

    fn until_close(&mut self, seen: Window<'_>) -> Option<()> {
        if seen.end() > self.at {
            let span = Span::new(self.at, seen.end());
            return self.advance(Event::Data(span), span.end);
        }
        if seen.ended {
            self.finish(End::Closed)
        } else {
            None
        }
    }

    fn chunk_line(&mut self, seen: Window<'_>) -> Option<()> {
        let start = self.at;
        let Some(line) = self.line(seen, self.limits.chunk_head, Fault::ChunkHeadTooLong) else {
            return self.cut(seen, Part::ChunkHead, None);
        };
        let mut odd = Vec::new();
        match chunk_head(seen, line.text, &mut odd) {
            Err(fault) => self.lose(start, fault),
            Ok(head) => {
                self.bare_lf(line);
                self.queue.extend(odd.into_iter().map(Event::Odd));
                let (size, extensions) = (head.size, head.extensions);
                self.state = match size {
                    0 => State::Trailers { first: true },
                    left => State::ChunkData { left },
                };
                self.section = line.whole.end;
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

    fn chunk_end(&mut self, seen: Window<'_>) -> Option<()> {
        let length = match seen.from(self.at) {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            [] | [b'\r'] => return self.cut(seen, Part::ChunkEnd, None),
            _ => return self.lose(self.at, Fault::BadChunkEnd),
        };
        let span = Span::new(self.at, self.at.saturating_add(length));
        if length == 1 {
            self.odd(OddityKind::BareLf, span);
        }
        self.state = State::ChunkHead;
        self.advance(Event::ChunkEnd(span), span.end)
    }

    fn unframed(&mut self, seen: Window<'_>) -> Option<()> {
        if seen.end() <= self.at {
            return None;
        }
        let span = Span::new(self.at, seen.end());
        self.advance(Event::Unframed(span), span.end)
    }

    /// How many more bytes the head, or the trailers, may have.
    fn room_in_head(&self) -> u64 {
        let used = self.at.saturating_sub(self.section);
        self.limits.head.saturating_sub(used)
    }

    /// The line at the current place; loses the framing when it, or what is seen of it, passes `limit`.
    fn line(&mut self, seen: Window<'_>, limit: u64, fault: Fault) -> Option<Line> {
        let line = self.scan.line(seen, self.at);
        let reaches = line.map_or(seen.end(), |line| line.whole.end);
        if reaches.saturating_sub(self.at) > limit {
            self.lose(self.at, fault);
            return None;
        }
        line
    }

    /// Nothing more can be read now; if nothing more can come either, the message was cut here.
    fn cut(&mut self, seen: Window<'_>, within: Part, missing: Option<u64>) -> Option<()> {
        if self.state == State::Lost {
            return Some(());
        }
        if !seen.ended {
            return None;
        }
        self.queue
            .push_back(Event::End(End::Short { within, missing }));
        self.state = State::Lost;
        Some(())
    }

    fn lose(&mut self, at: u64, fault: Fault) -> Option<()> {
        self.queue.push_back(Event::End(End::Lost { at, fault }));
        self.state = State::Lost;
        Some(())
    }

    fn finish(&mut self, end: End) -> Option<()> {
        self.queue.push_back(Event::End(end));
        self.state = State::Done;
        Some(())
    }

    fn advance(&mut self, event: Event, to: u64) -> Option<()> {
        self.queue.push_back(event);
        self.at = to;
        Some(())
    }

    fn odd(&mut self, kind: OddityKind, at: Span) {
        self.queue.push_back(Event::Odd(Oddity { kind, at }));
    }

    fn bare_lf(&mut self, line: Line) {
        if line.bare_lf {
            self.odd(OddityKind::BareLf, Span::new(line.text.end, line.whole.end));
        }
    }
}

/// A field line whose end is not yet certain: a folded one may follow.
#[derive(Clone, Copy, Debug)]
struct Open {
    first: Line,
    /// With the lines folded onto it so far.
    whole: Span,
    /// The same without the last line end.
    text: Span,
}

enum Fold {
    Whole(Open),
    More,
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
        let limits = Limits {
            head: 300,
            chunk_head: 40,
        };
        for asked in [None, Some(Asked::Other), Some(Asked::Head)] {
            let decoder = Decoder::new(asked, 0, limits);
            let whole = collect(decoder.clone(), bytes, std::iter::once(bytes.len()));
            let step = steps.iter().map(|&step| usize::from(step % 24));
            let split = collect(decoder, bytes, step.cycle().take(bytes.len().max(1) * 4));
            assert_eq!(whole, split, "a split changed the reading");
            assert_tiles(&whole, bytes.len() as u64);
        }
    }

    /// The events of `bytes`, fed in steps (the rest at the end), with neighbours joined.
    pub(super) fn collect(
        mut decoder: Decoder,
        bytes: &[u8],
        steps: impl Iterator<Item = usize>,
    ) -> Vec<Event> {
        let mut events = Vec::new();
        let mut fed = 0usize;
        let mut base = 0u64;
        let mut see = |decoder: &mut Decoder, fed: usize, ended: bool, events: &mut Vec<Event>| {
            let held = usize::try_from(base).unwrap_or(usize::MAX);
            let bytes = bytes.get(held..fed).unwrap_or_default();
            while let Some(event) = decoder.step(Window { base, bytes, ended }) {
                join(events, event);
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

    fn join(events: &mut Vec<Event>, event: Event) {
        match (events.last_mut(), event) {
            (Some(Event::Data(last)), Event::Data(next))
            | (Some(Event::Unframed(last)), Event::Unframed(next)) => last.end = next.end,
            _ => events.push(event),
        }
    }

    /// The spans follow each other without gap or overlap, up to where the message ends.
    pub(super) fn assert_tiles(events: &[Event], length: u64) {
        let mut at = 0;
        for (_, span) in events.iter().filter_map(Event::covers) {
            assert_eq!(span.start, at, "spans do not tile");
            at = span.end;
        }
        let ends: Vec<_> = events
            .iter()
            .filter(|event| matches!(event, Event::End(_)))
            .collect();
        assert_eq!(ends.len(), 1, "a message ends once");
        match ends.first() {
            Some(Event::End(End::Complete)) => assert!(at <= length),
            _ => assert_eq!(at, length, "bytes without a role"),
        }
    }
}

#[cfg(test)]
mod tests;

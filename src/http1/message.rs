//! A message built from its events: fields in order and as spelled, with lookup by name.

use std::borrow::Cow;

use super::{BodyFraming, Event, HeadField, HttpOddity, MessageEnd, OddityKind, StartLine};
use crate::span::Span;
use crate::tape::Window;

/// A request or a response.
#[derive(Clone, Debug, Default)]
pub struct HttpMessage {
    /// The start line, if one was read.
    pub start: Option<StartLine>,
    /// The head with its bytes, the empty lines before it included.
    pub head: FieldSection,
    /// Which body follows; `None` until the head is whole.
    pub framing: Option<BodyFraming>,
    /// Where the body lies; neighbours are joined. Empty under [`BodyRetention::HeadsOnly`].
    pub body: Vec<Span>,
    /// Bytes of body so far, without framing.
    pub body_length: u64,
    /// How many chunks with data.
    pub chunks: u64,
    /// The trailers with their bytes.
    pub trailers: FieldSection,
    /// What is odd about it, in the order of the stream; the first [`MAX_ODDITIES`] of them.
    pub oddities: Vec<HttpOddity>,
    /// Oddities beyond those.
    pub more_oddities: u64,
    /// How it ended; `None` while it goes on.
    pub end: Option<MessageEnd>,
}

/// Most oddities that a message keeps: real messages have a few, and an endless stream may have one in every line.
pub const MAX_ODDITIES: usize = 256;

/// Whether a reader keeps the spans of the pieces of a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BodyRetention {
    /// All of it.
    WholeBody,
    /// Only heads and trailers: memory stays bounded however long the body is.
    HeadsOnly,
}

impl HttpMessage {
    /// Adds the next event; `seen` must still hold the bytes that it covers.
    pub fn add_event(&mut self, event: &Event, seen: Window<'_>, keep: BodyRetention) {
        match *event {
            Event::Blank(span) => self.head.push(seen, span, None),
            Event::Start(start) => {
                self.head.push(seen, start.line(), None);
                self.start = Some(start);
            }
            Event::Field(field) => self.head.push(seen, field.line, Some(field)),
            Event::HeadEnd(span, framing) => {
                self.head.push(seen, span, None);
                self.framing = Some(framing);
                self.check_with_httparse();
            }
            Event::Trailer(field) => self.trailers.push(seen, field.line, Some(field)),
            Event::Data(span) => self.add_body(span, keep),
            Event::ChunkHead { size, .. } => {
                self.chunks = self.chunks.saturating_add(u64::from(size > 0));
            }
            Event::Odd(oddity) => self.add_oddity(oddity),
            Event::End(end) => self.end = Some(end),
            Event::ChunkEnd(_) | Event::TrailerEnd(_) | Event::Unframed(_) => {}
        }
    }

    fn add_body(&mut self, span: Span, keep: BodyRetention) {
        self.body_length = self.body_length.saturating_add(span.len());
        if keep == BodyRetention::HeadsOnly {
            return;
        }
        match self.body.last_mut() {
            Some(last) if last.end == span.start => last.end = span.end,
            _ => self.body.push(span),
        }
    }

    /// Adds an oddity, or counts it after the first [`MAX_ODDITIES`].
    pub fn add_oddity(&mut self, oddity: HttpOddity) {
        if self.oddities.len() < MAX_ODDITIES {
            self.oddities.push(oddity);
        } else {
            self.more_oddities = self.more_oddities.saturating_add(1);
        }
    }

    /// Parses the head with `httparse` too, and adds an oddity if it refuses.
    fn check_with_httparse(&mut self) {
        let mut fields = vec![httparse::EMPTY_HEADER; self.head.fields.len().saturating_add(1)];
        let refused = match self.start {
            Some(StartLine::Status { .. }) => {
                let mut response = httparse::Response::new(&mut fields);
                !matches!(
                    response.parse(&self.head.bytes),
                    Ok(httparse::Status::Complete(_))
                )
            }
            Some(StartLine::Request { .. }) => {
                let mut request = httparse::Request::new(&mut fields);
                !matches!(
                    request.parse(&self.head.bytes),
                    Ok(httparse::Status::Complete(_))
                )
            }
            None => false,
        };
        if refused {
            self.add_oddity(HttpOddity::new(OddityKind::StrictRefuses, self.head.span()));
        }
    }

    /// The status code of a response.
    pub fn status(&self) -> Option<u16> {
        self.start.and_then(|start| start.status())
    }

    /// The method of a request.
    pub fn method(&self) -> Option<&[u8]> {
        match self.start? {
            StartLine::Request { method, .. } => Some(self.head.slice(method)),
            StartLine::Status { .. } => None,
        }
    }

    /// The target of a request.
    pub fn target(&self) -> Option<&[u8]> {
        match self.start? {
            StartLine::Request { target, .. } => Some(self.head.slice(target)),
            StartLine::Status { .. } => None,
        }
    }

    /// Whether this is an interim response (RFC 9110, 15.2), which another response follows.
    pub fn is_interim(&self) -> bool {
        matches!(self.status(), Some(code) if (100..200).contains(&code) && code != 101)
    }

    /// The codings to undo, in the order in which they were applied: content codings, then transfer
    /// codings without `chunked`.
    pub fn codings(&self) -> impl Iterator<Item = &[u8]> {
        let of = |name: &'static str| {
            let values = self.head.values(name);
            values
                .flat_map(|value| value.split(|&byte| byte == b','))
                .map(<[u8]>::trim_ascii)
        };
        of("content-encoding")
            .chain(of("transfer-encoding"))
            .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"chunked"))
    }
}

/// Field lines with their bytes: a head, or the trailers.
#[derive(Clone, Debug, Default)]
pub struct FieldSection {
    /// Offset of the first byte in its stream.
    pub base: u64,
    /// All bytes of the section as they crossed the wire.
    pub bytes: Vec<u8>,
    /// The fields in order.
    pub fields: Vec<HeadField>,
}

impl FieldSection {
    fn push(&mut self, seen: Window<'_>, line: Span, field: Option<HeadField>) {
        if self.bytes.is_empty() {
            self.base = line.start;
        }
        self.bytes.extend_from_slice(seen.slice(line));
        self.fields.extend(field);
    }

    /// The span of the fields in their stream.
    pub fn span(&self) -> Span {
        Span::new(self.base, self.base.saturating_add(self.bytes.len() as u64))
    }

    /// The bytes of a span inside these fields.
    pub fn slice(&self, span: Span) -> &[u8] {
        Window {
            base: self.base,
            bytes: &self.bytes,
            ended: true,
        }
        .slice(span)
    }

    /// Every value of the fields called `name` (in any spelling), in order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields
            .iter()
            .filter(move |field| self.slice(field.name).eq_ignore_ascii_case(name.as_bytes()))
            .map(|field| self.slice(field.value))
    }

    /// The first value of the fields called `name`, folds replaced by a space (RFC 9112, 5.2).
    pub fn get<'a>(&'a self, name: &'a str) -> Option<Cow<'a, [u8]>> {
        self.values(name).next().map(unfold)
    }

    /// The fields as pairs of name and value, in order and as spelled.
    pub fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields
            .iter()
            .map(|field| (self.slice(field.name), self.slice(field.value)))
    }
}

fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.contains(&b'\n') {
        return Cow::Borrowed(value);
    }
    let lines = value.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    Cow::Owned(lines.collect::<Vec<_>>().join(&b' '))
}

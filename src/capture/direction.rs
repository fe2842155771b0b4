//! One direction of an exchange, read to find the secrets in it: by place first, then by value.

use std::collections::VecDeque;
use std::ops::Range;

use super::lines::Line;
use super::places;
use super::secrets::Secrets;
use crate::http1::{
    Event, HeadField, HttpDecoder, HttpLimits, MessageEnd, RequestMethod, StartLine,
};
use crate::span::{Span, StreamSide};
use crate::tape::{ConnectionFact, RollingBuffer, Window};

/// What is known of one direction.
#[derive(Debug)]
pub(super) struct Direction {
    side: StreamSide,
    rolling: RollingBuffer,
    reading: Reading,
    /// Whether the last message that began was asked with HEAD.
    asked: RequestMethod,
    /// Whether the start line of the current message was read.
    started: bool,
    /// Secrets that were found, in order, until the runs they lie in are passed on.
    masks: VecDeque<Mask>,
    /// The end of the body so far, as far as it may be the beginning of a known value.
    tail: Vec<u8>,
    /// Where the bytes of `tail` lie.
    tail_at: Vec<Span>,
    /// Whether the tail shows more of that value than may be seen.
    tail_waits: bool,
    /// All before it is decided, but for a tail that waits.
    read: u64,
}

#[derive(Debug)]
enum Reading {
    Message(Box<HttpDecoder>),
    /// Framing is lost: lines are looked at one by one.
    Lines(Line),
}

#[derive(Debug)]
struct Mask {
    rule: String,
    span: Span,
    fingerprint: String,
}

impl Direction {
    pub(super) fn new(side: StreamSide) -> Self {
        Self {
            side,
            rolling: RollingBuffer::default(),
            reading: Reading::Message(Box::new(decoder(side, RequestMethod::Other, 0))),
            asked: RequestMethod::Other,
            started: false,
            masks: VecDeque::new(),
            tail: Vec::new(),
            tail_at: Vec::new(),
            tail_waits: false,
            read: 0,
        }
    }

    /// All before this offset is decided.
    pub(super) fn decided(&self) -> u64 {
        match self.tail_at.first() {
            Some(first) if self.tail_waits => first.start.min(self.read),
            _ => self.read,
        }
    }

    /// Whether all that came is decided, and nothing of it is to be masked.
    pub(super) fn is_clean(&self) -> bool {
        self.masks.is_empty() && self.decided() == self.end()
    }

    /// Offset one past the last byte that came.
    pub(super) fn end(&self) -> u64 {
        self.rolling.end()
    }

    /// What the last message that began asks for.
    pub(super) fn asked(&self) -> RequestMethod {
        self.asked
    }

    /// Nothing more comes: what is still open is decided as it stands.
    pub(super) fn close(&mut self, secrets: &mut Secrets) {
        self.feed(&[], true, RequestMethod::Other, secrets);
        self.tail.clear();
        self.tail_at.clear();
        self.read = self.rolling.end();
    }

    fn found(&mut self, rule: &str, span: Span, fingerprint: String) {
        if !span.is_empty() {
            self.masks.push_back(Mask {
                rule: rule.to_ascii_lowercase(),
                span,
                fingerprint,
            });
        }
    }

    /// Masks the part of each secret that lies in the run `span`, and tells of those that begin in it.
    pub(super) fn mask(
        &mut self,
        span: Span,
        bytes: &mut [u8],
        mut tell: impl FnMut(ConnectionFact),
    ) {
        for mask in &self.masks {
            let part = mask.span.intersection(span);
            let from = usize::try_from(part.start.saturating_sub(span.start)).unwrap_or(usize::MAX);
            let to = usize::try_from(part.end.saturating_sub(span.start)).unwrap_or(usize::MAX);
            if part.is_empty() {
                continue;
            }
            if let Some(secret) = bytes.get_mut(from..to) {
                blank(secret);
            }
            if span.contains(mask.span.start) {
                tell(ConnectionFact::Redacted {
                    rule: mask.rule.clone(),
                    side: self.side,
                    span: mask.span,
                    fingerprint: mask.fingerprint.clone(),
                });
            }
        }
        self.masks.retain(|mask| mask.span.end > span.end);
    }

    /// Reads what came, as far as it can be read, and notes the secrets in it.
    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        ended: bool,
        asked: RequestMethod,
        secrets: &mut Secrets,
    ) {
        let mut rolling = std::mem::take(&mut self.rolling);
        rolling.feed(bytes, ended, |seen| {
            loop {
                let event = match &mut self.reading {
                    Reading::Lines(_) => break,
                    Reading::Message(decoder) => decoder.step(seen),
                };
                match event {
                    None => break,
                    Some(event) => self.event(&event, seen, asked, secrets),
                }
            }
            if let Reading::Lines(line) = &self.reading {
                let line = line.clone();
                self.lines(seen, line, secrets);
            }
            self.read
        });
        self.rolling = rolling;
    }

    fn event(
        &mut self,
        event: &Event,
        seen: Window<'_>,
        asked: RequestMethod,
        secrets: &mut Secrets,
    ) {
        match *event {
            Event::Start(StartLine::Request {
                line,
                method,
                target,
                ..
            }) => {
                self.started = true;
                self.asked = RequestMethod::from_method(seen.slice(method));
                self.url(seen, target, secrets);
                self.known(seen, line, secrets);
            }
            Event::Field(field) | Event::Trailer(field) => self.field(field, seen, secrets),
            Event::Data(span) => self.data(seen, span, secrets),
            Event::End(MessageEnd::Complete | MessageEnd::Closed) => {
                self.tail.clear();
                self.tail_at.clear();
                self.started = false;
                let asked = if self.side == StreamSide::Sent {
                    RequestMethod::Other
                } else {
                    asked
                };
                self.reading = Reading::Message(Box::new(decoder(self.side, asked, self.read)));
            }
            Event::End(MessageEnd::FramingLost { .. } | MessageEnd::Truncated { .. })
            | Event::HeadEnd(_, crate::http1::BodyFraming::Tunnel) => {
                let start = self.side == StreamSide::Sent && !self.started;
                self.reading = Reading::Lines(if start {
                    Line::start()
                } else {
                    Line::default()
                });
            }
            _ => {
                if let Some((_, span)) = event.role_and_span() {
                    self.known(seen, span, secrets);
                }
            }
        }
        if let Some((_, span)) = event.role_and_span() {
            self.read = self.read.max(span.end);
        }
    }

    /// Notes the secrets of a URL or request target.
    fn url(&mut self, seen: Window<'_>, url: Span, secrets: &mut Secrets) {
        let text = seen.slice(url);
        for part in places::secret_parts_of_url(text) {
            let secret = text.get(part.clone()).unwrap_or_default();
            let fingerprint = secrets.fingerprint(secret);
            secrets.learn(secret);
            self.found("url", within(url, part), fingerprint);
        }
    }

    fn field(&mut self, field: HeadField, seen: Window<'_>, secrets: &mut Secrets) {
        let (name, value) = (seen.slice(field.name), seen.slice(field.value));
        if !places::is_sensitive(name) {
            return self.known(seen, field.line, secrets);
        }
        let scheme = value
            .iter()
            .position(|&byte| byte == b' ')
            .map_or(0, |space| space.saturating_add(1));
        for part in places::secret_parts(name, value) {
            // The fingerprint is that of the whole key, so that a key is the same in any place.
            let cookie = name.to_ascii_lowercase().ends_with(b"cookie");
            let whole = if cookie {
                part.clone()
            } else {
                scheme.min(part.start)..part.end
            };
            let secret = value.get(whole).unwrap_or_default().trim_ascii();
            let fingerprint = secrets.fingerprint(secret);
            // What the peer calls a secret may be any word of its answer, and so may a cookie's value.
            if self.side == StreamSide::Sent && !cookie {
                secrets.learn(secret);
            }
            let rule = String::from_utf8_lossy(name).into_owned();
            self.found(&rule, within(field.value, part), fingerprint);
        }
    }

    /// Notes known values in bytes that stand together and are read in one piece.
    fn known(&mut self, seen: Window<'_>, span: Span, secrets: &Secrets) {
        for (part, fingerprint) in secrets.find(seen.slice(span)) {
            self.found("known key", within(span, part), fingerprint);
        }
    }

    /// Notes known values in body bytes, which may begin in an earlier piece and end in a later one.
    fn data(&mut self, seen: Window<'_>, span: Span, secrets: &Secrets) {
        if secrets.is_empty() {
            return;
        }
        if self.tail.is_empty() {
            let bytes = seen.slice(span);
            self.known(seen, span, secrets);
            let open = secrets.open_end(bytes);
            if open > 0 {
                let from = bytes.len().saturating_sub(open);
                self.tail = bytes.get(from..).unwrap_or_default().to_vec();
                self.tail_at = vec![Span::new(span.end.saturating_sub(open as u64), span.end)];
                self.tail_waits = secrets.must_wait(&self.tail);
            }
            return;
        }
        let mut bytes = std::mem::take(&mut self.tail);
        let mut at = std::mem::take(&mut self.tail_at);
        bytes.extend_from_slice(seen.slice(span));
        match at.last_mut() {
            Some(last) if last.end == span.start => last.end = span.end,
            _ => at.push(span),
        }
        let mut closed = 0;
        for (part, fingerprint) in secrets.find(&bytes) {
            closed = part.end;
            for span in pieces(&at, part) {
                self.found("known key", span, fingerprint.clone());
            }
        }
        let open = secrets.open_end(bytes.get(closed..).unwrap_or_default());
        let from = bytes.len().saturating_sub(open);
        self.tail_at = pieces(&at, from..bytes.len());
        self.tail = bytes.split_off(from);
        self.tail_waits = secrets.must_wait(&self.tail);
    }

    /// Where no message is left, a line that begins like a sensitive field is masked after its colon.
    fn lines(&mut self, seen: Window<'_>, mut line: Line, secrets: &mut Secrets) {
        let mut fresh = Span::new(self.read, seen.end());
        if line.is_start() {
            let waits = !seen.ended && line.waits_for_more(seen.slice(fresh));
            fresh.end = if waits { fresh.start } else { fresh.end };
            self.lost_start_line(seen, fresh, secrets);
        }
        self.data(seen, fresh, secrets);
        let mut at = fresh.start;
        for part in seen.slice(fresh).split_inclusive(|&byte| byte == b'\n') {
            let end = at.saturating_add(part.len() as u64);
            if let Some((rule, value)) = line.secret_in(Span::new(at, end), part) {
                self.found(&rule, value, String::new());
            }
            if part.ends_with(b"\n") {
                line = Line::default();
            }
            at = end;
        }
        self.reading = Reading::Lines(line);
        self.read = fresh.end;
    }

    /// The words of the first line, one of which is the request target, however odd the others are.
    fn lost_start_line(&mut self, seen: Window<'_>, fresh: Span, secrets: &mut Secrets) {
        let bytes = seen.slice(fresh);
        let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or(bytes);
        let mut at = fresh.start;
        for word in line.split(u8::is_ascii_whitespace) {
            let end = at.saturating_add(word.len() as u64);
            self.url(seen, Span::new(at, end), secrets);
            at = end.saturating_add(1);
        }
    }
}

fn decoder(side: StreamSide, asked: RequestMethod, at: u64) -> HttpDecoder {
    match side {
        StreamSide::Sent => HttpDecoder::for_request(at, HttpLimits::default()),
        StreamSide::Received => HttpDecoder::for_response(asked, at, HttpLimits::default()),
    }
}

/// White space stays: it is no part of a key, and a line end is part of the framing.
fn blank(secret: &mut [u8]) {
    for byte in secret.iter_mut().filter(|byte| !byte.is_ascii_whitespace()) {
        *byte = b'*';
    }
}

fn within(span: Span, part: Range<usize>) -> Span {
    let offset = |place: usize| span.start.saturating_add(place as u64);
    Span::new(offset(part.start), offset(part.end))
}

/// Where the bytes `part` of a text lie, whose pieces lie at `at` one after the other.
fn pieces(at: &[Span], part: Range<usize>) -> Vec<Span> {
    let (from, to) = (part.start as u64, part.end as u64);
    let mut passed = 0u64;
    let mut found = Vec::new();
    for span in at {
        let start = span
            .start
            .saturating_add(from.saturating_sub(passed))
            .min(span.end);
        let end = span
            .start
            .saturating_add(to.saturating_sub(passed))
            .min(span.end);
        passed = passed.saturating_add(span.len());
        if end > start {
            found.push(Span::new(start, end));
        }
    }
    found
}

//! Finds the secrets in one direction of a connection: by field and parameter names, then by known values.

use std::collections::VecDeque;
use std::ops::Range;

use super::names;
use super::pieces::{FoundPiece, PieceFollower};
use super::secrets::{KeyMatch, Secrets};
use super::text_spans::part_spans;
use super::unframed_line::UnframedLine;
use crate::http1::{Event, HeadField, StartLine};
use crate::span::{Span, StreamSide};
use crate::tape::{ConnectionFact, Window};

/// Scanner of one direction that finds secrets, masks them, and decides which runs may be passed on.
#[derive(Debug)]
pub(super) struct SecretScanner {
    side: StreamSide,
    /// Offset one past the last byte received.
    end: u64,
    /// Whether the start line of the current message was read.
    started: bool,
    /// Whether the next unframed bytes begin with a request line that could not be read.
    lost_start: bool,
    /// The current line of bytes that belong to no message.
    line: UnframedLine,
    /// Secrets found in runs that were not passed on yet, in order.
    masks: VecDeque<SecretSpan>,
    /// Last bytes of the body so far, if they may begin a known key. They wait for later bytes.
    open_tail: Vec<u8>,
    /// Spans of the bytes of `open_tail`.
    tail_spans: Vec<Span>,
    /// Numbers of the known keys in the current request. Their other forms are searched for after it, so that a split of
    /// the request changes nothing.
    carried: Vec<usize>,
    /// The keys that the strings of a response's body hold in pieces.
    pieces: PieceFollower,
    /// Offset before which masking is decided, except for the tail and for pieces.
    scanned_to: u64,
}

#[derive(Debug)]
struct SecretSpan {
    rule: String,
    span: Span,
    fingerprint: String,
}

impl SecretScanner {
    pub(super) fn new(side: StreamSide) -> Self {
        Self {
            side,
            end: 0,
            started: false,
            lost_start: false,
            line: UnframedLine::default(),
            masks: VecDeque::new(),
            open_tail: Vec::new(),
            tail_spans: Vec::new(),
            carried: Vec::new(),
            pieces: PieceFollower::default(),
            scanned_to: 0,
        }
    }

    /// Whether the masking of all bytes before `offset` is decided.
    pub(super) fn is_decided(&self, offset: u64) -> bool {
        let tail = self.tail_spans.first().map(|tail| tail.start);
        let waiting = tail.into_iter().chain(self.pieces.waits_from()).min();
        waiting.map_or(self.scanned_to, |waiting| waiting.min(self.scanned_to)) >= offset
    }

    /// Whether the masking of all bytes so far is decided and none of them is masked.
    pub(super) fn is_clean(&self) -> bool {
        self.masks.is_empty() && self.is_decided(self.end)
    }

    /// Adds `length` bytes to the stream before their events are scanned; returns their span.
    pub(super) fn extend(&mut self, length: usize) -> Span {
        let start = self.end;
        self.end = start.saturating_add(length as u64);
        Span::new(start, self.end)
    }

    /// Ends the body or the stream: the tail is masked as far as it is the beginning of a key.
    pub(super) fn end_body(&mut self, secrets: &mut Secrets) {
        let bytes = std::mem::take(&mut self.open_tail);
        let spans = std::mem::take(&mut self.tail_spans);
        for key in secrets.search(&bytes, true).matches {
            self.add_key(&key, part_spans(&spans, key.range.clone()));
        }
        let found = self.pieces.end(secrets);
        self.add_pieces(found, secrets);
        for number in std::mem::take(&mut self.carried) {
            secrets.carry(number);
        }
    }

    fn add_pieces(&mut self, found: Vec<FoundPiece>, secrets: &Secrets) {
        for piece in found {
            let fingerprint = secrets.pattern_fingerprint(piece.pattern);
            for span in piece.spans {
                self.add_secret(PIECE_RULE, span, fingerprint.clone());
            }
        }
    }

    fn add_key(&mut self, key: &KeyMatch, spans: impl IntoIterator<Item = Span>) {
        if let Some(number) = key.key.filter(|_| self.side == StreamSide::Sent)
            && !self.carried.contains(&number)
        {
            self.carried.push(number);
        }
        for span in spans {
            self.add_secret(key.rule, span, key.fingerprint.clone());
        }
    }

    fn add_secret(&mut self, rule: &str, span: Span, fingerprint: String) {
        if !span.is_empty() {
            self.masks.push_back(SecretSpan {
                rule: rule.to_ascii_lowercase(),
                span,
                fingerprint,
            });
        }
    }

    /// Masks the part of each secret that lies in the run `span`, and reports the secrets that begin in it.
    pub(super) fn mask(
        &mut self,
        span: Span,
        bytes: &mut [u8],
        mut report: impl FnMut(ConnectionFact),
    ) {
        for mask in &self.masks {
            let part = mask.span.intersection(span);
            let from = usize::try_from(part.start.saturating_sub(span.start)).unwrap_or(usize::MAX);
            let to = usize::try_from(part.end.saturating_sub(span.start)).unwrap_or(usize::MAX);
            if part.is_empty() {
                continue;
            }
            if let Some(secret) = bytes.get_mut(from..to) {
                fill_with_stars(secret);
            }
            if span.contains(mask.span.start) {
                report(ConnectionFact::Redacted {
                    rule: mask.rule.clone(),
                    side: self.side,
                    span: mask.span,
                    fingerprint: mask.fingerprint.clone(),
                });
            }
        }
        self.masks.retain(|mask| mask.span.end > span.end);
    }

    /// Finds the secrets in the bytes of one HTTP/1 event.
    pub(super) fn scan_event(&mut self, event: &Event, seen: Window<'_>, secrets: &mut Secrets) {
        match *event {
            Event::Start(start) => {
                self.started = true;
                if let StartLine::Request { target, .. } = start {
                    self.scan_url(seen, target, secrets);
                }
                self.scan_known(seen, start.line(), secrets);
            }
            Event::Field(field) | Event::Trailer(field) => self.scan_field(field, seen, secrets),
            Event::Data(span) => {
                self.scan_body(seen, span, secrets);
                if self.side == StreamSide::Received && !secrets.is_empty() {
                    let found = self.pieces.read(seen.slice(span), span, secrets);
                    self.add_pieces(found, secrets);
                }
            }
            Event::Unframed(span) => self.scan_unframed(seen, span, secrets),
            Event::End(end) => {
                self.lost_start = !end.is_whole() && self.side == StreamSide::Sent && !self.started;
                if end.is_whole() {
                    self.end_body(secrets);
                    self.started = false;
                }
            }
            _ => {
                if let Some((_, span)) = event.role_and_span() {
                    self.scan_known(seen, span, secrets);
                }
            }
        }
        if let Some((_, span)) = event.role_and_span() {
            self.scanned_to = span.end;
        }
    }

    /// Finds the secrets of a URL or request target.
    fn scan_url(&mut self, seen: Window<'_>, url: Span, secrets: &mut Secrets) {
        let text = seen.slice(url);
        for part in names::url_secret_ranges(text) {
            let secret = text.get(part.clone()).unwrap_or_default();
            let fingerprint = secrets.fingerprint(secret);
            secrets.learn(secret);
            self.add_secret("url", subspan(url, part), fingerprint);
        }
    }

    fn scan_field(&mut self, field: HeadField, seen: Window<'_>, secrets: &mut Secrets) {
        let (name, value) = (seen.slice(field.name), seen.slice(field.value));
        let found = names::field_secrets(name, value);
        if found.is_empty() {
            return self.scan_known(seen, field.line, secrets);
        }
        for part in found {
            // The fingerprint is that of the whole key, so that a key is the same in any place.
            let secret = value.get(part.whole.clone()).unwrap_or_default();
            let fingerprint = secrets.fingerprint(secret);
            // Not learned from the peer or from cookies: their values may be common words.
            if self.side == StreamSide::Sent && !part.is_cookie {
                secrets.learn(secret);
                if part.is_basic
                    && let Some((_, password)) = names::decode_basic(secret)
                {
                    secrets.learn(&password);
                }
            }
            let rule = String::from_utf8_lossy(name).into_owned();
            self.add_secret(&rule, subspan(field.value, part.masked), fingerprint);
        }
    }

    /// Finds known keys in `span`, all of which is in the window.
    fn scan_known(&mut self, seen: Window<'_>, span: Span, secrets: &Secrets) {
        for key in secrets.search(seen.slice(span), true).matches {
            self.add_key(&key, [subspan(span, key.range.clone())]);
        }
    }

    /// Finds known keys in body bytes; they may begin in an earlier piece and end in a later one.
    fn scan_body(&mut self, seen: Window<'_>, span: Span, secrets: &Secrets) {
        if secrets.is_empty() {
            return;
        }
        if self.open_tail.is_empty() {
            let bytes = seen.slice(span);
            let found = secrets.search(bytes, false);
            for key in &found.matches {
                self.add_key(key, [subspan(span, key.range.clone())]);
            }
            if found.undecided > 0 {
                let from = bytes.len().saturating_sub(found.undecided);
                self.open_tail = bytes.get(from..).unwrap_or_default().to_vec();
                self.tail_spans = vec![subspan(span, from..bytes.len())];
            }
            return;
        }
        let mut bytes = std::mem::take(&mut self.open_tail);
        let mut at = std::mem::take(&mut self.tail_spans);
        bytes.extend_from_slice(seen.slice(span));
        match at.last_mut() {
            Some(last) if last.end == span.start => last.end = span.end,
            _ => at.push(span),
        }
        let found = secrets.search(&bytes, false);
        for key in &found.matches {
            self.add_key(key, part_spans(&at, key.range.clone()));
        }
        let from = bytes.len().saturating_sub(found.undecided);
        self.tail_spans = part_spans(&at, from..bytes.len());
        self.open_tail = bytes.split_off(from);
    }

    /// Scans bytes that belong to no message: a line that begins like a sensitive field is masked after its colon.
    fn scan_unframed(&mut self, seen: Window<'_>, span: Span, secrets: &mut Secrets) {
        if std::mem::take(&mut self.lost_start) {
            self.scan_lost_start(seen, span, secrets);
        }
        self.scan_body(seen, span, secrets);
        let mut at = span.start;
        for part in seen.slice(span).split_inclusive(|&byte| byte == b'\n') {
            let end = at.saturating_add(part.len() as u64);
            if let Some((rule, value)) = self.line.find_secret(Span::new(at, end), part) {
                self.add_secret(&rule, value, String::new());
            }
            if part.ends_with(b"\n") {
                self.line = UnframedLine::default();
            }
            at = end;
        }
    }

    /// Scans each word of an unreadable start line as a URL, since one of them is the request target.
    fn scan_lost_start(&mut self, seen: Window<'_>, span: Span, secrets: &mut Secrets) {
        let bytes = seen.slice(span);
        let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or(bytes);
        let mut at = span.start;
        for word in line.split(u8::is_ascii_whitespace) {
            let end = at.saturating_add(word.len() as u64);
            self.scan_url(seen, Span::new(at, end), secrets);
            at = end.saturating_add(1);
        }
    }
}

/// The rule in the fact about a piece of a key.
const PIECE_RULE: &str = "piece of a known key";

/// Replaces all bytes but white space by `*`; white space is no part of a key and may be framing.
fn fill_with_stars(secret: &mut [u8]) {
    for byte in secret.iter_mut().filter(|byte| !byte.is_ascii_whitespace()) {
        *byte = b'*';
    }
}

fn subspan(span: Span, part: Range<usize>) -> Span {
    let offset = |place: usize| span.start.saturating_add(place as u64);
    Span::new(offset(part.start), offset(part.end))
}

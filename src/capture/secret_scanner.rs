//! Finds the secrets in one direction of a connection: by field and parameter names, then by known values.

use std::collections::VecDeque;
use std::ops::Range;

use super::secrets::Secrets;
use super::sensitive;
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
    /// Whether the stream has ended.
    ended: bool,
    /// Whether the start line of the current message was read.
    started: bool,
    /// Whether the next unframed bytes begin with a request line that could not be read.
    lost_start: bool,
    /// The current line of bytes that belong to no message.
    line: UnframedLine,
    /// Secrets found in runs that were not passed on yet, in order.
    masks: VecDeque<SecretSpan>,
    /// Last bytes of the body so far, if they may begin a known value.
    open_tail: Vec<u8>,
    /// Spans of the bytes of `open_tail`.
    tail_spans: Vec<Span>,
    /// Whether the tail holds more of that value than its visible prefix, and so must wait.
    tail_waits: bool,
    /// Offset before which masking is decided, except for a tail that waits.
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
            ended: false,
            started: false,
            lost_start: false,
            line: UnframedLine::default(),
            masks: VecDeque::new(),
            open_tail: Vec::new(),
            tail_spans: Vec::new(),
            tail_waits: false,
            scanned_to: 0,
        }
    }

    /// Whether the masking of all bytes before `offset` is decided.
    pub(super) fn is_decided(&self, offset: u64) -> bool {
        let waits = self.tail_waits && !self.ended;
        let tail = self.tail_spans.first().filter(|_| waits);
        let decided_to = tail.map_or(self.scanned_to, |tail| tail.start.min(self.scanned_to));
        decided_to >= offset
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

    /// Ends the stream before its last events are scanned, so that no tail waits for later bytes.
    pub(super) fn end(&mut self) {
        self.ended = true;
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
            Event::Data(span) => self.scan_body(seen, span, secrets),
            Event::Unframed(span) => self.scan_unframed(seen, span, secrets),
            Event::End(end) => {
                self.lost_start = !end.is_whole() && self.side == StreamSide::Sent && !self.started;
                if end.is_whole() {
                    self.open_tail.clear();
                    self.tail_spans.clear();
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
        for part in sensitive::url_secret_ranges(text) {
            let secret = text.get(part.clone()).unwrap_or_default();
            let fingerprint = secrets.fingerprint(secret);
            secrets.learn(secret);
            self.add_secret("url", subspan(url, part), fingerprint);
        }
    }

    fn scan_field(&mut self, field: HeadField, seen: Window<'_>, secrets: &mut Secrets) {
        let (name, value) = (seen.slice(field.name), seen.slice(field.value));
        if !sensitive::is_sensitive(name) {
            return self.scan_known(seen, field.line, secrets);
        }
        let scheme = value
            .iter()
            .position(|&byte| byte == b' ')
            .map_or(0, |space| space.saturating_add(1));
        for part in sensitive::secret_ranges(name, value) {
            // The fingerprint is that of the whole key, so that a key is the same in any place.
            let cookie = name.to_ascii_lowercase().ends_with(b"cookie");
            let whole = if cookie {
                part.clone()
            } else {
                scheme.min(part.start)..part.end
            };
            let secret = value.get(whole).unwrap_or_default().trim_ascii();
            let fingerprint = secrets.fingerprint(secret);
            // Not learned from the peer or from cookies: their values may be common words.
            if self.side == StreamSide::Sent && !cookie {
                secrets.learn(secret);
            }
            let rule = String::from_utf8_lossy(name).into_owned();
            self.add_secret(&rule, subspan(field.value, part), fingerprint);
        }
    }

    /// Finds known values in `span`, all of which is in the window.
    fn scan_known(&mut self, seen: Window<'_>, span: Span, secrets: &Secrets) {
        for (part, fingerprint) in secrets.find_known(seen.slice(span)) {
            self.add_secret("known key", subspan(span, part), fingerprint);
        }
    }

    /// Finds known values in body bytes; they may begin in an earlier piece and end in a later one.
    fn scan_body(&mut self, seen: Window<'_>, span: Span, secrets: &Secrets) {
        if secrets.is_empty() {
            return;
        }
        if self.open_tail.is_empty() {
            let bytes = seen.slice(span);
            self.scan_known(seen, span, secrets);
            let open = secrets.partial_match_length(bytes);
            if open > 0 {
                let from = bytes.len().saturating_sub(open);
                self.open_tail = bytes.get(from..).unwrap_or_default().to_vec();
                self.tail_spans = vec![Span::new(span.end.saturating_sub(open as u64), span.end)];
                self.tail_waits = secrets.ends_inside_secret(&self.open_tail);
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
        let mut closed = 0;
        for (part, fingerprint) in secrets.find_known(&bytes) {
            closed = part.end;
            for span in part_spans(&at, part) {
                self.add_secret("known key", span, fingerprint.clone());
            }
        }
        let open = secrets.partial_match_length(bytes.get(closed..).unwrap_or_default());
        let from = bytes.len().saturating_sub(open);
        self.tail_spans = part_spans(&at, from..bytes.len());
        self.open_tail = bytes.split_off(from);
        self.tail_waits = secrets.ends_inside_secret(&self.open_tail);
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

/// The wire spans of the range `part` of a text whose pieces are at the wire spans `at`.
fn part_spans(at: &[Span], part: Range<usize>) -> Vec<Span> {
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

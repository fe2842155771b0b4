//! Stands between a feed and its watchers and replaces every secret by as many `*`, however reads and
//! writes cut it.
//!
//! By place first: the fields and query parameters of `places`. Then by value: the keys that the caller
//! knows, and those it sees in such places, wherever they occur in either direction, be it split over
//! two chunks. A run is passed on, whole and in order, as soon as nothing that is still to come can
//! change how it is masked; that is at once, unless it ends inside a field line or inside what may
//! become a known key.
//!
//! What it cannot see are secrets inside compressed bodies: length for length they cannot be masked.

use std::collections::VecDeque;
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};
use aws_lc_rs::hmac;

use super::places;
use crate::http1::{Asked, Decoder, End, Event, Field, Limits, StartLine};
use crate::span::{Moment, Side, Span};
use crate::tape::{Fact, Rolling, Watch, Window};

/// Values that must not be seen, and the key under which their fingerprints are made.
#[derive(Clone, Debug)]
pub struct Secrets {
    known: Vec<Vec<u8>>,
    search: Option<AhoCorasick>,
    salt: hmac::Key,
}

/// A known key shorter than this is masked where its place tells, but not searched for: `test`, `ollama`
/// and `EMPTY` are words that occur in bodies.
const SHORTEST_KNOWN: usize = 7;

impl Secrets {
    /// Takes the keys that the caller knows; `salt` is the folder's own (see `Store::salt`).
    pub fn new(known: impl IntoIterator<Item = Vec<u8>>, salt: &[u8; 32]) -> Self {
        let salt = hmac::Key::new(hmac::HMAC_SHA256, salt);
        let mut secrets = Self {
            known: Vec::new(),
            search: None,
            salt,
        };
        for value in known {
            secrets.learn(&value);
        }
        secrets
    }

    /// Adds a value to those that are searched for.
    fn learn(&mut self, value: &[u8]) {
        if value.len() < SHORTEST_KNOWN || self.known.iter().any(|known| known == value) {
            return;
        }
        self.known.push(value.to_vec());
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&self.known);
        // Building fails only for more patterns than anybody has; then the last ones are not searched for.
        if let Ok(search) = search {
            self.search = Some(search);
        }
    }

    /// Equal secrets have equal fingerprints within one folder; eight digits tell nothing else.
    fn fingerprint(&self, secret: &[u8]) -> String {
        let tag = hmac::sign(&self.salt, secret);
        hex::encode(tag.as_ref().get(..4).unwrap_or_default())
    }

    /// Every known value in `bytes`: what of it is to be masked, and its fingerprint.
    fn find(&self, bytes: &[u8]) -> Vec<(Range<usize>, String)> {
        let Some(search) = &self.search else {
            return vec![];
        };
        let found = search.find_iter(bytes).map(|found| found.range());
        let part = |range: Range<usize>| {
            let secret = bytes.get(range.clone()).unwrap_or_default();
            let from = range.start.saturating_add(places::visible_prefix(secret));
            (from..range.end, self.fingerprint(secret))
        };
        found.map(part).collect()
    }

    /// How long a suffix of `bytes` may be the beginning of a known value.
    fn open_end(&self, bytes: &[u8]) -> usize {
        let may_begin = |known: &Vec<u8>| {
            let longest = known.len().saturating_sub(1).min(bytes.len());
            let suffix = |length: &usize| bytes.get(bytes.len().saturating_sub(*length)..);
            (1..=longest)
                .rev()
                .find(|length| suffix(length).is_some_and(|end| known.starts_with(end)))
        };
        self.known.iter().filter_map(may_begin).max().unwrap_or(0)
    }

    /// `text` with every known value masked: for words that do not pass through a [`Masker`].
    pub fn mask_text(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        for (part, _) in self.find(text.as_bytes()) {
            if let Some(secret) = bytes.get_mut(part) {
                secret.fill(b'*');
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// A watcher that masks what it passes on to another.
#[derive(Debug)]
pub struct Masker<W> {
    inner: W,
    secrets: Secrets,
    sent: Half,
    received: Half,
    /// What waits, in order, until the first of it is decided.
    queue: VecDeque<Waiting>,
}

#[derive(Debug)]
enum Waiting {
    Fact(Moment, Fact),
    Run {
        side: Side,
        moment: Moment,
        start: u64,
        bytes: Vec<u8>,
    },
    Ended(Side, Moment),
}

/// What is known of one direction.
#[derive(Debug)]
struct Half {
    side: Side,
    rolling: Rolling,
    reading: Reading,
    /// Whether the last message that began was asked with HEAD.
    asked: Asked,
    /// Secrets that were found, in order, until the runs they lie in are passed on.
    masks: VecDeque<Mask>,
    /// The end of the body so far, as far as it may be the beginning of a known value.
    tail: Vec<u8>,
    /// Where the bytes of `tail` lie.
    tail_at: Vec<Span>,
    /// All before it is decided, but for the tail.
    read: u64,
}

#[derive(Debug)]
enum Reading {
    Message(Box<Decoder>),
    /// Framing is lost: lines are looked at one by one.
    Lines(Line),
}

/// What is known of the current line, where lines are all there is.
#[derive(Clone, Debug, Default)]
struct Line {
    kind: LineKind,
    /// What may be the name of a field; emptied once that is decided.
    name: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum LineKind {
    #[default]
    Unknown,
    Plain,
    Secret,
}

#[derive(Debug)]
struct Mask {
    rule: String,
    span: Span,
    fingerprint: String,
}

impl<W: Watch> Masker<W> {
    /// Masks what goes to `inner`.
    pub fn new(inner: W, secrets: Secrets) -> Self {
        Self {
            inner,
            secrets,
            sent: Half::new(Side::Sent),
            received: Half::new(Side::Received),
            queue: VecDeque::new(),
        }
    }

    /// The watcher behind it.
    pub fn inner(&self) -> &W {
        &self.inner
    }

    /// Lets go of all that waits, and gives back the watcher behind it.
    pub fn into_inner(mut self) -> W {
        self.sent.close(&mut self.secrets);
        self.received.close(&mut self.secrets);
        self.release();
        self.inner
    }

    /// Passes on what is decided, up to the first that is not.
    fn release(&mut self) {
        while let Some(first) = self.queue.pop_front() {
            match first {
                Waiting::Fact(moment, fact) => self.inner.fact(moment, &fact),
                Waiting::Ended(side, moment) => self.inner.ended(side, moment),
                Waiting::Run {
                    side,
                    moment,
                    start,
                    mut bytes,
                } => {
                    let span = Span::new(start, start.saturating_add(bytes.len() as u64));
                    let (inner, half) = match side {
                        Side::Sent => (&mut self.inner, &mut self.sent),
                        Side::Received => (&mut self.inner, &mut self.received),
                    };
                    if half.decided() < span.end {
                        self.queue.push_front(Waiting::Run {
                            side,
                            moment,
                            start,
                            bytes,
                        });
                        return;
                    }
                    half.mask(span, &mut bytes, |fact| inner.fact(moment, &fact));
                    inner.bytes(side, moment, &bytes);
                }
            }
        }
    }
}

impl<W: Watch> Watch for Masker<W> {
    fn fact(&mut self, moment: Moment, fact: &Fact) {
        if self.queue.is_empty() {
            self.inner.fact(moment, fact);
        } else {
            self.queue.push_back(Waiting::Fact(moment, fact.clone()));
        }
    }

    fn bytes(&mut self, side: Side, moment: Moment, bytes: &[u8]) {
        let asked = self.sent.asked;
        let half = match side {
            Side::Sent => &mut self.sent,
            Side::Received => &mut self.received,
        };
        let start = half.rolling.end();
        half.feed(bytes, false, asked, &mut self.secrets);
        let clean = half.masks.is_empty() && half.decided() == half.rolling.end();
        if clean && self.queue.is_empty() {
            self.inner.bytes(side, moment, bytes);
            return;
        }
        self.queue.push_back(Waiting::Run {
            side,
            moment,
            start,
            bytes: bytes.to_vec(),
        });
        self.release();
    }

    fn ended(&mut self, side: Side, moment: Moment) {
        let half = match side {
            Side::Sent => &mut self.sent,
            Side::Received => &mut self.received,
        };
        half.close(&mut self.secrets);
        self.queue.push_back(Waiting::Ended(side, moment));
        self.release();
    }

    fn is_done(&self) -> bool {
        self.inner.is_done()
    }
}

impl Half {
    fn new(side: Side) -> Self {
        Self {
            side,
            rolling: Rolling::default(),
            reading: Reading::Message(Box::new(decoder(side, Asked::Other, 0))),
            asked: Asked::Other,
            masks: VecDeque::new(),
            tail: Vec::new(),
            tail_at: Vec::new(),
            read: 0,
        }
    }

    /// All before this offset is decided.
    fn decided(&self) -> u64 {
        self.tail_at
            .first()
            .map_or(self.read, |first| first.start.min(self.read))
    }

    /// Nothing more comes: what is still open is decided as it stands.
    fn close(&mut self, secrets: &mut Secrets) {
        self.feed(&[], true, Asked::Other, secrets);
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
    fn mask(&mut self, span: Span, bytes: &mut [u8], mut tell: impl FnMut(Fact)) {
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
                tell(Fact::Redacted {
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
    fn feed(&mut self, bytes: &[u8], ended: bool, asked: Asked, secrets: &mut Secrets) {
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

    fn event(&mut self, event: &Event, seen: Window<'_>, asked: Asked, secrets: &mut Secrets) {
        match *event {
            Event::Start(StartLine::Request {
                line,
                method,
                target,
                ..
            }) => {
                self.asked = Asked::from_method(seen.slice(method));
                for part in places::secret_parts_of_url(seen.slice(target)) {
                    let secret = seen.slice(target).get(part.clone()).unwrap_or_default();
                    let fingerprint = secrets.fingerprint(secret);
                    secrets.learn(secret);
                    self.found("url", within(target, part), fingerprint);
                }
                self.known(seen, line, secrets);
            }
            Event::Field(field) | Event::Trailer(field) => self.field(field, seen, secrets),
            Event::Data(span) => self.data(seen, span, secrets),
            Event::End(End::Complete | End::Closed) => {
                self.tail.clear();
                self.tail_at.clear();
                let asked = if self.side == Side::Sent {
                    Asked::Other
                } else {
                    asked
                };
                self.reading = Reading::Message(Box::new(decoder(self.side, asked, self.read)));
            }
            Event::End(End::Lost { .. } | End::Short { .. })
            | Event::HeadEnd(_, crate::http1::Framing::Tunnel) => {
                self.reading = Reading::Lines(Line::default());
            }
            _ => {
                if let Some((_, span)) = event.covers() {
                    self.known(seen, span, secrets);
                }
            }
        }
        if let Some((_, span)) = event.covers() {
            self.read = self.read.max(span.end);
        }
    }

    fn field(&mut self, field: Field, seen: Window<'_>, secrets: &mut Secrets) {
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
            secrets.learn(secret);
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
        if secrets.search.is_none() {
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
    }

    /// Where no message is left, a line that begins like a sensitive field is masked after its colon.
    fn lines(&mut self, seen: Window<'_>, mut line: Line, secrets: &mut Secrets) {
        let fresh = Span::new(self.read, seen.end());
        self.data(seen, fresh, secrets);
        let mut at = fresh.start;
        for part in seen.slice(fresh).split_inclusive(|&byte| byte == b'\n') {
            let end = at.saturating_add(part.len() as u64);
            self.line_part(&mut line, Span::new(at, end), part);
            if part.ends_with(b"\n") {
                line = Line::default();
            }
            at = end;
        }
        self.reading = Reading::Lines(line);
        self.read = fresh.end;
    }

    fn line_part(&mut self, line: &mut Line, span: Span, part: &[u8]) {
        let mut from = span.start;
        if line.kind == LineKind::Unknown {
            let colon = part.iter().position(|&byte| byte == b':');
            line.name
                .extend_from_slice(part.get(..colon.unwrap_or(part.len())).unwrap_or_default());
            if colon.is_some() {
                let secret = places::is_sensitive(line.name.trim_ascii());
                line.kind = if secret {
                    LineKind::Secret
                } else {
                    LineKind::Plain
                };
                from = from
                    .saturating_add(colon.unwrap_or(0) as u64)
                    .saturating_add(1);
            } else if line.name.len() > 100 {
                line.kind = LineKind::Plain;
            }
        }
        if line.kind == LineKind::Secret {
            let ends = part
                .iter()
                .rev()
                .take_while(|&&byte| byte == b'\n' || byte == b'\r')
                .count();
            let rule = String::from_utf8_lossy(line.name.trim_ascii()).into_owned();
            let value = Span::new(from, span.end.saturating_sub(ends as u64));
            self.found(&rule, value, String::new());
        }
    }
}

fn decoder(side: Side, asked: Asked, at: u64) -> Decoder {
    match side {
        Side::Sent => Decoder::request(at, Limits::default()),
        Side::Received => Decoder::response(asked, at, Limits::default()),
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

/// Masks an exchange that holds a secret in many places, cut by its own first bytes, and asserts that
/// nothing of it is left, that lengths and moments stay, and that a split changes nothing. The body of a
/// fuzz target.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    checks::fuzz(bytes);
}

mod checks {
    use super::*;
    use crate::tape::{Origin, Tape};

    pub(super) const KEY: &[u8] = b"sk-0123456789abcdef";

    pub(super) fn mask(side: Side, bytes: &[u8], steps: impl Iterator<Item = usize>) -> Tape {
        let origin = Origin {
            id: String::new(),
            started: jiff::Timestamp::UNIX_EPOCH,
            via: String::new(),
            url: String::new(),
            tool: String::new(),
        };
        let secrets = Secrets::new([KEY.to_vec()], &[7; 32]);
        let mut masker = Masker::new(Tape::new(origin), secrets);
        let mut rest = bytes;
        let mut now = 0;
        for step in steps.chain(std::iter::once(usize::MAX)) {
            let (run, after) = rest.split_at(step.min(rest.len()));
            masker.bytes(side, Moment::from_micros(now), run);
            rest = after;
            now += 1;
        }
        masker.ended(side, Moment::from_micros(now));
        masker.into_inner()
    }

    pub(super) fn fuzz(bytes: &[u8]) {
        let (steps, bytes) = bytes.split_at(bytes.len().min(4));
        let steps: Vec<_> = steps.iter().map(|&step| usize::from(step % 16)).collect();
        // Wherever the input says `K`, the key stands.
        let text: Vec<u8> = bytes
            .split(|&byte| byte == b'K')
            .collect::<Vec<_>>()
            .join(KEY);
        for side in [Side::Sent, Side::Received] {
            let whole = mask(side, &text, std::iter::empty());
            let split = mask(
                side,
                &text,
                steps
                    .iter()
                    .copied()
                    .cycle()
                    .take(text.len() * 4 * steps.len().min(1)),
            );
            let (whole, split) = (whole.stream(side), split.stream(side));
            assert_eq!(whole.bytes.len(), text.len(), "the length changed");
            assert_eq!(split.bytes, whole.bytes, "a split changed the masking");
            let unmasked = |window: &[u8]| window == KEY;
            assert!(
                !whole.bytes.windows(KEY.len()).any(unmasked),
                "the key is still there"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::checks::{KEY, mask};
    use super::*;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    #[track_caller]
    fn case(side: Side, input: &str, expected: &str) {
        for step in 1..input.len() {
            let tape = mask(
                side,
                input.as_bytes(),
                std::iter::repeat_n(step, input.len() / step),
            );
            assert_eq!(
                text(&tape.stream(side).bytes),
                expected,
                "in steps of {step}"
            );
        }
    }

    #[test]
    fn by_place() {
        case(
            Side::Sent,
            "POST /v1/m?key=abcdefgh&x=1 HTTP/1.1\r\nAuthorization: Bearer qwertzuiop\r\nCookie: a=b\r\n\r\n",
            "POST /v1/m?key=********&x=1 HTTP/1.1\r\nAuthorization: Bearer **********\r\nCookie: a=*\r\n\r\n",
        );
        case(
            Side::Received,
            "HTTP/1.1 200 OK\r\nset-cookie: __cf_bm=abc; path=/\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\nset-cookie: __cf_bm=***; path=/\r\nContent-Length: 2\r\n\r\nok",
        );
    }

    #[test]
    fn a_folded_value_is_masked_whole() {
        case(
            Side::Sent,
            "GET / HTTP/1.1\r\nX-Api-Key: abc\r\n def\r\n\r\n",
            "GET / HTTP/1.1\r\nX-Api-Key: ***\r\n ***\r\n\r\n",
        );
    }

    #[test]
    fn by_value_wherever_it_stands() {
        case(
            Side::Received,
            "HTTP/1.1 401 sk-0123456789abcdef\r\nX-Echo: <sk-0123456789abcdef>\r\nContent-Length: 23\r\n\r\n[ sk-0123456789abcdef ]",
            "HTTP/1.1 401 sk-****************\r\nX-Echo: <sk-****************>\r\nContent-Length: 23\r\n\r\n[ sk-**************** ]",
        );
    }

    #[test]
    fn a_key_split_over_two_chunks() {
        case(
            Side::Received,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsk-01\r\n10\r\n23456789abcdef s\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsk-**\r\n10\r\n************** s\r\n0\r\n\r\n",
        );
    }

    #[test]
    fn a_key_learned_from_a_field_is_masked_in_the_body() {
        case(
            Side::Sent,
            "POST / HTTP/1.1\r\nAuthorization: Bearer qwertzuiop\r\nContent-Length: 12\r\n\r\n[qwertzuiop]",
            "POST / HTTP/1.1\r\nAuthorization: Bearer **********\r\nContent-Length: 12\r\n\r\n[**********]",
        );
    }

    #[test]
    fn where_no_message_is_left_lines_are_masked() {
        case(
            Side::Sent,
            "what is this\r\nAuthorization: Bearer abc\r\nHost: h\r\n\r\nsk-0123456789abcdef",
            "what is this\r\nAuthorization: ****** ***\r\nHost: h\r\n\r\nsk-****************",
        );
    }

    #[test]
    fn a_secret_in_a_line_without_end() {
        case(
            Side::Sent,
            "GET / HTTP/1.1\r\nAuthorization: Bearer abcdefgh",
            "GET / HTTP/1.1\r\nAuthorization: ****** ********",
        );
    }

    #[test]
    fn runs_keep_their_moments_and_equal_keys_their_fingerprint() {
        let input = b"POST / HTTP/1.1\r\nX-Api-Key: sk-0123456789abcdef\r\nContent-Length: 19\r\n\r\nsk-0123456789abcdef";
        let tape = mask(Side::Sent, input, std::iter::repeat_n(10, 20));
        let moments: Vec<_> = tape
            .sent
            .marks
            .iter()
            .map(|mark| (mark.at, mark.moment.micros))
            .collect();
        assert_eq!(moments, (0..9).map(|n| (n * 10, n)).collect::<Vec<_>>());
        let prints: Vec<_> = tape
            .facts
            .iter()
            .filter_map(|(_, fact)| match fact {
                Fact::Redacted {
                    rule, fingerprint, ..
                } => Some((rule.as_str(), fingerprint.as_str())),
                _ => None,
            })
            .collect();
        assert_eq!(prints.len(), 2);
        assert_eq!(prints[0].1, prints[1].1);
        assert_eq!((prints[0].0, prints[1].0), ("x-api-key", "known key"));
        assert_eq!(KEY.len(), 19);
    }

    proptest::proptest! {
        #[test]
        fn no_split_lets_a_key_through(bytes in proptest::collection::vec(
            proptest::sample::select(b"K0s-\r\n:a{ ".to_vec()), 0..80)) {
            fuzz(&bytes);
        }

        #[test]
        fn in_messages_too(
            steps in proptest::array::uniform4(0u8..),
            body in proptest::collection::vec(proptest::sample::select(b"Ks-01 ".to_vec()), 0..40),
            chunked in proptest::bool::ANY,
        ) {
            let mut bytes = steps.to_vec();
            bytes.extend_from_slice(b"HTTP/1.1 200 K\r\nX: K\r\nAuthorization: K\r\n");
            if chunked {
                bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
                for piece in body.chunks(3) {
                    let keys = piece.iter().filter(|&&byte| byte == b'K').count();
                    let length = piece.len() + keys * (KEY.len() - 1);
                    bytes.extend_from_slice(format!("{length:x}\r\n").as_bytes());
                    bytes.extend_from_slice(piece);
                    bytes.extend_from_slice(b"\r\n");
                }
                bytes.extend_from_slice(b"0\r\nT: K\r\n\r\n");
            } else {
                bytes.extend_from_slice(b"\r\n");
                bytes.extend_from_slice(&body);
            }
            fuzz(&bytes);
        }
    }
}

//! Follows known keys over successive JSON strings: a streamed answer may repeat a key in pieces, one an event, which its
//! readers join.
//!
//! A piece continues a key if it is the value at the same path (names of members, without numbers of items) as a string
//! that ended inside the key. So the pieces of `choices[0].delta.content` are one text, in event streams, JSON lines and
//! arrays alike.

use super::escapes::unescape_with_places;
use super::forms::KeyPattern;
use super::secret_value::is_mixed;
use super::secrets::{MIN_BEGINNING_AT_END, Secrets};
use super::text_spans::part_spans;
use crate::span::Span;

/// Most bytes of a body that are followed: no model writes as much text, and reading more would slow a download down.
const MAX_FOLLOWED: u64 = 16 << 20;

/// Deepest JSON whose strings are followed. Pieces of answers are some six levels deep.
const MAX_DEPTH: usize = 64;

/// Most keys that wait to be continued. Each needs a text of its own at the same time: a choice, a tool call.
const MAX_OPEN: usize = 16;

/// Most strings at the path of an open key that may come before the one that continues it: other choices, in turn.
const MAX_STRINGS_BETWEEN: u32 = 8;

/// Most bytes between two pieces of a key. An event has some 300; those of reasoning and pings may come between.
const MAX_BYTES_BETWEEN: u64 = 64 << 10;

/// Fewest bytes of a random key at the end of a string that make its event wait for the next one. With fewer, ordinary
/// events would wait; up to two bytes of a key may so be passed on.
const MIN_WAITING: usize = 3;

/// The same for a key that looks like words: many strings end with the first letters of a word.
const MIN_WAITING_WORD: usize = 5;

/// Longest escape of one character: `&#x0000041;`, or `u0041` after eight backslashes.
const MAX_ESCAPE: usize = 13;

/// A place of a key that was found in pieces.
#[derive(Debug)]
pub(super) struct FoundPiece {
    pub(super) pattern: usize,
    pub(super) spans: Vec<Span>,
}

/// A follower of the strings in one body.
#[derive(Debug, Default)]
pub(super) struct PieceFollower {
    /// Number of bytes read, in the whole body.
    read: u64,
    /// The objects and arrays around the next byte.
    levels: Vec<JsonLevel>,
    /// Number of levels beyond `MAX_DEPTH`.
    too_deep: usize,
    /// Whether the line so far is empty: a second line end begins a new event.
    at_line_start: bool,
    /// The string that is being read, or the last one.
    string: OpenString,
    /// Whether a string is being read.
    in_string: bool,
    keys: Vec<OpenKey>,
}

#[derive(Clone, Copy, Debug)]
struct JsonLevel {
    /// Hash of the names down to the current member.
    path: u64,
    /// Whether the next string is the name of a member.
    expects_name: bool,
    is_object: bool,
}

/// A string that is being read.
#[derive(Debug, Default)]
struct OpenString {
    path: u64,
    /// Offset in the body.
    start: u64,
    is_name: bool,
    after_backslash: bool,
    /// Its bytes so far, or the last of them.
    held: Vec<u8>,
    /// The wire spans of `held`.
    spans: Vec<Span>,
    /// Whether its beginning was compared with the open keys. If not, it waits.
    is_compared: bool,
}

/// A key that a string ended inside.
#[derive(Debug)]
struct OpenKey {
    path: u64,
    pattern: usize,
    /// Number of its bytes so far.
    length: usize,
    /// Pieces that are masked if the key goes on, and wait for that.
    waiting: Vec<Span>,
    strings_since: u32,
    /// Where its last piece ended, in bytes of the body.
    end: u64,
}

/// The initial value of the hash FNV-1a, and its prime.
const HASH_START: u64 = 0xcbf2_9ce4_8422_2325;
const HASH_PRIME: u64 = 0x0000_0100_0000_01b3;

fn hash_bytes(seed: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(seed, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(HASH_PRIME)
    })
}

impl PieceFollower {
    /// Offset of the first byte that waits for a later string.
    pub(super) fn waits_from(&self) -> Option<u64> {
        let string = self.string.spans.first();
        let string = string.filter(|_| self.in_string && !self.string.is_compared);
        let keys = self.keys.iter().flat_map(|key| &key.waiting);
        string.into_iter().chain(keys).map(|span| span.start).min()
    }

    /// Reads the next bytes of the body, which are at `span`. Returns what is to be masked.
    pub(super) fn read(&mut self, bytes: &[u8], span: Span, secrets: &Secrets) -> Vec<FoundPiece> {
        let mut found = Vec::new();
        let left = MAX_FOLLOWED.saturating_sub(self.read);
        let bytes = match usize::try_from(left) {
            Ok(left) => bytes.get(..left).unwrap_or(bytes),
            Err(_) => bytes,
        };
        let mut at = 0;
        while at < bytes.len() {
            at = match self.in_string {
                true => self.read_string(bytes, at, span, secrets, &mut found),
                false => self.read_between(bytes, at),
            };
        }
        self.read = self.read.saturating_add(bytes.len() as u64);
        if self.read >= MAX_FOLLOWED {
            self.in_string = false;
            self.keys.clear();
        }
        self.drop_far_keys(self.read);
        found
    }

    /// Ends the body: the last string ends here, and keys that go no further are masked if they are no words.
    pub(super) fn end(&mut self, secrets: &Secrets) -> Vec<FoundPiece> {
        let mut found = Vec::new();
        if std::mem::take(&mut self.in_string) {
            self.end_string(self.read, secrets, &mut found);
        }
        for key in self.keys.drain(..) {
            let known = secrets
                .pattern(key.pattern)
                .and_then(|pattern| pattern.bytes.get(..key.length));
            let is_key =
                known.is_some_and(|known| known.len() >= MIN_BEGINNING_AT_END && is_mixed(known));
            if is_key && !key.waiting.is_empty() {
                found.push(FoundPiece {
                    pattern: key.pattern,
                    spans: key.waiting,
                });
            }
        }
        *self = Self::default();
        found
    }

    /// Reads bytes outside of strings, up to and with the next quotation mark. Returns the offset after them.
    fn read_between(&mut self, bytes: &[u8], from: usize) -> usize {
        for (index, &byte) in bytes.iter().enumerate().skip(from) {
            match byte {
                b'"' => {
                    let after = index.saturating_add(1);
                    self.begin_string(self.read.saturating_add(after as u64));
                    return after;
                }
                b'{' | b'[' => self.open_level(byte == b'{'),
                b'}' | b']' => self.close_level(),
                b':' | b',' => {
                    if let Some(level) = self.levels.last_mut() {
                        level.expects_name = level.is_object && byte == b',';
                    }
                }
                b'\n' if self.at_line_start => {
                    self.levels.clear();
                    self.too_deep = 0;
                }
                b'\n' => self.at_line_start = true,
                b'\r' => continue,
                _ => {}
            }
            self.at_line_start = byte == b'\n';
        }
        bytes.len()
    }

    fn path(&self) -> u64 {
        self.levels.last().map_or(HASH_START, |level| level.path)
    }

    fn open_level(&mut self, is_object: bool) {
        if self.levels.len() >= MAX_DEPTH {
            self.too_deep = self.too_deep.saturating_add(1);
            return;
        }
        let path = self.path();
        self.levels.push(JsonLevel {
            path,
            expects_name: is_object,
            is_object,
        });
    }

    fn close_level(&mut self) {
        match self.too_deep.checked_sub(1) {
            Some(left) => self.too_deep = left,
            None => _ = self.levels.pop(),
        }
    }

    /// Begins the string at the offset `start` of the body.
    fn begin_string(&mut self, start: u64) {
        self.drop_far_keys(start);
        self.at_line_start = false;
        self.in_string = true;
        let path = self.path();
        let has_keys = self.keys.iter().any(|key| key.path == path);
        let string = &mut self.string;
        string.path = path;
        string.start = start;
        string.is_name = self.levels.last().is_some_and(|level| level.expects_name);
        string.is_compared = string.is_name || self.too_deep > 0 || !has_keys;
        string.after_backslash = false;
        string.held.clear();
        string.spans.clear();
    }

    /// Reads bytes of the string, up to and with its last quotation mark. Returns the offset after them.
    fn read_string(
        &mut self,
        bytes: &[u8],
        from: usize,
        span: Span,
        secrets: &Secrets,
        found: &mut Vec<FoundPiece>,
    ) -> usize {
        let rest = bytes.get(from..).unwrap_or_default();
        let end = self.string.find_end(rest);
        let length = end.unwrap_or(rest.len());
        let start = span.start.saturating_add(from as u64);
        let part = rest.get(..length).unwrap_or_default();
        self.string
            .hold(part, Span::new(start, start.saturating_add(length as u64)));
        let after = from.saturating_add(length);
        if end.is_none() {
            self.compare_beginning(None, secrets, found);
            self.string.drop_beginning(secrets.longest_pattern());
            return after;
        }
        self.in_string = false;
        self.end_string(self.read.saturating_add(after as u64), secrets, found);
        // JSON has no line end in a string: the event was cut, or this is no JSON.
        if rest.get(length) == Some(&b'\n') {
            self.levels.clear();
            self.too_deep = 0;
            self.at_line_start = true;
        }
        after.saturating_add(1)
    }

    /// Ends the string before the offset `end` of the body.
    fn end_string(&mut self, end: u64, secrets: &Secrets, found: &mut Vec<FoundPiece>) {
        if self.string.is_name {
            return self.end_name();
        }
        let is_continued = self.compare_beginning(Some(end), secrets, found);
        if !is_continued && self.too_deep == 0 {
            self.open_key(end, secrets);
        }
    }

    fn end_name(&mut self) {
        let parent = self.levels.iter().rev().nth(1);
        let parent = parent.map_or(HASH_START, |level| level.path);
        if let Some(level) = self.levels.last_mut() {
            // A separator, so that `ab` in `c` and `a` in `bc` differ.
            level.path = hash_bytes(hash_bytes(parent, b"/"), &self.string.held);
        }
    }

    /// Compares the beginning of the string with the keys that are open at its path. `end`: where the string ended in the
    /// body, if it did. Returns whether the whole string continues a key.
    fn compare_beginning(
        &mut self,
        end: Option<u64>,
        secrets: &Secrets,
        found: &mut Vec<FoundPiece>,
    ) -> bool {
        if self.string.is_compared {
            return false;
        }
        let unescaped = unescape_with_places(&self.string.held, end.is_some());
        let text = &*unescaped.text;
        let Some(longest) = self.find_continued(self.string.path, text, end.is_some(), secrets)
        else {
            return false;
        };
        let is_empty = text.is_empty();
        let piece = longest.map(|(index, length)| {
            let range = unescaped.source_range(0..length);
            let spans = part_spans(&self.string.spans, range);
            (index, length, spans, end.filter(|_| length == text.len()))
        });
        self.string.is_compared = true;
        let is_continued = matches!(piece, Some((_, _, _, Some(_))));
        if !is_continued && !is_empty {
            self.count_string(self.string.path);
        }
        if let Some((index, length, spans, end)) = piece {
            self.continue_key(index, length, spans, end, secrets, found);
        }
        is_continued
    }

    /// The open key at `path` that `text` continues furthest, and how far; `None` if later bytes decide that.
    fn find_continued(
        &self,
        path: u64,
        text: &[u8],
        is_end: bool,
        secrets: &Secrets,
    ) -> Option<Option<(usize, usize)>> {
        let mut longest: Option<(usize, usize)> = None;
        let mut furthest = 0;
        for (index, key) in self.keys.iter().enumerate() {
            let pattern = secrets.pattern(key.pattern);
            let rest = pattern.and_then(|pattern| pattern.bytes.get(key.length..));
            let Some(rest) = rest.filter(|_| key.path == path) else {
                continue;
            };
            let pairs = rest.iter().zip(text);
            let length = pairs.take_while(|(left, right)| left == right).count();
            if length == text.len() && length < rest.len() && !is_end {
                return None;
            }
            let total = key.length.saturating_add(length);
            // Some bytes at the beginning of another text may be those of the key by chance.
            let is_piece = length == text.len() || length == rest.len() || length >= MIN_WAITING;
            if length > 0 && is_piece && total > furthest {
                furthest = total;
                longest = Some((index, length));
            }
        }
        Some(longest)
    }

    /// Adds a piece of `length` bytes at `spans` to an open key. `end`: where the piece ended in the body, if a later
    /// string may continue the key.
    fn continue_key(
        &mut self,
        index: usize,
        length: usize,
        spans: Vec<Span>,
        end: Option<u64>,
        secrets: &Secrets,
        found: &mut Vec<FoundPiece>,
    ) {
        let Some(key) = self.keys.get_mut(index) else {
            return;
        };
        let Some(pattern) = secrets.pattern(key.pattern) else {
            return;
        };
        key.length = key.length.saturating_add(length);
        key.strings_since = 0;
        key.end = end.unwrap_or(key.end);
        key.waiting.extend(spans);
        if key.length >= pattern.anchor {
            found.push(FoundPiece {
                pattern: key.pattern,
                spans: std::mem::take(&mut key.waiting),
            });
        } else if key.length < min_waiting(pattern) {
            key.waiting.clear();
        }
        if end.is_none() || key.length >= pattern.bytes.len() {
            self.keys.remove(index);
        }
    }

    /// Counts a string at `path` that continued no key, and drops keys that waited for too many.
    fn count_string(&mut self, path: u64) {
        for key in self.keys.iter_mut().filter(|key| key.path == path) {
            key.strings_since = key.strings_since.saturating_add(1);
        }
    }

    /// Drops keys whose last piece is too far before the offset `at`, unless the current string may continue them.
    fn drop_far_keys(&mut self, at: u64) {
        if self.keys.is_empty() {
            return;
        }
        let is_compared = !self.in_string || self.string.is_compared;
        let path = self.string.path;
        self.keys.retain(|key| {
            let is_near = at.saturating_sub(key.end) <= MAX_BYTES_BETWEEN
                && key.strings_since <= MAX_STRINGS_BETWEEN;
            is_near || !is_compared && key.path == path
        });
    }

    /// Opens a key if the string, which ends before the offset `end`, ends with the beginning of one.
    fn open_key(&mut self, end: u64, secrets: &Secrets) {
        let last = self.string.held.last();
        if !last.is_some_and(|&last| secrets.may_end_inside(last)) {
            return;
        }
        let unescaped = unescape_with_places(&self.string.held, true);
        let text = &*unescaped.text;
        let Some((number, pattern, length)) = secrets.beginning_at_end(text) else {
            return;
        };
        let range = text.len().saturating_sub(length)..text.len();
        let waits = (min_waiting(pattern)..pattern.anchor).contains(&length);
        let waiting = match waits {
            true => part_spans(&self.string.spans, unescaped.source_range(range)),
            false => vec![],
        };
        if self.keys.len() >= MAX_OPEN {
            self.keys.remove(0);
        }
        self.keys.push(OpenKey {
            path: self.string.path,
            pattern: number,
            length,
            waiting,
            strings_since: 0,
            end,
        });
    }
}

fn min_waiting(pattern: &KeyPattern) -> usize {
    match pattern.anchor < pattern.bytes.len() {
        true => MIN_WAITING,
        false => MIN_WAITING_WORD,
    }
}

impl OpenString {
    /// The length of the string in `bytes`, up to its quotation mark or a line end; `None` if neither is there.
    fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = usize::from(std::mem::take(&mut self.after_backslash) && !bytes.is_empty());
        loop {
            let rest = bytes.get(at..)?;
            let next = at.saturating_add(memchr::memchr3(b'"', b'\\', b'\n', rest)?);
            if bytes.get(next) != Some(&b'\\') {
                return Some(next);
            }
            at = next.saturating_add(2);
            self.after_backslash = at > bytes.len();
        }
    }

    fn hold(&mut self, part: &[u8], span: Span) {
        self.held.extend_from_slice(part);
        match self.spans.last_mut() {
            _ if span.is_empty() => {}
            Some(last) if last.end == span.start => last.end = span.end,
            _ => self.spans.push(span),
        }
    }

    /// Drops bytes that no beginning of a key at the end of the string can reach, once its own beginning was compared.
    fn drop_beginning(&mut self, longest_pattern: usize) {
        let kept = longest_pattern.saturating_mul(MAX_ESCAPE);
        if self.is_compared && !self.is_name && self.held.len() > kept.saturating_mul(2) {
            let from = self.held.len().saturating_sub(kept);
            self.spans = part_spans(&self.spans, from..self.held.len());
            self.held.drain(..from);
        }
    }
}

//! Known keys, the search for them in any bytes, and their fingerprints.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use aho_corasick::{AhoCorasick, Input, MatchKind};
use ring::hmac;

use super::escapes::unescape_with_places;
use super::forms::{KeyForm, KeyPattern, key_patterns, prefix_pattern};
use super::key_shapes::{is_key_byte, visible_prefix};
use super::names;
use super::secret_value::{is_mixed, is_searched, is_secret_value};

/// The set of known keys, with the searcher for them and the key of their fingerprints. A clone shares all of it.
#[derive(Clone, Debug)]
pub struct Secrets(Arc<SecretSet>);

#[derive(Debug)]
struct SecretSet {
    salt: hmac::Key,
    keys: Vec<KnownKey>,
    /// Prefixes of keys that are not known.
    prefixes: Vec<Vec<u8>>,
    patterns: Vec<KeyPattern>,
    /// Searches for the anchors of the patterns.
    searcher: Option<AhoCorasick>,
    /// The beginnings of anchors, by their last byte.
    beginnings: PatternBeginnings,
    /// The beginnings of keys as they are, of any length, by their last byte.
    plain_beginnings: PatternBeginnings,
    longest_pattern: usize,
    /// This set with one more key, by that key: the connections of one program carry the same.
    grown: Mutex<Vec<(Vec<u8>, Secrets)>>,
}

/// Most sets with one more key that are kept. Programs have one key for each of a few services.
const MAX_GROWN: usize = 32;

#[derive(Clone, Debug)]
struct KnownKey {
    value: Vec<u8>,
    fingerprint: String,
    /// Whether a request carried it. A peer can repeat only such keys in other forms.
    is_carried: bool,
}

/// A known key in a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct KeyMatch {
    /// The bytes to mask.
    pub(super) range: Range<usize>,
    /// The rule in the fact about it.
    pub(super) rule: &'static str,
    pub(super) fingerprint: String,
    /// Number of the key; `None` if only its prefix is known.
    pub(super) key: Option<usize>,
}

/// The known keys in a text, and the end of it that later bytes may make a key.
#[derive(Debug, Default)]
pub(super) struct KeySearch {
    pub(super) matches: Vec<KeyMatch>,
    /// Length of the end of the text that is not decided.
    pub(super) undecided: usize,
}

/// The rule in the fact about a key that breaks off before its last byte.
const BEGINNING_RULE: &str = "beginning of a known key";

/// Fewest bytes of a key that are masked at the end of a stream. There is one such place a stream, so that fewer bytes
/// than for an anchor suffice: four random characters are there by chance once in ten million streams.
pub(super) const MIN_BEGINNING_AT_END: usize = 4;

impl Secrets {
    /// A set of the keys that the caller knows; `salt` is the capture folder's (see `CaptureStore::salt`).
    pub fn new(known: impl IntoIterator<Item = Vec<u8>>, salt: &[u8; 32]) -> Self {
        let salt = hmac::Key::new(hmac::HMAC_SHA256, salt);
        let mut keys = Vec::new();
        for value in known {
            add_key(&mut keys, &salt, &value, false);
        }
        Self(Arc::new(SecretSet::new(salt, keys, vec![])))
    }

    /// The same set, which also masks what looks like a key after one of `prefixes`, such as `ghp_`.
    pub fn with_prefixes(self, prefixes: &[String]) -> Self {
        if prefixes.is_empty() {
            return self;
        }
        let prefixes = prefixes.iter().filter(|prefix| !prefix.is_empty());
        let prefixes = prefixes.map(|prefix| prefix.as_bytes().to_vec());
        let (salt, keys) = (self.0.salt.clone(), self.0.keys.clone());
        Self(Arc::new(SecretSet::new(salt, keys, prefixes.collect())))
    }

    /// Records that a request carries the known key with this number.
    pub(super) fn carry(&mut self, number: usize) {
        if let Some(key) = self.0.keys.get(number) {
            let value = key.value.clone();
            self.learn(&value);
        }
    }

    /// Adds `value`, which a request carries, to the known keys, unless it is too short to search for or a word of the
    /// APIs.
    pub(super) fn learn(&mut self, value: &[u8]) {
        let mut keys = self.0.keys.iter();
        if !is_searched(value) || keys.any(|known| known.value == value && known.is_carried) {
            return;
        }
        let grown = self.0.grown.lock().ok().and_then(|grown| {
            let mut sets = grown.iter();
            sets.find(|(key, _)| key == value)
                .map(|(_, set)| set.clone())
        });
        let grown = grown.unwrap_or_else(|| {
            let mut keys = self.0.keys.clone();
            add_key(&mut keys, &self.0.salt, value, true);
            let (salt, prefixes) = (self.0.salt.clone(), self.0.prefixes.clone());
            let set = Self(Arc::new(SecretSet::new(salt, keys, prefixes)));
            if let Ok(mut grown) = self.0.grown.lock()
                && grown.len() < MAX_GROWN
            {
                grown.push((value.to_vec(), set.clone()));
            }
            set
        });
        *self = grown;
    }

    /// The fingerprint of a secret, eight hex digits of a keyed hash: equal secrets of one folder have equal ones, and
    /// nothing else can be learned from it.
    pub(super) fn fingerprint(&self, secret: &[u8]) -> String {
        fingerprint(&self.0.salt, secret)
    }

    /// Whether no key is known.
    pub(super) fn is_empty(&self) -> bool {
        self.0.searcher.is_none()
    }

    /// `text` with each byte of a known key replaced by `*`, except its visible prefix.
    pub fn mask_text(&self, text: &str) -> String {
        let found = self.search(text.as_bytes(), true);
        names::mask_ranges(text, found.matches.into_iter().map(|key| key.range))
    }

    /// The pattern with this number.
    pub(super) fn pattern(&self, number: usize) -> Option<&KeyPattern> {
        self.0.patterns.get(number)
    }

    /// The fingerprint of the key of a pattern.
    pub(super) fn pattern_fingerprint(&self, number: usize) -> String {
        let key = self
            .pattern(number)
            .and_then(|pattern| self.0.keys.get(pattern.key?));
        key.map_or_else(String::new, |key| key.fingerprint.clone())
    }

    /// Length of the longest pattern.
    pub(super) fn longest_pattern(&self) -> usize {
        self.0.longest_pattern
    }

    /// Whether a string whose last byte, with its escapes, is `last` may end inside a key.
    pub(super) fn may_end_inside(&self, last: u8) -> bool {
        self.0.plain_beginnings.has_last_byte(last)
            || last.is_ascii_hexdigit()
            || matches!(last, b'/' | b';')
    }

    /// The longest beginning of a key that `text`, with its escapes undone, ends with: the number of its pattern, the
    /// pattern, and the length.
    pub(super) fn beginning_at_end(&self, text: &[u8]) -> Option<(usize, &KeyPattern, usize)> {
        self.0
            .plain_beginnings
            .longest_at_end(&self.0.patterns, text)
    }

    /// Finds every known key in `source`, in all its forms. `is_end`: no bytes follow.
    pub(super) fn search(&self, source: &[u8], is_end: bool) -> KeySearch {
        match self.is_empty() {
            true => KeySearch::default(),
            false => self.0.search(source, is_end),
        }
    }
}

/// Adds `value` to `keys` if it is new and to be searched for.
fn add_key(keys: &mut Vec<KnownKey>, salt: &hmac::Key, value: &[u8], is_carried: bool) {
    if let Some(known) = keys.iter_mut().find(|known| known.value == value) {
        known.is_carried |= is_carried;
    } else if is_searched(value) {
        keys.push(KnownKey {
            value: value.to_vec(),
            fingerprint: fingerprint(salt, value),
            is_carried,
        });
    }
}

fn fingerprint(salt: &hmac::Key, secret: &[u8]) -> String {
    let tag = hmac::sign(salt, secret);
    hex::encode(tag.as_ref().get(..4).unwrap_or_default())
}

impl SecretSet {
    fn new(salt: hmac::Key, keys: Vec<KnownKey>, prefixes: Vec<Vec<u8>>) -> Self {
        let secret = |known: &KnownKey| {
            let from = visible_prefix(&known.value);
            known.value.get(from..).unwrap_or_default().to_vec()
        };
        let all = keys.iter().map(secret).enumerate();
        let patterns: Vec<_> = all
            .flat_map(|(number, secret)| {
                let is_carried = keys.get(number).is_some_and(|key| key.is_carried);
                key_patterns(number, &secret, is_carried)
            })
            .chain(prefixes.iter().map(|prefix| prefix_pattern(prefix)))
            .collect();
        let anchors = patterns
            .iter()
            .filter_map(|pattern| pattern.bytes.get(..pattern.anchor));
        // Leftmost matches are found with vector instructions. Building fails only for millions of patterns.
        let searcher = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .build(anchors)
            .ok()
            .filter(|_| !patterns.is_empty());
        let lengths = patterns.iter().map(|pattern| pattern.bytes.len());
        let is_plain = |pattern: &KeyPattern| pattern.form == KeyForm::Plain;
        Self {
            longest_pattern: lengths.max().unwrap_or(0),
            beginnings: PatternBeginnings::new(&patterns, |pattern| pattern.anchor),
            plain_beginnings: PatternBeginnings::new(&patterns, |pattern| {
                match is_plain(pattern) {
                    true => pattern.bytes.len(),
                    false => 0,
                }
            }),
            salt,
            keys,
            prefixes,
            grown: Mutex::default(),
            searcher,
            patterns,
        }
    }

    fn search(&self, source: &[u8], is_end: bool) -> KeySearch {
        let unescaped = unescape_with_places(source, is_end);
        let text = &*unescaped.text;
        let mut found = KeySearch::default();
        let mut at = 0;
        let undecided_from = loop {
            let Some(anchor) = self.find_anchor(text, at) else {
                break self.find_beginning(text, at, is_end, |range, pattern| {
                    let range = unescaped.source_range(range);
                    found
                        .matches
                        .push(self.key_match(pattern, range, BEGINNING_RULE));
                });
            };
            // An anchor that begins before this one and may be whole with later bytes comes first.
            match self.beginning_at_end(text, at) {
                Some((_, start)) if !is_end && start < anchor.start => break start,
                _ => {}
            }
            let rest = text.get(anchor.start..).unwrap_or_default();
            let (pattern, range) = match self.extend_match(rest, anchor.len(), is_end) {
                AnchorEnd::Open => break anchor.start,
                AnchorEnd::Word => {
                    at = anchor.start.saturating_add(1);
                    continue;
                }
                AnchorEnd::Key(pattern, range) => (pattern, range),
            };
            let rule = match range.len() < pattern.bytes.len() && pattern.key.is_some() {
                true => BEGINNING_RULE,
                false => pattern.form.rule(),
            };
            at = anchor.start.saturating_add(range.end);
            let start = anchor.start.saturating_add(range.start);
            let mut key = self.key_match(pattern, unescaped.source_range(start..at), rule);
            if pattern.key.is_none() {
                let whole = rest.get(..range.end).unwrap_or_default();
                key.fingerprint = fingerprint(&self.salt, whole);
            }
            found.matches.push(key);
        };
        let decided = unescaped.source_offset(undecided_from);
        found.undecided = source.len().saturating_sub(decided);
        found
    }

    /// The first anchor in `text` from the offset `at` on.
    fn find_anchor(&self, text: &[u8], at: usize) -> Option<Range<usize>> {
        let input = Input::new(text).range(at..);
        Some(self.searcher.as_ref()?.find(input)?.range())
    }

    /// The key at the beginning of `rest`, whose first `anchor` bytes are an anchor: the pattern that the bytes follow
    /// furthest.
    fn extend_match(&self, rest: &[u8], anchor: usize, is_end: bool) -> AnchorEnd<'_> {
        let head = rest.get(..anchor).unwrap_or_default();
        let mut best = AnchorEnd::Word;
        for pattern in &self.patterns {
            if !pattern.bytes.starts_with(head) {
                continue;
            }
            let (range, most) = match pattern.key {
                Some(_) => (0..common_prefix(&pattern.bytes, rest), pattern.bytes.len()),
                None => match key_after_prefix(rest, &pattern.bytes) {
                    Some(range) => (range, pattern.bytes.len().saturating_add(MAX_UNKNOWN_KEY)),
                    None => continue,
                },
            };
            if range.end == rest.len() && range.end < most && !is_end {
                return AnchorEnd::Open;
            }
            let is_word = pattern.key.is_none()
                && !is_secret_value(rest.get(range.clone()).unwrap_or_default());
            if !is_word && range.end > best.length() {
                best = AnchorEnd::Key(pattern, range);
            }
        }
        best
    }

    /// The longest beginning of an anchor at the end of `text`, from the offset `at` on: its pattern, and where it begins.
    fn beginning_at_end(&self, text: &[u8], at: usize) -> Option<(&KeyPattern, usize)> {
        let rest = text.get(at..).unwrap_or_default();
        let (_, pattern, length) = self.beginnings.longest_at_end(&self.patterns, rest)?;
        Some((pattern, text.len().saturating_sub(length)))
    }

    /// Where the longest beginning of an anchor at the end of `text` begins. At the end of a stream nothing is undecided:
    /// a beginning that is no word is masked.
    fn find_beginning(
        &self,
        text: &[u8],
        at: usize,
        is_end: bool,
        mask: impl FnOnce(Range<usize>, &KeyPattern),
    ) -> usize {
        let Some((pattern, start)) = self.beginning_at_end(text, at) else {
            return text.len();
        };
        if !is_end {
            return start;
        }
        let known = text.get(start..).unwrap_or_default();
        if pattern.key.is_some() && known.len() >= MIN_BEGINNING_AT_END && is_mixed(known) {
            mask(start..text.len(), pattern);
        }
        text.len()
    }

    fn key_match(&self, pattern: &KeyPattern, range: Range<usize>, rule: &'static str) -> KeyMatch {
        let key = pattern.key.and_then(|key| self.keys.get(key));
        KeyMatch {
            range,
            rule,
            key: pattern.key,
            fingerprint: key.map_or_else(String::new, |key| key.fingerprint.clone()),
        }
    }
}

/// What follows an anchor.
enum AnchorEnd<'a> {
    /// Later bytes decide that.
    Open,
    /// A key of this pattern, and the range to mask.
    Key(&'a KeyPattern, Range<usize>),
    /// A word after a prefix, which is no key.
    Word,
}

impl AnchorEnd<'_> {
    fn length(&self) -> usize {
        match self {
            Self::Key(_, range) => range.end,
            _ => 0,
        }
    }
}

/// Most bytes of a key that only its prefix names. Tokens of big identity providers have up to 4 KiB.
const MAX_UNKNOWN_KEY: usize = 8 << 10;

/// The range of the characters of keys after `prefix`; `None` if `rest` does not begin with it.
fn key_after_prefix(rest: &[u8], prefix: &[u8]) -> Option<Range<usize>> {
    let after = rest.strip_prefix(prefix)?;
    let after = after.iter().take(MAX_UNKNOWN_KEY);
    let length = after.take_while(|&&byte| is_key_byte(byte)).count();
    Some(prefix.len()..prefix.len().saturating_add(length))
}

/// Number of first bytes that both have.
fn common_prefix(left: &[u8], right: &[u8]) -> usize {
    let pairs = left.iter().zip(right);
    pairs.take_while(|(left, right)| left == right).count()
}

/// Beginnings of anchors by their last byte, so that the end of each read is compared with few of them.
#[derive(Debug)]
struct PatternBeginnings {
    /// For each byte: number of the pattern, and length of the beginning that ends with this byte.
    by_last_byte: Vec<Vec<(usize, usize)>>,
}

impl PatternBeginnings {
    /// The beginnings of each pattern that are shorter than `length` says.
    fn new(patterns: &[KeyPattern], length: impl Fn(&KeyPattern) -> usize) -> Self {
        let mut by_last_byte = vec![Vec::new(); 256];
        for (number, pattern) in patterns.iter().enumerate() {
            let inner = pattern.bytes.iter().take(length(pattern).saturating_sub(1));
            for (index, &byte) in inner.enumerate() {
                if let Some(entries) = by_last_byte.get_mut(usize::from(byte)) {
                    entries.push((number, index.saturating_add(1)));
                }
            }
        }
        Self { by_last_byte }
    }

    fn has_last_byte(&self, byte: u8) -> bool {
        let entries = self.by_last_byte.get(usize::from(byte));
        entries.is_some_and(|entries| !entries.is_empty())
    }

    /// The longest beginning that `text` ends with.
    fn longest_at_end<'a>(
        &self,
        patterns: &'a [KeyPattern],
        text: &[u8],
    ) -> Option<(usize, &'a KeyPattern, usize)> {
        let last = usize::from(*text.last()?);
        let entries = self.by_last_byte.get(last)?;
        let at_end = entries.iter().filter_map(|&(number, length)| {
            let pattern = patterns.get(number)?;
            let beginning = pattern.bytes.get(..length)?;
            text.ends_with(beginning)
                .then_some((number, pattern, length))
        });
        at_end.max_by_key(|(_, _, length)| *length)
    }
}

//! Known secrets, and the search for them in any bytes.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};
use ring::hmac;

use super::sensitive;

/// Known secret values, and the key for their fingerprints.
#[derive(Clone, Debug)]
pub struct Secrets {
    known: Vec<Vec<u8>>,
    searcher: Option<AhoCorasick>,
    salt: hmac::Key,
}

/// A known key shorter than this is masked in the fields that hold keys, but not searched for elsewhere: `test`,
/// `ollama`
/// and `EMPTY` are words that occur in bodies.
const MIN_SEARCHED_LENGTH: usize = 7;

impl Secrets {
    /// Takes the keys that the caller knows; `salt` is the folder's own (see `Store::salt`).
    pub fn new(known: impl IntoIterator<Item = Vec<u8>>, salt: &[u8; 32]) -> Self {
        let salt = hmac::Key::new(hmac::HMAC_SHA256, salt);
        let mut secrets = Self {
            known: Vec::new(),
            searcher: None,
            salt,
        };
        for value in known {
            secrets.learn(&value);
        }
        secrets
    }

    /// Adds a value to those that are searched for.
    pub(super) fn learn(&mut self, value: &[u8]) {
        if value.len() < MIN_SEARCHED_LENGTH || self.known.iter().any(|known| known == value) {
            return;
        }
        self.known.push(value.to_vec());
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&self.known);
        // Building fails only for more patterns than anybody has; then the last ones are not searched for.
        if let Ok(search) = search {
            self.searcher = Some(search);
        }
    }

    /// The fingerprint of a secret: equal secrets have equal fingerprints within one folder. Eight digits reveal
    /// nothing else.
    pub(super) fn fingerprint(&self, secret: &[u8]) -> String {
        let tag = hmac::sign(&self.salt, secret);
        hex::encode(tag.as_ref().get(..4).unwrap_or_default())
    }

    /// Finds every known value in `bytes`: the range to mask, and the value's fingerprint.
    pub(super) fn find_known(&self, bytes: &[u8]) -> Vec<(Range<usize>, String)> {
        let Some(search) = &self.searcher else {
            return vec![];
        };
        let found = search.find_iter(bytes).map(|found| found.range());
        let part = |range: Range<usize>| {
            let secret = bytes.get(range.clone()).unwrap_or_default();
            let from = range
                .start
                .saturating_add(sensitive::visible_prefix(secret));
            (from..range.end, self.fingerprint(secret))
        };
        found.map(part).collect()
    }

    /// `text` with every known value in it replaced by as many `*`.
    pub fn mask_text(&self, text: &str) -> String {
        let found = self.find_known(text.as_bytes());
        sensitive::mask_ranges(text, found.into_iter().map(|(part, _)| part))
    }

    /// Length of the longest suffix of `bytes` that begins a known value and is shorter than it.
    pub(super) fn partial_match_length(&self, bytes: &[u8]) -> usize {
        self.partial_matches(bytes)
            .map(|(_, length)| length)
            .max()
            .unwrap_or(0)
    }

    /// Each known value that a suffix of `bytes` begins, with the length of that suffix.
    fn partial_matches(&self, bytes: &[u8]) -> impl Iterator<Item = (&[u8], usize)> {
        self.known.iter().flat_map(move |known| {
            let longest = known.len().saturating_sub(1).min(bytes.len());
            let begins = |length: &usize| {
                let suffix = bytes.get(bytes.len().saturating_sub(*length)..);
                suffix.is_some_and(|suffix| known.starts_with(suffix))
            };
            let lengths = (1..=longest).filter(begins).collect::<Vec<_>>();
            lengths.into_iter().map(|length| (known.as_slice(), length))
        })
    }

    /// Whether any value is known.
    pub(super) fn is_empty(&self) -> bool {
        self.searcher.is_none()
    }

    /// Whether `bytes` ends with more of a known value than may be seen, so that it must wait until it is
    /// clear whether the rest follows.
    pub(super) fn ends_inside_secret(&self, bytes: &[u8]) -> bool {
        self.partial_matches(bytes)
            .any(|(known, length)| length > sensitive::visible_prefix(known))
    }
}

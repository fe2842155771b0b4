//! Known secret values, searching for them in any bytes, and their fingerprints.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};
use ring::hmac;

use super::sensitive;

/// The set of known secret values, with the searcher for them and the key of their fingerprints.
#[derive(Clone, Debug)]
pub struct Secrets {
    known: Vec<Vec<u8>>,
    searcher: Option<AhoCorasick>,
    salt: hmac::Key,
}

/// Shortest known value that is searched for everywhere, in bytes. Shorter keys are masked only in the fields that hold
/// keys: `test`, `ollama` and `EMPTY` are keys and also words that occur in bodies.
const MIN_SEARCHED_LENGTH: usize = 7;

impl Secrets {
    /// A set of the keys that the caller knows; `salt` is the capture folder's (see `CaptureStore::salt`).
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

    /// Adds `value` to the known values, unless it is too short to search for.
    pub(super) fn learn(&mut self, value: &[u8]) {
        if value.len() < MIN_SEARCHED_LENGTH || self.known.iter().any(|known| known == value) {
            return;
        }
        self.known.push(value.to_vec());
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&self.known);
        // Building fails only for millions of patterns; then the last one is not searched for.
        if let Ok(search) = search {
            self.searcher = Some(search);
        }
    }

    /// The fingerprint of a secret, eight hex digits of a keyed hash: equal secrets of one folder have equal ones, and
    /// nothing else can be learned from it.
    pub(super) fn fingerprint(&self, secret: &[u8]) -> String {
        let tag = hmac::sign(&self.salt, secret);
        hex::encode(tag.as_ref().get(..4).unwrap_or_default())
    }

    /// Finds every known value in `bytes`. Returns the ranges to mask, with the fingerprints of the values.
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

    /// `text` with each byte of a known value replaced by `*`, except its visible prefix.
    pub fn mask_text(&self, text: &str) -> String {
        let found = self.find_known(text.as_bytes());
        sensitive::mask_ranges(text, found.into_iter().map(|(part, _)| part))
    }

    /// Length of the longest suffix of `bytes` that is an incomplete beginning of a known value.
    pub(super) fn partial_match_length(&self, bytes: &[u8]) -> usize {
        self.partial_matches(bytes)
            .map(|(_, length)| length)
            .max()
            .unwrap_or(0)
    }

    /// The known values of which a suffix of `bytes` is an incomplete beginning, with the length of that suffix.
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

    /// Whether no value is known.
    pub(super) fn is_empty(&self) -> bool {
        self.searcher.is_none()
    }

    /// Whether `bytes` ends inside a known value, beyond its visible prefix, so that it must wait for the next bytes.
    pub(super) fn ends_inside_secret(&self, bytes: &[u8]) -> bool {
        self.partial_matches(bytes)
            .any(|(known, length)| length > sensitive::visible_prefix(known))
    }
}

//! A sketch of the words of an array item, to estimate how much text two items share.

use super::item_labels::key_text;
use crate::json::{JsonDocument, JsonKind};

/// Hashes of words that are kept for an item. The error of the estimate is about 1/sqrt(64), an eighth: enough to
/// distinguish a half from a third.
const WORD_HASHES: usize = 64;

/// Hashes of three neighbouring words that are kept for an item, where there are too many items to compare each with
/// every other: one equal phrase is enough to find the pair.
const PHRASE_HASHES: usize = 16;

/// Hashes of some words of an array item: samples of two sets overlap about as much as the sets do (Broder, "On the
/// resemblance and containment of documents", 1997).
#[derive(Clone, Debug, Default)]
pub(super) struct TextSketch {
    words: MinHash<WORD_HASHES>,
    phrases: MinHash<PHRASE_HASHES>,
}

impl TextSketch {
    /// Reads the strings and numbers in the value at `node`, except roles and types.
    pub(super) fn read(document: &JsonDocument<'_>, node: usize) -> Self {
        let mut sketch = Self::default();
        let mut before = [0; 2];
        for_each_scalar(document, node, |text| {
            for_each_word(text, |word| {
                sketch.words.add(word);
                sketch
                    .phrases
                    .add(mix_hashes(mix_hashes(before[0], before[1]), word));
                before = [before[1], word];
            });
        });
        sketch
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.0.is_empty()
    }

    /// About the number of steps that a comparison takes.
    pub(super) fn len(&self) -> usize {
        self.words.0.len()
    }

    /// Returns the share of words that both have, in thousandths: twice the common ones divided by the sum of both
    /// (Dice coefficient).
    pub(super) fn similarity(&self, other: &Self) -> u32 {
        let (common, all) = self.words.count_common(&other.words);
        match common + all {
            0 => 0,
            sum => (2000 * common / sum) as u32,
        }
    }

    /// Hashes of some runs of three words: the same ones in every item that has them.
    pub(super) fn phrases(&self) -> &[u32] {
        &self.phrases.0
    }
}

/// The `N` smallest hashes of a set of words, ascending.
#[derive(Clone, Debug, Default)]
struct MinHash<const N: usize>(Vec<u32>);

impl<const N: usize> MinHash<N> {
    fn add(&mut self, hash: u32) {
        if self.0.len() == N && self.0.last() <= Some(&hash) {
            return;
        }
        if let Err(place) = self.0.binary_search(&hash) {
            self.0.truncate(N - 1);
            self.0.insert(place, hash);
        }
    }

    /// Of the least `N` hashes of both sets together, returns how many both have, and how many there are.
    fn count_common(&self, other: &Self) -> (usize, usize) {
        let (mut x, mut y, mut common, mut all) = (0, 0, 0, 0);
        while let (true, Some(one), Some(two)) = (all < N, self.0.get(x), other.0.get(y)) {
            common += usize::from(one == two);
            all += 1;
            (x, y) = (x + usize::from(one <= two), y + usize::from(two <= one));
        }
        let rest = self.0.len().saturating_sub(x) + other.0.len().saturating_sub(y);
        (common, N.min(all + rest))
    }
}

/// Calls `each` with the strings and numbers of a value, as they are written.
fn for_each_scalar(document: &JsonDocument<'_>, node: usize, mut each: impl FnMut(&[u8])) {
    let nodes = document.nodes();
    let mut open = vec![(node, nodes[node].next(), false)];
    while let Some((next, end, keyed)) = open.last_mut() {
        if next >= end {
            open.pop();
            continue;
        }
        let mut value = *next;
        if *keyed {
            value = nodes[value].next();
            let key = key_text(document, std::mem::replace(next, value));
            *next = nodes[value].next();
            if matches!(key, "role" | "type") {
                continue;
            }
        }
        *next = nodes[value].next();
        match nodes[value].kind() {
            kind @ (JsonKind::Object | JsonKind::Array) => {
                open.push((value + 1, nodes[value].next(), kind == JsonKind::Object));
            }
            JsonKind::String | JsonKind::Number => each(document.slice(nodes[value].span())),
            _ => {}
        }
    }
}

/// Calls `each` with the hash of each word: a run of letters and digits, or one character in scripts without spaces,
/// such as Chinese and Japanese.
fn for_each_word(text: &[u8], mut each: impl FnMut(u32)) {
    let (mut word, mut at) = (0u32, 0);
    while let Some(&byte) = text.get(at) {
        let length = match byte {
            // An escape is not part of a word.
            b'\\' => 2,
            // U+3000 up to U+D7FF.
            0xE3..=0xED => 3,
            _ => 1,
        };
        let is_part = byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
        if word != 0 && (!is_part || length > 1) {
            each(mix_hashes(std::mem::take(&mut word), 0));
        }
        if is_part {
            let bytes = text.get(at..at + length).unwrap_or_default();
            let join = |word: u32, &byte: &u8| {
                (word.rotate_left(5) ^ u32::from(byte)).wrapping_mul(0x9E37_79B9)
            };
            word = bytes.iter().fold(word, join) | 1;
        }
        if is_part && length > 1 {
            each(mix_hashes(std::mem::take(&mut word), 0));
        }
        at += length;
    }
    if word != 0 {
        each(mix_hashes(word, 0));
    }
}

/// Mixes two hashes so that each bit depends on all bits of both (the last steps of MurmurHash3).
fn mix_hashes(one: u32, other: u32) -> u32 {
    let mut hash = one
        .rotate_left(13)
        .wrapping_add(other.wrapping_mul(5))
        .wrapping_add(0xE654_6B64);
    hash = (hash ^ hash >> 16).wrapping_mul(0x85EB_CA6B);
    hash = (hash ^ hash >> 13).wrapping_mul(0xC2B2_AE35);
    hash ^ hash >> 16
}

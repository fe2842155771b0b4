//! How alike two items of an array are: what they are called, and how much of their text they share.

use super::value_classes::between_quotes;
use crate::json::{JsonDocument, JsonKind};

/// Members by which services tell items apart: different in each, and told again by whoever means the same.
const ID_KEYS: [&str; 5] = ["id", "tool_call_id", "call_id", "tool_use_id", "custom_id"];

/// How many members of an item are looked at for what it is called.
const MAX_MEMBERS: usize = 64;

/// How many hashes of words stand for an item: enough to tell a half from a third.
const WORD_HASHES: usize = 64;

/// How many hashes of neighbouring words stand for an item where there are very many items.
const PHRASE_HASHES: usize = 16;

/// What an item is called, by the loose classes of its members; each is absent for most.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct ItemIdentity {
    /// An id that is a string.
    pub(super) id: Option<u32>,
    /// Its name or its function's name; that of a message says who speaks, and counts as its role.
    pub(super) name: Option<u32>,
    role: Option<u32>,
    speaker: Option<u32>,
    kind: Option<u32>,
}

impl ItemIdentity {
    /// Of the value at `node`; `loose` gives the class of a node.
    pub(super) fn read(
        document: &JsonDocument<'_>,
        node: usize,
        loose: impl Fn(usize) -> u32,
    ) -> Self {
        let mut own = Self::default();
        let mut best = ID_KEYS.len();
        for (key, value) in object_members(document, node).take(MAX_MEMBERS) {
            let name = key_text(document, key);
            let is_string = document.nodes()[value].kind() == JsonKind::String;
            let class = || is_string.then(|| loose(value));
            match name {
                "role" => own.role = class(),
                "type" => own.kind = class(),
                "name" => own.name = class(),
                "function" => {
                    let mut inner = object_members(document, value).take(MAX_MEMBERS);
                    let named = inner.find(|&(key, _)| key_text(document, key) == "name");
                    own.name = named.map(|(_, value)| loose(value)).or(own.name);
                }
                _ => {
                    let rank = ID_KEYS.iter().position(|id| *id == name);
                    if let Some(rank) = rank.filter(|&rank| is_string && rank < best) {
                        (best, own.id) = (rank, class());
                    }
                }
            }
        }
        if own.role.is_some() {
            own.speaker = own.name.take();
        }
        own
    }

    /// How much of their text two items must share, in thousandths, to be taken for the same one.
    pub(super) fn min_similarity(&self, other: &Self) -> u32 {
        match () {
            // What describes a tool is half the same in every tool.
            () if both_known_differ(self.name, other.name) => 850,
            () if !self.is_compatible(other) => 600,
            () => 400,
        }
    }

    /// Whether one may have become the other though their texts share nothing.
    pub(super) fn is_compatible(&self, other: &Self) -> bool {
        self.role == other.role
            && self.kind == other.kind
            && !both_known_differ(self.name, other.name)
            && !both_known_differ(self.speaker, other.speaker)
    }
}

fn both_known_differ(one: Option<u32>, other: Option<u32>) -> bool {
    one.is_some() && other.is_some() && one != other
}

/// Whether two values hold enough of the same keys that one may have become the other.
pub(super) fn has_same_shape(
    documents: [&JsonDocument<'_>; 2],
    nodes: [usize; 2],
    loose: [&dyn Fn(usize) -> u32; 2],
) -> bool {
    let kinds = [0, 1].map(|side| documents[side].nodes()[nodes[side]].kind());
    let is_container = |kind: JsonKind| matches!(kind, JsonKind::Object | JsonKind::Array);
    if kinds != [JsonKind::Object; 2] {
        return kinds[0] == kinds[1] || !kinds.into_iter().any(is_container);
    }
    let keys = [0, 1].map(|side| -> Vec<u32> {
        let members = object_members(documents[side], nodes[side]).take(MAX_MEMBERS);
        members.map(|(key, _)| loose[side](key)).collect()
    });
    let shared = keys[0].iter().filter(|key| keys[1].contains(key)).count();
    2 * shared >= keys[0].len().min(keys[1].len()) && (shared > 0 || keys[0] == keys[1])
}

/// Key and value of each member of an object, as nodes.
fn object_members(
    document: &JsonDocument<'_>,
    node: usize,
) -> impl Iterator<Item = (usize, usize)> {
    let nodes = document.nodes();
    let object = nodes[node].kind() == JsonKind::Object;
    let end = if object { nodes[node].next() } else { node };
    let mut key = node + 1;
    std::iter::from_fn(move || {
        let value = (key < end).then(|| nodes[key].next())?;
        Some((std::mem::replace(&mut key, nodes[value].next()), value))
    })
}

/// A key as it is written.
fn key_text<'a>(document: &JsonDocument<'a>, key: usize) -> &'a str {
    between_quotes(document.slice(document.nodes()[key].span()))
}

/// A small sample of the words of an item: the same words give the same sample, and samples of similar sets
/// overlap as the sets do (Broder, "On the resemblance and containment of documents", 1997).
#[derive(Clone, Debug, Default)]
pub(super) struct TextSketch {
    words: MinHash<WORD_HASHES>,
    phrases: MinHash<PHRASE_HASHES>,
}

impl TextSketch {
    /// Of the strings and numbers in the value at `node`, but for roles and types.
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

    /// About how many steps it takes to compare it.
    pub(super) fn len(&self) -> usize {
        self.words.0.len()
    }

    /// How much of all words both have, in thousandths: about twice the common ones through the sum of both
    /// (Dice).
    pub(super) fn similarity(&self, other: &Self) -> u32 {
        let (common, all) = self.words.overlap(&other.words);
        match common + all {
            0 => 0,
            sum => (2000 * common / sum) as u32,
        }
    }

    /// Some of the runs of three words, the same ones wherever they stand.
    pub(super) fn phrases(&self) -> &[u32] {
        &self.phrases.0
    }
}

/// The least `N` of a set of hashes, ascending.
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

    /// How many of the least hashes of both together both have, and how many those are.
    fn overlap(&self, other: &Self) -> (usize, usize) {
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

/// The strings and numbers of a value in the order of the text, as they are written.
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

/// Hashes of the words in a text: runs of letters and digits; where none are parted by spaces, as in Chinese
/// and Japanese, of each character.
fn for_each_word(text: &[u8], mut each: impl FnMut(u32)) {
    let (mut word, mut at) = (0u32, 0);
    while let Some(&byte) = text.get(at) {
        let length = match byte {
            // An escape is no part of a word.
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

/// Two hashes as one, each bit of which depends on all of them (the last steps of MurmurHash3).
fn mix_hashes(one: u32, other: u32) -> u32 {
    let mut hash = one
        .rotate_left(13)
        .wrapping_add(other.wrapping_mul(5))
        .wrapping_add(0xE654_6B64);
    hash = (hash ^ hash >> 16).wrapping_mul(0x85EB_CA6B);
    hash = (hash ^ hash >> 13).wrapping_mul(0xC2B2_AE35);
    hash ^ hash >> 16
}

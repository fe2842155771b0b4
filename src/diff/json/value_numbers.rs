//! Numbers for the values of two documents: equal values have equal numbers.
//!
//! Numbers are given from the leaves up. A container is looked up by the numbers of its children, so that a comparison
//! costs one step for each child. There are two degrees of equality. *Exact*: spelled alike except for white space.
//! *Loose*: the same value, with members in any order.
//!
//! Values are looked up by 96 bits of a hash with random keys: two of four million different values have the same with a
//! chance of 1 to 10,000,000,000,000,000, and no text can be made to.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};

use super::spelling;
use crate::json::{JsonDocument, JsonKind, JsonNode};

/// Numbers of all values of two JSON texts: equal values have equal numbers.
#[derive(Debug)]
pub(super) struct ValueNumbers {
    /// The exact number of each node, for the left and the right document.
    pub(super) exact: [Vec<u32>; 2],
    /// The loose number of each exact number: the first exact number of a value that is loosely equal.
    pub(super) loose: Vec<u32>,
}

/// A hash of a value. Three words, so that an entry of the tables takes 16 bytes.
type ValueHash = (u32, u32, u32);

/// A table of numbers by the hash of a value.
type HashTable = HashMap<ValueHash, u32, BuildHasherDefault<LastWords>>;

/// A `Hasher` for keys that are hashes already: it returns their last 64 bits.
#[derive(Default)]
struct LastWords(u64);

impl Hasher for LastWords {
    fn write(&mut self, _: &[u8]) {}

    fn write_u32(&mut self, word: u32) {
        self.0 = self.0 << 32 | u64::from(word);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The hash tables in which the numbers of JSON values are looked up.
struct NumberTables {
    hashers: [RandomState; 2],
    exact: HashTable,
    /// The number of the first value of each plain form that no value was written in.
    plain_forms: HashTable,
}

impl ValueNumbers {
    pub(super) fn from_documents(left: &JsonDocument<'_>, right: &JsonDocument<'_>) -> Self {
        let mut tables = NumberTables {
            hashers: [RandomState::new(), RandomState::new()],
            exact: HashTable::default(),
            plain_forms: HashTable::default(),
        };
        let mut loose = Vec::new();
        let exact = [left, right].map(|document| {
            let nodes = document.nodes();
            let mut numbers = vec![0; nodes.len()];
            for at in (0..nodes.len()).rev() {
                numbers[at] = tables.number(document, at, &numbers, &mut loose);
            }
            numbers
        });
        Self { exact, loose }
    }
}

impl NumberTables {
    /// Returns the number of the value at `node`; `numbers` has those of the nodes behind it. Adds the loose number of a
    /// new one to `loose`.
    fn number(
        &mut self,
        document: &JsonDocument<'_>,
        node: usize,
        numbers: &[u32],
        loose: &mut Vec<u32>,
    ) -> u32 {
        let nodes = document.nodes();
        let kind = nodes[node].kind();
        let text = document.slice(nodes[node].span());
        let mut children = Vec::new();
        let hash = match kind {
            JsonKind::Object | JsonKind::Array => {
                children.extend(child_nodes(nodes, node).map(|child| numbers[child]));
                self.hash((kind, &children))
            }
            _ => self.hash((kind, text)),
        };
        if let Some(&known) = self.exact.get(&hash) {
            return known;
        }
        let plain = match kind {
            JsonKind::Object | JsonKind::Array => self.plain_container_hash(kind, children, loose),
            _ => self.plain_hash(kind, text),
        };
        let new = loose.len() as u32;
        let first = match plain {
            None => self.plain_forms.get(&hash).copied().unwrap_or(new),
            Some(plain) => match self.exact.get(&plain) {
                Some(&written) => loose[written as usize],
                None => *self.plain_forms.entry(plain).or_insert(new),
            },
        };
        loose.push(first);
        self.exact.insert(hash, new);
        new
    }

    /// Returns the hash of the plain spelling of a number or string; `None` if it is written so.
    fn plain_hash(&self, kind: JsonKind, text: &[u8]) -> Option<ValueHash> {
        match kind {
            JsonKind::Number => match spelling::normalize_number(text) {
                Cow::Borrowed(plain) if plain.len() == text.len() => None,
                plain => Some(self.hash((kind, &plain[..]))),
            },
            JsonKind::String => match spelling::unescape_string(between_quotes(text)) {
                Cow::Borrowed(_) => None,
                // A plain text with a `\` looks like a text with an escape.
                Cow::Owned(plain) if plain.contains(&b'\\') => {
                    Some(self.hash((kind, "plain", plain)))
                }
                Cow::Owned(plain) => {
                    Some(self.hash((kind, &[b"\"", &plain[..], b"\""].concat()[..])))
                }
            },
            _ => None,
        }
    }

    /// Returns the hash of a container whose children are the first of those that are loosely equal, with its members in a
    /// fixed order; `None` if it is written so. `children` are exact numbers.
    fn plain_container_hash(
        &self,
        kind: JsonKind,
        children: Vec<u32>,
        loose: &[u32],
    ) -> Option<ValueHash> {
        let mut plain: Vec<u32> = children
            .iter()
            .map(|child| loose[*child as usize])
            .collect();
        if kind == JsonKind::Object {
            // The order of equal keys matters: a stable sort keeps it. Later texts have the smaller numbers.
            let (members, _) = plain.as_chunks_mut::<2>();
            members.sort_by_key(|member| std::cmp::Reverse(member[0]));
        }
        (plain != children).then(|| self.hash((kind, &plain)))
    }

    fn hash(&self, value: impl Hash) -> ValueHash {
        let [one, other] = self
            .hashers
            .each_ref()
            .map(|hasher| hasher.hash_one(&value));
        (one as u32, (one >> 32) as u32, other as u32)
    }
}

/// The nodes of the items of an array, or of the keys and values of an object in turn.
fn child_nodes(nodes: &[JsonNode], container: usize) -> impl Iterator<Item = usize> {
    let end = nodes[container].next();
    let within = move |at: usize| (at < end).then_some(at);
    std::iter::successors(within(container + 1), move |&at| within(nodes[at].next()))
}

/// The content of a string between its quotes, escapes kept.
pub(super) fn between_quotes(text: &[u8]) -> &str {
    let inner = text
        .get(1..text.len().saturating_sub(1))
        .unwrap_or_default();
    std::str::from_utf8(inner).unwrap_or_default()
}

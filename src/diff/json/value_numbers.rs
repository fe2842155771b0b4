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
use std::hash::{BuildHasher, Hash, RandomState};

use super::spelling;
use crate::json::{JsonDocument, JsonKind, JsonNode};

/// The numbers of all values of two documents.
#[derive(Debug)]
pub(super) struct ValueNumbers {
    /// The exact number of each node, for the left and the right document.
    pub(super) exact: [Vec<u32>; 2],
    /// The loose number of each exact number: the first exact number of a value that is loosely equal.
    pub(super) loose: Vec<u32>,
}

/// A hash of a value. Three words, so that an entry of the tables takes 16 bytes.
type ValueHash = [u32; 3];

/// The tables in which values are looked up.
struct NumberTables {
    hashers: [RandomState; 2],
    exact: HashMap<ValueHash, u32>,
    /// The number of the first value of each plain form that no value was written in.
    plain_forms: HashMap<ValueHash, u32>,
}

impl ValueNumbers {
    pub(super) fn from_documents(left: &JsonDocument<'_>, right: &JsonDocument<'_>) -> Self {
        let mut tables = NumberTables {
            hashers: [RandomState::new(), RandomState::new()],
            exact: HashMap::new(),
            plain_forms: HashMap::new(),
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
        let hash_text = |text: &[u8]| self.hash((kind, text));
        let (hash, plain) = match kind {
            JsonKind::Object | JsonKind::Array => {
                let mut inside: Vec<u32> = child_nodes(nodes, node).map(|at| numbers[at]).collect();
                let hash = self.hash((kind, &inside));
                inside
                    .iter_mut()
                    .for_each(|child| *child = loose[*child as usize]);
                if kind == JsonKind::Object {
                    // The order of equal keys matters: a stable sort keeps it.
                    let (members, _) = inside.as_chunks_mut::<2>();
                    members.sort_by_key(|member| std::cmp::Reverse(member[0]));
                }
                (hash, self.hash((kind, &inside)))
            }
            JsonKind::String => match spelling::unescape_string(between_quotes(text)) {
                // A plain text with a `\` looks like a text with an escape.
                Cow::Owned(plain) if plain.contains(&b'\\') => {
                    (hash_text(text), self.hash((kind, "plain", plain)))
                }
                plain => (
                    hash_text(text),
                    hash_text(&[b"\"", &plain[..], b"\""].concat()),
                ),
            },
            JsonKind::Number => (
                hash_text(text),
                hash_text(&spelling::normalize_number(text)),
            ),
            JsonKind::True | JsonKind::False | JsonKind::Null => [hash_text(text); 2].into(),
        };
        if let Some(&known) = self.exact.get(&hash) {
            return known;
        }
        let new = loose.len() as u32;
        let first = match self.exact.get(&plain) {
            Some(&written) => loose[written as usize],
            None if plain == hash => self.plain_forms.get(&plain).copied().unwrap_or(new),
            None => *self.plain_forms.entry(plain).or_insert(new),
        };
        loose.push(first);
        self.exact.insert(hash, new);
        new
    }

    fn hash(&self, value: impl Hash) -> ValueHash {
        let [one, other] = self
            .hashers
            .each_ref()
            .map(|hasher| hasher.hash_one(&value));
        [one as u32, (one >> 32) as u32, other as u32]
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

//! The labels of array items: ids, names, roles and types, by which a person recognises an item that was edited.

use super::value_numbers::between_quotes;
use crate::json::{JsonDocument, JsonKind};

/// Keys of ids, the most specific first: each item has another one, and later requests repeat it.
const ID_KEYS: [&str; 5] = ["id", "tool_call_id", "call_id", "tool_use_id", "custom_id"];

/// Members of an item that are searched for its identity: messages and tools have fewer than ten.
const MAX_MEMBERS: usize = 64;

/// The id, name, role and type of an array item, as loose numbers of their values.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct ItemLabels {
    /// Its id, if that is a string.
    pub(super) id: Option<u32>,
    /// Its name or its function's name. The name of a message is its `speaker` instead.
    pub(super) name: Option<u32>,
    role: Option<u32>,
    speaker: Option<u32>,
    kind: Option<u32>,
}

impl ItemLabels {
    /// Reads the identity of the value at `node`; `loose` returns the loose number of a node.
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
            let string = || is_string.then(|| loose(value));
            match name {
                "role" => own.role = string(),
                "type" => own.kind = string(),
                "name" => own.name = string(),
                "function" => {
                    let mut inner = object_members(document, value).take(MAX_MEMBERS);
                    let named = inner.find(|&(key, _)| key_text(document, key) == "name");
                    own.name = named.map(|(_, value)| loose(value)).or(own.name);
                }
                _ => {
                    let rank = ID_KEYS.iter().position(|id| *id == name);
                    if let Some(rank) = rank.filter(|&rank| is_string && rank < best) {
                        (best, own.id) = (rank, string());
                    }
                }
            }
        }
        if own.role.is_some() {
            own.speaker = own.name.take();
        }
        own
    }

    /// Returns how much of their text two items must share, in thousandths, to be the same item. The real bodies in
    /// `tests/judged.rs` hold these numbers.
    pub(super) fn min_similarity(&self, other: &Self) -> u32 {
        match () {
            // Half of the text of a tool is the same in every tool.
            () if both_known_differ(self.name, other.name) => 850,
            () if !self.is_compatible(other) => 600,
            () => 400,
        }
    }

    /// Returns whether one item may be an edited form of the other, even if their texts share nothing.
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

/// Returns whether two values have enough equal keys, half of the smaller object, to be forms of one value.
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

/// The nodes of the key and the value of each member; none if the value is not an object.
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
pub(super) fn key_text<'a>(document: &JsonDocument<'a>, key: usize) -> &'a str {
    between_quotes(document.slice(document.nodes()[key].span()))
}

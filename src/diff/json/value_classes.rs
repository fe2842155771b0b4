//! Classes of equal values: every value of two documents gets a number, and values with equal numbers are equal.
//!
//! Numbers are given from the leaves up. A container is looked up by the numbers of its children, so that a comparison
//! costs one step for each child; hashes only find the candidates. There are two degrees of equality. *Exact*: spelled
//! alike except for white space. *Loose*: the same value, with members in any order.
//!
//! Values that are loosely equal have one common form: a number or string in its plain spelling, or a container of
//! values that are the first of their class, with its members in a fixed order. Nearly all values already have that
//! form and need no second lookup.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher, RandomState};

use hashbrown::HashTable;

use super::spelling;
use crate::json::{JsonDocument, JsonKind, JsonNode};

/// The classes of all values of two documents.
#[derive(Debug)]
pub(super) struct ValueClasses {
    /// The exact class of each node, for the left and the right document.
    pub(super) exact: [Vec<u32>; 2],
    /// The loose class of each exact class: the first class that is loosely equal to it.
    pub(super) loose: Vec<u32>,
}

impl ValueClasses {
    pub(super) fn from_documents(left: &JsonDocument<'_>, right: &JsonDocument<'_>) -> Self {
        let nodes = [left.nodes(), right.nodes()];
        let mut maker = ClassBuilder {
            documents: [left, right],
            exact: nodes.map(|nodes| vec![0; nodes.len()]),
            representatives: Vec::new(),
            loose: Vec::new(),
            by_spelling: HashTable::new(),
            by_form: HashTable::new(),
            // Random, so that no text can be made to collide; the result does not depend on it.
            hasher: RandomState::new(),
        };
        for (side, nodes) in nodes.into_iter().enumerate() {
            for at in (0..nodes.len()).rev() {
                maker.exact[side][at] = maker.assign_class(NodeRef { side, node: at });
            }
        }
        Self {
            exact: maker.exact,
            loose: maker.loose,
        }
    }
}

/// A node of one of the documents.
#[derive(Clone, Copy)]
struct NodeRef {
    side: usize,
    node: usize,
}

/// The first value of a class.
#[derive(Clone, Copy)]
struct ClassRepresentative {
    node: u32,
    is_right: bool,
}

/// The key by which a value is looked up.
#[derive(Clone, Eq, PartialEq)]
enum ClassKey<'a> {
    /// The text of a scalar.
    Text(Cow<'a, [u8]>),
    /// The classes of the children of a container: items, or keys and values in turn.
    Container(JsonKind, Vec<u32>),
}

/// A hash and the class that it found.
type HashedClass = (u32, u32);

struct ClassBuilder<'a> {
    documents: [&'a JsonDocument<'a>; 2],
    exact: [Vec<u32>; 2],
    representatives: Vec<ClassRepresentative>,
    loose: Vec<u32>,
    by_spelling: HashTable<HashedClass>,
    /// The first class of each common form that no value is written in.
    by_form: HashTable<HashedClass>,
    hasher: RandomState,
}

impl<'a> ClassBuilder<'a> {
    fn assign_class(&mut self, at: NodeRef) -> u32 {
        let hash = self.hash(at);
        let found = (self.by_spelling).find(spread_hash(hash), |&(other, class)| {
            other == hash && self.is_same(at, self.representative(class))
        });
        if let Some(&(_, class)) = found {
            return class;
        }
        let class = self.representatives.len() as u32;
        self.representatives.push(ClassRepresentative {
            node: at.node as u32,
            is_right: at.side == 1,
        });
        let loose = self.find_loose(at, class, hash);
        self.loose.push(loose);
        (self.by_spelling).insert_unique(spread_hash(hash), (hash, class), |&(hash, _)| {
            spread_hash(hash)
        });
        class
    }

    /// Returns the loose class of a new exact class.
    fn find_loose(&mut self, at: NodeRef, class: u32, hash: u32) -> u32 {
        let form = self.common_form(at);
        if form.is_none() && self.by_form.is_empty() {
            return class;
        }
        let hash = form.as_ref().map_or(hash, |form| self.hash_key(form));
        let plain = form.as_ref().and_then(|form| {
            // A plain text with a `\` looks like a text with an escape.
            let escaped = matches!(form, ClassKey::Text(text) if text.contains(&b'\\'));
            let found = (self.by_spelling).find(spread_hash(hash), |&(other, class)| {
                other == hash && !escaped && self.class_key(self.representative(class)) == *form
            });
            found.map(|&(_, class)| self.loose[class as usize])
        });
        if let Some(loose) = plain {
            return loose;
        }
        let own = || {
            form.as_ref()
                .map_or_else(|| self.class_key(at), |form| form.clone())
        };
        let found = (self.by_form).find(spread_hash(hash), |&(other, class)| {
            other == hash
                && self
                    .common_form(self.representative(class))
                    .is_some_and(|form| form == own())
        });
        match (found, form.is_some()) {
            (Some(&(_, first)), _) => first,
            (None, false) => class,
            (None, true) => {
                let found = (hash, class);
                self.by_form
                    .insert_unique(spread_hash(hash), found, |&(hash, _)| spread_hash(hash));
                class
            }
        }
    }

    fn representative(&self, class: u32) -> NodeRef {
        let ClassRepresentative {
            node: at,
            is_right: right,
        } = self.representatives[class as usize];
        NodeRef {
            side: right.into(),
            node: at as usize,
        }
    }

    fn node(&self, at: NodeRef) -> &'a JsonNode {
        &self.documents[at.side].nodes()[at.node]
    }

    fn text(&self, at: NodeRef) -> &'a [u8] {
        self.documents[at.side].slice(self.node(at).span())
    }

    /// The classes of the children of a container.
    fn child_classes(&self, at: NodeRef) -> impl Iterator<Item = u32> {
        let nodes = self.documents[at.side].nodes();
        let end = nodes[at.node].next();
        let mut next = at.node + 1;
        std::iter::from_fn(move || {
            let class = (next < end).then(|| self.exact[at.side][next])?;
            next = nodes[next].next();
            Some(class)
        })
    }

    fn hash(&self, at: NodeRef) -> u32 {
        match self.node(at).kind() {
            kind @ (JsonKind::Array | JsonKind::Object) => {
                self.hash_container(kind, self.child_classes(at))
            }
            _ => self.hash_text(self.text(at)),
        }
    }

    fn hash_key(&self, key: &ClassKey<'_>) -> u32 {
        match key {
            ClassKey::Text(text) => self.hash_text(text),
            ClassKey::Container(kind, classes) => {
                self.hash_container(*kind, classes.iter().copied())
            }
        }
    }

    fn hash_text(&self, text: &[u8]) -> u32 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(text);
        hasher.finish() as u32
    }

    fn hash_container(&self, kind: JsonKind, classes: impl Iterator<Item = u32>) -> u32 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u8(kind as u8);
        classes.for_each(|class| hasher.write_u32(class));
        hasher.finish() as u32
    }

    fn is_same(&self, one: NodeRef, other: NodeRef) -> bool {
        let kind = self.node(one).kind();
        kind == self.node(other).kind()
            && match kind {
                JsonKind::Array | JsonKind::Object => {
                    self.child_classes(one).eq(self.child_classes(other))
                }
                _ => self.text(one) == self.text(other),
            }
    }

    fn class_key(&self, at: NodeRef) -> ClassKey<'a> {
        match self.node(at).kind() {
            kind @ (JsonKind::Array | JsonKind::Object) => {
                ClassKey::Container(kind, self.child_classes(at).collect())
            }
            _ => ClassKey::Text(self.text(at).into()),
        }
    }

    /// Returns the common form of all values that are loosely equal; `None` if the value is written in it.
    fn common_form(&self, at: NodeRef) -> Option<ClassKey<'a>> {
        let text = self.text(at);
        match self.node(at).kind() {
            JsonKind::Number => match spelling::normalize_number(text) {
                Cow::Borrowed(plain) if plain.len() == text.len() => None,
                plain => Some(ClassKey::Text(plain)),
            },
            JsonKind::String => match spelling::unescape_string(between_quotes(text)) {
                Cow::Borrowed(_) => None,
                Cow::Owned(plain) => {
                    Some(ClassKey::Text([b"\"", &plain[..], b"\""].concat().into()))
                }
            },
            JsonKind::True | JsonKind::False | JsonKind::Null => None,
            kind => self.container_form(kind, at),
        }
    }

    fn container_form(&self, kind: JsonKind, at: NodeRef) -> Option<ClassKey<'a>> {
        let loose = |class: u32| self.loose[class as usize];
        let keys = || self.child_classes(at).step_by(2).map(loose);
        // Classes are numbered from the end of a text, so those of keys mostly descend.
        let in_order = kind == JsonKind::Array || keys().is_sorted_by(|one, other| one >= other);
        if in_order && self.child_classes(at).all(|class| loose(class) == class) {
            return None;
        }
        let mut inside: Vec<u32> = self.child_classes(at).map(loose).collect();
        if !in_order {
            let mut members: Vec<[u32; 2]> = (inside.chunks_exact(2))
                .map(|member| [member[0], member[1]])
                .collect();
            // The order of equal keys matters: a stable sort keeps it.
            members.sort_by_key(|member| std::cmp::Reverse(member[0]));
            inside = members.concat();
        }
        Some(ClassKey::Container(kind, inside))
    }
}

/// The content of a string between its quotes, escapes kept.
pub(super) fn between_quotes(text: &[u8]) -> &str {
    let inner = text
        .get(1..text.len().saturating_sub(1))
        .unwrap_or_default();
    std::str::from_utf8(inner).unwrap_or_default()
}

/// Spreads a hash of 32 bits over the 64 bits that the table uses.
fn spread_hash(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

//! Which subtrees are equal: every value of two documents gets a number, and equal numbers are equal values.
//!
//! Numbers are given from the leaves up. A container is looked up by the numbers of what it holds, so that
//! comparing it costs as much as it has children and no more; hashes only find the candidates. There are two
//! degrees of equality: *exact* is spelled alike but for white space, *loose* means the same, with members in
//! any order.

use std::hash::{BuildHasher, Hasher, RandomState};

use hashbrown::HashTable;

use super::spelling;
use crate::json::{Document, Kind, Node};

/// The classes of all values of two documents.
#[derive(Debug)]
pub(super) struct Classes {
    /// For each node of the left document its exact class, and of the right.
    pub(super) exact: [Vec<u32>; 2],
    /// For each exact class the first one that is loosely equal to it.
    pub(super) loose: Vec<u32>,
}

impl Classes {
    pub(super) fn of(left: &Document<'_>, right: &Document<'_>) -> Self {
        let nodes = [left.nodes(), right.nodes()];
        let mut maker = Maker {
            documents: [left, right],
            exact: nodes.map(|nodes| vec![0; nodes.len()]),
            classes: Vec::new(),
            loose: Vec::new(),
            by_text: HashTable::new(),
            by_meaning: HashTable::new(),
            // Random, so that nobody can make texts that collide; what is found does not depend on it.
            hasher: RandomState::new(),
        };
        for (side, nodes) in nodes.into_iter().enumerate() {
            for at in (0..nodes.len()).rev() {
                maker.exact[side][at] = maker.class(side, at);
            }
        }
        Self {
            exact: maker.exact,
            loose: maker.loose,
        }
    }
}

/// The first value of a class.
#[derive(Clone, Copy)]
struct Class {
    node: u32,
    right: bool,
    hash: u32,
    /// Hash of what it means.
    meaning: u32,
}

struct Maker<'a> {
    documents: [&'a Document<'a>; 2],
    exact: [Vec<u32>; 2],
    classes: Vec<Class>,
    loose: Vec<u32>,
    by_text: HashTable<u32>,
    /// Of loosely equal classes the first.
    by_meaning: HashTable<u32>,
    hasher: RandomState,
}

impl Maker<'_> {
    fn class(&mut self, side: usize, at: usize) -> u32 {
        let hash = self.hash(side, at);
        let found = self.by_text.find(spread(hash), |&class| {
            let class = self.classes[class as usize];
            class.hash == hash
                && self.is_exact((side, at), (class.right.into(), class.node as usize))
        });
        if let Some(&class) = found {
            return class;
        }
        let class = self.classes.len() as u32;
        self.classes.push(Class {
            node: at as u32,
            right: side == 1,
            hash,
            meaning: 0,
        });
        let classes = &self.classes;
        let rehash = |&class: &u32| spread(classes[class as usize].hash);
        self.by_text.insert_unique(spread(hash), class, rehash);
        self.find_loose(class, side, at);
        class
    }

    fn find_loose(&mut self, class: u32, side: usize, at: usize) {
        let meaning = self.meaning(side, at);
        self.classes[class as usize].meaning = meaning;
        let found = self.by_meaning.find(spread(meaning), |&other| {
            let other = self.classes[other as usize];
            other.meaning == meaning
                && self.is_loose((side, at), (other.right.into(), other.node as usize))
        });
        let first = found.copied().unwrap_or(class);
        self.loose.push(first);
        if first == class {
            let classes = &self.classes;
            let rehash = |&class: &u32| spread(classes[class as usize].meaning);
            self.by_meaning
                .insert_unique(spread(meaning), class, rehash);
        }
    }

    fn node(&self, side: usize, at: usize) -> &Node {
        &self.documents[side].nodes()[at]
    }

    fn text(&self, side: usize, at: usize) -> &[u8] {
        self.documents[side].slice(self.node(side, at).span())
    }

    /// The classes of what a container holds: of items, or of keys and values in turn.
    fn inside(&self, side: usize, at: usize) -> impl Iterator<Item = u32> {
        let nodes = self.documents[side].nodes();
        let end = nodes[at].next();
        let mut next = at + 1;
        std::iter::from_fn(move || {
            let class = (next < end).then(|| self.exact[side][next])?;
            next = nodes[next].next();
            Some(class)
        })
    }

    fn hash(&self, side: usize, at: usize) -> u32 {
        let mut hasher = self.hasher.build_hasher();
        match self.node(side, at).kind() {
            kind @ (Kind::Array | Kind::Object) => {
                hasher.write_u8(kind as u8);
                for class in self.inside(side, at) {
                    hasher.write_u32(class);
                }
            }
            _ => hasher.write(self.text(side, at)),
        }
        hasher.finish() as u32
    }

    fn is_exact(&self, one: (usize, usize), other: (usize, usize)) -> bool {
        let (node, second) = (self.node(one.0, one.1), self.node(other.0, other.1));
        if node.kind() != second.kind() {
            return false;
        }
        match node.kind() {
            Kind::Array | Kind::Object => {
                self.inside(one.0, one.1).eq(self.inside(other.0, other.1))
            }
            _ => self.text(one.0, one.1) == self.text(other.0, other.1),
        }
    }

    /// What a number or string means, or any word, as bytes.
    fn plain(&self, side: usize, at: usize) -> std::borrow::Cow<'_, [u8]> {
        let text = self.text(side, at);
        match self.node(side, at).kind() {
            Kind::Number => spelling::number(text),
            Kind::String => spelling::string(between_quotes(text)),
            _ => text.into(),
        }
    }

    fn meaning(&self, side: usize, at: usize) -> u32 {
        let loose = |class: u32| self.loose[class as usize];
        let mut hasher = self.hasher.build_hasher();
        let kind = self.node(side, at).kind();
        hasher.write_u8(kind as u8);
        match kind {
            Kind::Array => (self.inside(side, at)).for_each(|class| hasher.write_u32(loose(class))),
            // Any order gives the same sum.
            Kind::Object => hasher.write_u64(
                (self.members(side, at).iter())
                    .map(|&pair| self.hasher.hash_one(pair))
                    .fold(0, u64::wrapping_add),
            ),
            _ => hasher.write(&self.plain(side, at)),
        }
        hasher.finish() as u32
    }

    fn is_loose(&self, one: (usize, usize), other: (usize, usize)) -> bool {
        let loose = |class: u32| self.loose[class as usize];
        let (node, second) = (self.node(one.0, one.1), self.node(other.0, other.1));
        if node.kind() != second.kind() {
            return false;
        }
        match node.kind() {
            Kind::Array => {
                (self.inside(one.0, one.1).map(loose)).eq(self.inside(other.0, other.1).map(loose))
            }
            Kind::Object => {
                let sorted = |(side, at)| {
                    let mut members = self.members(side, at);
                    // Stable: of equal keys the order counts.
                    members.sort_by_key(|&(key, _)| key);
                    members
                };
                sorted(one) == sorted(other)
            }
            _ => self.plain(one.0, one.1) == self.plain(other.0, other.1),
        }
    }

    /// Key and value of each member, as loose classes.
    fn members(&self, side: usize, at: usize) -> Vec<(u32, u32)> {
        let mut inside = self
            .inside(side, at)
            .map(|class| self.loose[class as usize]);
        let mut members = Vec::new();
        while let (Some(key), Some(value)) = (inside.next(), inside.next()) {
            members.push((key, value));
        }
        members
    }
}

/// What stands between the quotes of a string.
pub(super) fn between_quotes(text: &[u8]) -> &str {
    let inner = text
        .get(1..text.len().saturating_sub(1))
        .unwrap_or_default();
    std::str::from_utf8(inner).unwrap_or_default()
}

/// A hash of 32 bits over the 64 that a table looks at.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

//! One of the two documents, and the place of the walk in it.

use std::borrow::Cow;

use super::super::place::{DuplicateKey, PathStep};
use super::difference::JsonPlace;
use super::path_tracker::PathTracker;
use crate::json::{JsonDocument, JsonKind, JsonNode};
use crate::span::Span;

/// One side of the walk down two JSON texts: the document, the numbers of its values, and the place where the walk is.
#[derive(Debug)]
pub(super) struct WalkSide<'a> {
    pub(super) document: &'a JsonDocument<'a>,
    /// The exact number of each node.
    pub(super) numbers: Vec<u32>,
    pub(super) path: PathTracker<'a>,
}

impl WalkSide<'_> {
    pub(super) fn node(&self, at: usize) -> &JsonNode {
        &self.document.nodes()[at]
    }

    /// The characters of a key or string.
    pub(super) fn text(&self, at: usize) -> Cow<'_, str> {
        let value = self.document.value(at);
        value.and_then(|value| value.as_str()).unwrap_or_default()
    }

    /// The place of the walk, with the span of a node or a gap.
    pub(super) fn place(&self, span: Span, duplicate: Option<DuplicateKey>) -> JsonPlace {
        self.path.place(span, duplicate)
    }

    /// The step from a container to one of its entries.
    pub(super) fn step(&self, entry: &ContainerEntry) -> PathStep {
        match entry.key {
            Some(key) => PathStep::Key(self.text(key).into()),
            None => PathStep::Item(entry.index),
        }
    }

    /// The entries of a container.
    pub(super) fn entries(&self, container: usize) -> ContainerEntries {
        let nodes = self.document.nodes();
        let end = nodes[container].next();
        let within = |at: usize| (at < end).then_some(at);
        let inside = std::iter::successors(within(container + 1), |&at| within(nodes[at].next()));
        let nodes = inside.map(|at| at as u32).collect();
        ContainerEntries {
            nodes,
            is_object: self.node(container).kind() == JsonKind::Object,
            empty_span: Span::empty_at(self.node(container).span().start.saturating_add(1)),
        }
    }

    /// The only entry of a container; `None` if there is none or more than one.
    pub(super) fn lone_entry(&self, container: usize) -> Option<ContainerEntry> {
        let nodes = self.document.nodes();
        let end = nodes[container].next();
        let keyed = nodes[container].kind() == JsonKind::Object;
        let value = container + 1 + usize::from(keyed);
        (value < end && nodes[value].next() == end).then_some(ContainerEntry {
            key: keyed.then_some(container + 1),
            value,
            index: 0,
            duplicate: None,
        })
    }

    /// The empty span in front of the entry `index`, or behind the last entry.
    pub(super) fn gap_span(&self, entries: &ContainerEntries, index: usize) -> Span {
        let span = |at: u32| self.node(at as usize).span();
        let next = entries.nodes.get(index * entries.nodes_per_entry());
        match (next, entries.nodes.last()) {
            (Some(&next), _) => Span::empty_at(span(next).start),
            (None, Some(&last)) => Span::empty_at(span(last).end),
            (None, None) => entries.empty_span,
        }
    }
}

/// The members of a JSON object, or the items of an array.
#[derive(Debug)]
pub(super) struct ContainerEntries {
    /// Items, or keys and values in turn.
    nodes: Vec<u32>,
    is_object: bool,
    /// The place of the first entry in an empty container.
    empty_span: Span,
}

impl ContainerEntries {
    fn nodes_per_entry(&self) -> usize {
        1 + usize::from(self.is_object)
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len() / self.nodes_per_entry()
    }

    /// The nodes of these items.
    pub(super) fn items(&self, range: std::ops::Range<usize>) -> &[u32] {
        self.nodes.get(range).unwrap_or_default()
    }

    pub(super) fn entry(&self, index: usize, duplicate: Option<DuplicateKey>) -> ContainerEntry {
        ContainerEntry {
            key: self.key(index),
            value: self.value(index),
            index,
            duplicate,
        }
    }

    /// The node of the key; `None` for an item.
    pub(super) fn key(&self, at: usize) -> Option<usize> {
        self.is_object.then(|| self.nodes[2 * at] as usize)
    }

    /// The node of the value or item.
    pub(super) fn value(&self, at: usize) -> usize {
        self.nodes[at * self.nodes_per_entry() + self.nodes_per_entry() - 1] as usize
    }
}

/// A member of a JSON object, or an item of an array, on one side of a comparison.
#[derive(Clone, Copy, Debug)]
pub(super) struct ContainerEntry {
    /// The node of the key; `None` for an item.
    pub(super) key: Option<usize>,
    /// The node of the value or item.
    pub(super) value: usize,
    pub(super) index: usize,
    pub(super) duplicate: Option<DuplicateKey>,
}

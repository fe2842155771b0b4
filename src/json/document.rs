//! [`JsonDocument`] and [`JsonValue`]: a text with its values, and one of them.

use std::borrow::Cow;

use super::error::JsonError;
use super::node::{JsonKind, JsonNode};
use super::{escape, parse};
use crate::span::Span;

/// A parsed JSON text with the span of every value in it.
#[derive(Clone, Debug)]
pub struct JsonDocument<'a> {
    text: &'a str,
    /// Never empty: the first is the outermost value.
    nodes: Vec<JsonNode>,
}

impl<'a> JsonDocument<'a> {
    /// Reads one JSON text, with optional white space around it.
    ///
    /// Strict, as RFC 8259 has it, with one liberty that its section 8.2 leaves open: an escape of half a
    /// surrogate pair is kept. Values nest at most [`MAX_DEPTH`](super::MAX_DEPTH) deep.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, JsonError> {
        let (text, nodes) = parse::parse(bytes)?;
        Ok(Self { text, nodes })
    }

    /// The outermost value.
    pub fn root(&self) -> JsonValue<'_> {
        JsonValue {
            document: self,
            index: 0,
        }
    }

    /// The whole text, white space around the outermost value included.
    pub fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// Every value and every key, in the order of the text: a container comes before what it holds.
    pub fn nodes(&self) -> &[JsonNode] {
        &self.nodes
    }

    /// The value, or key, at `index` of [`JsonDocument::nodes`].
    pub fn value(&self, index: usize) -> Option<JsonValue<'_>> {
        let index = u32::try_from(index).ok()?;
        self.nodes.get(usize::try_from(index).ok()?)?;
        Some(JsonValue {
            document: self,
            index,
        })
    }

    /// The bytes of `span`, as far as the text has them.
    pub fn slice(&self, span: Span) -> &'a [u8] {
        span.of(self.bytes())
    }

    fn node(&self, index: u32) -> JsonNode {
        let none = JsonNode {
            start: 0,
            end: 0,
            next: u32::MAX,
            kind: JsonKind::Null,
            escaped: false,
        };
        usize::try_from(index)
            .ok()
            .and_then(|index| self.nodes.get(index))
            .copied()
            .unwrap_or(none)
    }

    fn text_between(&self, start: u32, end: u32) -> &'a str {
        Span::new(start.into(), end.into()).of_text(self.text)
    }
}

/// One value of a [`JsonDocument`]: a place in it, as cheap to copy as a reference.
#[derive(Clone, Copy)]
pub struct JsonValue<'a> {
    pub(super) document: &'a JsonDocument<'a>,
    index: u32,
}

/// Most nodes of an object whose keys are compared pair by pair, which is faster than sorting for few keys.
const MAX_PAIRWISE: u32 = 64;

impl<'a> JsonValue<'a> {
    /// The kind of the value.
    pub fn kind(self) -> JsonKind {
        self.node().kind
    }

    /// The span of the value in the document, with quotes and brackets, without white space around it.
    pub fn span(self) -> Span {
        self.node().span()
    }

    /// The bytes of the value as they were written.
    pub fn raw(self) -> &'a [u8] {
        let node = self.node();
        self.document.text_between(node.start, node.end).as_bytes()
    }

    /// The characters of a string, escapes undone; `None` for any other kind.
    ///
    /// Half a surrogate pair, which no string can hold, becomes U+FFFD; [`JsonValue::raw`] still has it.
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        let node = self.node();
        let inner = self
            .document
            .text_between(node.start.saturating_add(1), node.end.saturating_sub(1));
        match (node.kind, node.escaped) {
            (JsonKind::String, false) => Some(Cow::Borrowed(inner)),
            (JsonKind::String, true) => Some(Cow::Owned(escape::unescape(inner))),
            _ => None,
        }
    }

    /// A number written as digits alone, if it fits; `None` for `1.0`, `1e3`, `-1` and other kinds.
    pub fn as_u64(self) -> Option<u64> {
        self.number_text()?.parse().ok()
    }

    /// The double nearest to a number; `None` beyond the range of doubles and for any other kind.
    pub fn as_f64(self) -> Option<f64> {
        let number: f64 = self.number_text()?.parse().ok()?;
        number.is_finite().then_some(number)
    }

    /// `true` or `false`; `None` for any other kind.
    pub fn as_bool(self) -> Option<bool> {
        match self.kind() {
            JsonKind::True => Some(true),
            JsonKind::False => Some(false),
            _ => None,
        }
    }

    /// The member of an object under `key`: of duplicates the last, which is what most readers take.
    pub fn get(self, key: &str) -> Option<Self> {
        self.get_all(key).last()
    }

    /// Every member of an object under `key`, in order. Empty for any other kind.
    pub fn get_all(self, key: &str) -> impl Iterator<Item = Self> {
        self.members()
            .filter(move |(name, _)| name.equals_str(key))
            .map(|(_, value)| value)
    }

    /// The item of an array at `index`, counted from zero.
    pub fn item_at(self, index: usize) -> Option<Self> {
        self.items().nth(index)
    }

    /// Key and value of each member of an object, in order. Empty for any other kind.
    pub fn members(self) -> impl Iterator<Item = (Self, Self)> + Clone {
        let mut children = self.children(JsonKind::Object);
        std::iter::from_fn(move || Some((children.next()?, children.next()?)))
    }

    /// Each item of an array, in order. Empty for any other kind.
    pub fn items(self) -> impl Iterator<Item = Self> + Clone {
        self.children(JsonKind::Array)
    }

    /// The number of members or items, counted one by one; zero for other kinds.
    pub fn len(self) -> usize {
        match self.kind() {
            JsonKind::Object => self.members().count(),
            _ => self.items().count(),
        }
    }

    /// Whether the value has no member and no item.
    pub fn is_empty(self) -> bool {
        self.node().next <= self.index.saturating_add(1)
    }

    /// The first key that an object at any depth has twice: the second of both keys.
    pub fn find_repeated_key(self) -> Option<Self> {
        let document = self.document;
        let indexes = self.index..self.node().next;
        let values = indexes.map(|index| Self { document, index });
        let mut objects = values.filter(|value| value.kind() == JsonKind::Object);
        objects.find_map(Self::own_repeated_key)
    }

    fn own_repeated_key(self) -> Option<Self> {
        let mut keys = self.members().map(|(key, _)| key);
        // Objects of answers have few members; a large one is sorted instead.
        if self.node().next.saturating_sub(self.index) < MAX_PAIRWISE {
            let all = keys.clone();
            let mut seen = 0;
            return keys.find(|key| {
                let bit = key_bit(key.raw());
                let may_be_known = seen & bit != 0;
                seen |= bit;
                let mut before = all.clone().take_while(|known| known.index < key.index);
                may_be_known && before.any(|known| known.raw() == key.raw())
            });
        }
        let mut sorted: Vec<_> = keys.map(|key| (key.raw(), key.index)).collect();
        sorted.sort_unstable();
        let pairs = sorted.iter().zip(sorted.iter().skip(1));
        let repeated = pairs.filter(|((before, _), (after, _))| before == after);
        let index = repeated.map(|(_, (_, index))| *index).min()?;
        let document = self.document;
        Some(Self { document, index })
    }

    fn node(self) -> JsonNode {
        self.document.node(self.index)
    }

    fn number_text(self) -> Option<&'a str> {
        let node = self.node();
        (node.kind == JsonKind::Number).then(|| self.document.text_between(node.start, node.end))
    }

    /// Whether the value is the string `text`; compares without a copy if nothing is escaped.
    fn equals_str(self, text: &str) -> bool {
        // Most keys differ in length from the one that is searched.
        let node = self.node();
        let length = node.end.saturating_sub(node.start).saturating_sub(2);
        (node.escaped || usize::try_from(length) == Ok(text.len()))
            && self.as_str().is_some_and(|own| own == text)
    }

    fn children(self, kind: JsonKind) -> ChildValues<'a> {
        let node = self.node();
        let first = self.index.saturating_add(1);
        ChildValues {
            document: self.document,
            next: first,
            end: if node.kind == kind { node.next } else { first },
        }
    }
}

/// A bit that is the same for equal keys, and most often another for others: keys with different bits need no comparison.
fn key_bit(raw: &[u8]) -> u64 {
    // In a list of members, length and third letter differ the most.
    let letter = raw.get(3).copied().unwrap_or_default();
    let mixed = (raw.len() as u64).wrapping_mul(5) ^ u64::from(letter);
    1_u64.rotate_left(u32::try_from(mixed & 63).unwrap_or(0))
}

impl std::fmt::Debug for JsonValue<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let raw = String::from_utf8_lossy(self.raw());
        write!(f, "{:?} {} {raw:?}", self.kind(), self.span())
    }
}

/// The values inside one container, keys among them.
#[derive(Clone, Copy, Debug)]
struct ChildValues<'a> {
    document: &'a JsonDocument<'a>,
    next: u32,
    end: u32,
}

impl<'a> Iterator for ChildValues<'a> {
    type Item = JsonValue<'a>;

    fn next(&mut self) -> Option<JsonValue<'a>> {
        if self.next >= self.end {
            return None;
        }
        let value = JsonValue {
            document: self.document,
            index: self.next,
        };
        self.next = value.node().next;
        Some(value)
    }
}

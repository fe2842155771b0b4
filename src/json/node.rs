//! A value in the flat list of a JSON document: its kind and span, and where the values inside it end.

use crate::span::Span;

/// A value or key in the flat list of a JSON document: its kind and span. 16 bytes, since a document may hold millions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct JsonNode {
    /// Offset of the first byte.
    pub(super) start: u32,
    /// Offset one past the last byte.
    pub(super) end: u32,
    /// Index of the node after everything that this one holds.
    pub(super) next: u32,
    pub(super) kind: JsonKind,
    /// Whether it is a string with a `\` in it.
    pub(super) escaped: bool,
}

impl JsonNode {
    /// The kind of the value; a key is a string.
    pub fn kind(&self) -> JsonKind {
        self.kind
    }

    /// The span of the value's bytes, quotes and brackets included.
    pub fn span(&self) -> Span {
        Span::new(self.start.into(), self.end.into())
    }

    /// Index, in [`JsonDocument::nodes`](super::JsonDocument::nodes), of the node after everything that this one holds.
    pub fn next(&self) -> usize {
        usize::try_from(self.next).unwrap_or(usize::MAX)
    }
}

/// The kinds of JSON values (RFC 8259, section 3).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonKind {
    /// Members in braces.
    Object,
    /// Items in brackets.
    Array,
    /// Characters in quotes.
    String,
    /// A decimal number.
    Number,
    /// `true`.
    True,
    /// `false`.
    False,
    /// `null`.
    Null,
}

impl std::fmt::Display for JsonKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::String => "a string",
            Self::Number => "a number",
            Self::True => "`true`",
            Self::False => "`false`",
            Self::Null => "`null`",
        })
    }
}

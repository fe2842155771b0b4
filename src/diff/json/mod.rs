//! The difference of two JSON texts by their structure: what a person would say was changed.
//!
//! - Members of objects are compared by key, duplicates of a key by their order from the last, which is the one
//!   that counts for most readers. That keys stand in another order is told once for an object.
//! - Items of arrays are aligned: an item that was put in is one addition, and an item that went elsewhere in
//!   its array has moved. An item that was edited is paired with what it was by what it is called and by how
//!   much of its text is left.
//! - Numbers and strings that mean the same and are spelled differently (`1.0` and `1e0`, `é` and `\u00e9`) are
//!   told as that. White space between values is no difference.
//! - Strings that hold JSON, as the arguments of tools do, are compared inside.
//!
//! ```
//! use wire::diff::json::{JsonChangeKind, compare};
//! use wire::diff::work_limit::WorkLimit;
//! use wire::json::JsonDocument;
//!
//! let left = JsonDocument::parse(br#"{"temperature": 1, "stop": ["a", "b"]}"#)?;
//! let right = JsonDocument::parse(br#"{"temperature": 1.0, "stop": ["new", "a", "b"]}"#)?;
//! let diff = compare(&left, &right, WorkLimit::default());
//! let changes: Vec<_> = diff.changes.iter().map(|change| (change.kind, &*change.right.path)).collect();
//! assert_eq!(changes, [(JsonChangeKind::Respelled, "/temperature"), (JsonChangeKind::Added, "/stop/0")]);
//! # Ok::<(), wire::json::JsonError>(())
//! ```
//!
//! Guarantees, held by property tests and fuzzing:
//!
//! - there is no change if, and only if, the texts differ in nothing but white space between values;
//! - comparing the other way round tells the same changes, with the sides exchanged;
//! - [`patch()`] leads from the left value to the right;
//! - the work is bounded by a [`WorkLimit`], not by a clock; differences beyond it are reported in less detail.

mod budget;
mod checks;
mod item_pairing;
mod member_pairing;
mod pairing;
mod patch;
mod path_tracker;
mod similar_pairing;
mod similarity;
mod spelling;
mod value_classes;
mod walk;
mod walk_side;

#[cfg(test)]
mod judged;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use patch::patch;

#[doc(hidden)]
pub use checks::fuzz;

use serde::Serialize;

use super::work_limit::WorkLimit;
use crate::json::JsonDocument;
use crate::span::Span;

/// What differs between two JSON texts.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct JsonDiff {
    /// In the order of the right text; what is only in the left stands where it would be in the right.
    pub changes: Vec<JsonChange>,
    /// Whether the effort did not suffice, so that something is told more coarsely than it could be: a
    /// container as changed instead of what is in it, or items as removed and added that others would pair.
    pub coarse: bool,
}

/// One difference.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct JsonChange {
    /// What it is.
    pub kind: JsonChangeKind,
    /// Where in the left text. Of what was added: where it would stand.
    pub left: JsonPlace,
    /// Where in the right text. Of what was removed: where it would stand.
    pub right: JsonPlace,
    /// Of an object whose members stand in another order: the keys that moved, as few as explain it, in the
    /// order of the right text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
}

/// What a difference is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonChangeKind {
    /// A member or item that is only in the right text.
    Added,
    /// A member or item that is only in the left text.
    Removed,
    /// Another value.
    Changed,
    /// The same number or string, written differently; inside of a string, also the same JSON with other
    /// white space.
    Respelled,
    /// The same key, written differently.
    KeyRespelled,
    /// The same item of an array in front of or behind others that it stood on the other side of. If it was
    /// edited too, changes inside of it follow.
    Moved,
    /// Members of an object stand in another order.
    Reordered,
}

/// Where a value is, or where one would be.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct JsonPlace {
    /// The JSON Pointer to it (RFC 6901), or to the outermost string that it is inside of.
    pub path: String,
    /// Pointers that lead on, each into the JSON text that the string holds to which the pointer before it leads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inside: Vec<String>,
    /// Its bytes in the outermost text, also if it is inside of strings there; empty where nothing stands. Of a
    /// change of a key, those of the key.
    pub span: Span,
    /// Which one it is of members with an equal key. Pointers cannot tell these apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<DuplicateKey>,
    /// Whether most readers never see it: it is, or is inside of, a member with an equal key after it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// One of several members with equal keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct DuplicateKey {
    /// Which, in the order of the text, counted from one.
    pub nth: u32,
    /// How many there are; at least two.
    pub of: u32,
}

/// What differs between two texts, told from the left to the right.
pub fn compare(left: &JsonDocument<'_>, right: &JsonDocument<'_>, effort: WorkLimit) -> JsonDiff {
    walk::compare(left, right, effort)
}

//! The structural difference of two JSON texts, as a person would describe it.
//!
//! - Members of objects are compared by key; members with a repeated key by their order from the last, which most
//!   readers take. Another order of keys is one change for each object.
//! - Items of arrays are aligned: an inserted item is one addition, and an item that is elsewhere in its array moved.
//!   An edited item is paired with its old form by id, name and the share of its text that is left.
//! - Numbers and strings that are equal and spelled differently (`1.0` and `1e0`, `é` and `\u00e9`) are respelled.
//!   White space between values is not a difference.
//! - Strings that hold JSON, such as the arguments of tools, are compared inside.
//!
//! The steps, and the file of each:
//!
//! ```text
//! 1 value_numbers   numbers all values of both texts, so that equal values have equal numbers
//!   spelling        the one form that all spellings of a number or string share
//! 2 walk            goes down both trees at once and compares the values of each pair
//!   walk_side       one of the texts: its nodes and entries
//!   path_tracker    the place of the walk in a text, also inside strings
//! 3 members         pairs the members of two objects by key
//!   items           pairs the items of two arrays:
//!     aligner         equal items in order
//!     item_labels     items with the same id, name or role
//!     item_texts      items that share text, by their
//!     text_sketch     samples of words
//!   entry_pairs     the pairs, and the order of their changes
//! 4 budget          collects the changes, and limits them
//!   difference      the result
//! 5 patch           the result as a JSON Patch
//! ```
//!
//! ```
//! use wire::diff::ChangeKind;
//! use wire::diff::json::compare;
//! use wire::diff::work_limit::WorkLimit;
//! use wire::json::JsonDocument;
//!
//! let left = JsonDocument::parse(br#"{"temperature": 1, "stop": ["a", "b"]}"#)?;
//! let right = JsonDocument::parse(br#"{"temperature": 1.0, "stop": ["new", "a", "b"]}"#)?;
//! let diff = compare(&left, &right, WorkLimit::default());
//! let changes: Vec<_> = diff.changes.iter().map(|change| (change.kind, change.right.path.to_string())).collect();
//! assert_eq!(changes[0], (ChangeKind::Respelled, "/temperature".to_owned()));
//! assert_eq!(changes[1], (ChangeKind::Added, "/stop/0".to_owned()));
//! # Ok::<(), wire::json::JsonError>(())
//! ```
//!
//! Guarantees, held by property tests and fuzzing:
//!
//! - there is no change if, and only if, the texts differ in nothing but white space between values;
//! - with the sides exchanged, the same changes are found, mirrored;
//! - [`patch()`] leads from the left value to the right;
//! - the work is bounded by a [`WorkLimit`], not by a clock; differences beyond it are reported in less detail.

#[doc(hidden)]
pub mod aligner;
mod budget;
mod checks;
mod difference;
mod entry_pairs;
mod item_labels;
mod item_texts;
mod items;
mod members;
mod patch;
mod path_tracker;
mod spelling;
mod text_sketch;
mod value_numbers;
mod walk;
mod walk_side;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use difference::{JsonChange, JsonDiff, JsonPlace};
pub use patch::patch;
pub(crate) use spelling::normalize_number;

#[doc(hidden)]
pub use checks::fuzz;

use super::work_limit::WorkLimit;
use crate::json::JsonDocument;

/// Returns what differs between two texts, from the left to the right.
pub fn compare(left: &JsonDocument<'_>, right: &JsonDocument<'_>, limit: WorkLimit) -> JsonDiff {
    walk::compare(left, right, limit)
}

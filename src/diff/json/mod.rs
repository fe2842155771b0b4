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
//! - comparing the other way round tells the same changes, with the sides exchanged;
//! - [`patch()`] leads from the left value to the right;
//! - the work is bounded by a [`WorkLimit`], not by a clock; differences beyond it are reported in less detail.

mod budget;
mod checks;
mod difference;
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

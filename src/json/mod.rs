//! JSON as it was written (RFC 8259): a tree of spans over the text, in which order, duplicate keys, the text
//! of numbers and every escape are kept.
//!
//! Reading into maps and doubles, as programs do, would lose just what this tool is asked about: which of
//! two `temperature` counted, whether a seed lost its last digits, what a proxy re-spelled. So a
//! [`JsonDocument`] borrows the bytes and adds one flat list of [`JsonNode`]s, each the kind and span of one value:
//!
//! ```text
//!  {"a": [1, 2], "b": null}          a node's `next` is the node after all that it holds,
//!  0     2  3 4                      so that a whole subtree is stepped over at once
//!   1                5    6
//!
//!  0 Object 0..24 next 7             an object holds key, value, key, value, ...
//!  1 String 1..4  next 2
//!  2 Array  6..12 next 5             an array holds its items
//!  3 Number 7..8  next 4
//!  ...
//! ```
//!
//! ```
//! use wire::json::{JsonDocument, ValuePath, edit};
//!
//! let text = br#"{"model": "gpt-4o", "messages": [{"role": "user"}], "seed": 1e2}"#;
//! let document = JsonDocument::parse(text)?;
//! assert_eq!(document.root().get("seed").map(|seed| seed.raw()), Some(&b"1e2"[..]));
//!
//! let edited = edit::set(text, &ValuePath::parse("messages[0].role")?, b"\"system\"")?;
//! assert!(edited.bytes.starts_with(br#"{"model": "gpt-4o", "messages": [{"role": "system"}]"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Guarantees, held by property tests and fuzzing:
//!
//! - what is accepted is what RFC 8259 accepts, up to [`MAX_DEPTH`] levels and 4 GiB; nothing else is;
//! - spans nest, and neighbours follow each other in the order of the text;
//! - an edit leaves every byte alone that it does not name.

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )
)]

mod checks;
mod document;
pub mod edit;
mod error;
mod escape;
mod find;
mod nesting;
mod node;
mod parse;
mod path;
#[cfg(test)]
mod tests;

pub use document::{JsonDocument, JsonValue};
pub use edit::{EditedJson, JsonEditError};
pub use error::{ExpectedToken, JsonElementKind, JsonError, JsonFault, MAX_DEPTH};
pub use escape::quote;
pub use find::{NotFoundReason, PathNotFound, find, pointer_at};
pub use nesting::NestingScanner;
pub use node::{JsonKind, JsonNode};
pub(crate) use parse::plain_length;
pub use path::{ValuePath, ValuePathError};

#[doc(hidden)]
pub use checks::fuzz;

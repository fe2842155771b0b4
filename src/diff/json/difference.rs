//! The difference of two JSON texts as a value.

use super::super::change::ChangeKind;
use super::super::place::{DuplicateKey, JsonPath};
use crate::span::Span;

/// All changes between two JSON texts, and whether the comparison was cut short.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct JsonDiff {
    /// The changes, in the order of the right text. A removed value is where it would be in the right text.
    pub changes: Vec<JsonChange>,
    /// Whether the work limit was reached, so that something is reported in less detail than possible: a container
    /// as changed instead of the values in it, or items as removed and added that could be paired.
    pub coarse: bool,
}

/// One difference.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JsonChange {
    /// What happened to the value, or to the key.
    pub kind: ChangeKind,
    /// Whether the key of the member changed, and not its value: it is spelled differently.
    pub is_key: bool,
    /// Where in the left text; of an added value, where it would be.
    pub left: JsonPlace,
    /// Where in the right text; of a removed value, where it would be.
    pub right: JsonPlace,
    /// The keys that moved, if members of an object have another order: as few as explain it, in the order of the
    /// right text.
    pub keys: Vec<String>,
}

/// The place of a value in one of two JSON texts, or the place where a missing one would be.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct JsonPlace {
    /// The path to it.
    pub path: JsonPath,
    /// Its bytes in the outermost text, also if it is inside of strings there; empty if there is no value. Of a change
    /// of a key, the bytes of the key.
    pub span: Span,
    /// Which one it is of members with an equal key, which have the same path.
    pub duplicate: Option<DuplicateKey>,
    /// Whether most readers never see it: it is, or is inside of, a member that a later one with an equal key replaces.
    pub hidden: bool,
}

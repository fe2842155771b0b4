//! The first difference between two values or two lists: changed, added, removed or moved.
//!
//! `diff::json` is not used here: it explains two whole texts with as few changes as possible, while a cache ends at the
//! first byte that differs. An item that moved is reported there at its new place, and an edited item may be paired with
//! one further on. It also does not know that breakpoint marks and the shorthand of a lone text block are no difference.

use std::cmp::Ordering;

use super::value_digest::{NamedMember, ValueRole, digest, has_same_keys, sorted_members};
use crate::diff::bytes::common_prefix_len;
use crate::diff::change::ChangeKind;
use crate::json::{JsonKind, JsonValue};

/// The first difference between two values.
#[derive(Debug)]
pub(super) struct ValueDifference<'a> {
    pub(super) kind: ChangeKind,
    /// Number of items that were added or removed; zero if the difference is not about items.
    pub(super) count: u64,
    pub(super) left: DifferenceSide<'a>,
    pub(super) right: DifferenceSide<'a>,
}

/// One side of the first difference between two values.
#[derive(Clone, Copy, Debug)]
pub(super) struct DifferenceSide<'a> {
    /// The value that differs, or the container that lacks it.
    at: JsonValue<'a>,
    /// Whether the value is missing on this side.
    is_missing: bool,
    /// The first byte that differs, in the body.
    pub(super) offset: u64,
}

impl<'a> DifferenceSide<'a> {
    fn at_value(value: JsonValue<'a>, offset: u64) -> Self {
        Self {
            at: value,
            is_missing: false,
            offset,
        }
    }

    /// The place of a missing value: the end of `container`.
    fn at_end_of(container: JsonValue<'a>) -> Self {
        Self {
            at: container,
            is_missing: true,
            offset: container.span().end.saturating_sub(1),
        }
    }

    /// The value, if this side has it.
    pub(super) fn value(&self) -> Option<JsonValue<'a>> {
        (!self.is_missing).then_some(self.at)
    }

    /// The first byte of the value, or of the container that lacks it.
    pub(super) fn start(&self) -> u64 {
        self.at.span().start
    }
}

impl<'a> ValueDifference<'a> {
    fn new(kind: ChangeKind, left: DifferenceSide<'a>, right: DifferenceSide<'a>) -> Self {
        Self {
            kind,
            count: 0,
            left,
            right,
        }
    }

    fn changed(left: JsonValue<'a>, right: JsonValue<'a>) -> Self {
        let common = common_prefix_len(left.raw(), right.raw()) as u64;
        let spot = |value: JsonValue<'a>| {
            DifferenceSide::at_value(value, value.span().start.saturating_add(common))
        };
        Self::new(ChangeKind::Changed, spot(left), spot(right))
    }
}

/// The first difference that is more than spelling; `None` if both values are the same.
pub(super) fn first_difference<'a>(
    left: JsonValue<'a>,
    right: JsonValue<'a>,
    role: ValueRole,
) -> Option<ValueDifference<'a>> {
    match (left.kind(), right.kind()) {
        _ if left.raw() == right.raw() => None,
        (JsonKind::Object, JsonKind::Object) => first_member_difference(left, right, role),
        (JsonKind::Array, JsonKind::Array) => first_item_difference(left, right, role),
        _ if digest(left, role) == digest(right, role) => None,
        _ => Some(ValueDifference::changed(left, right)),
    }
}

fn first_member_difference<'a>(
    left: JsonValue<'a>,
    right: JsonValue<'a>,
    role: ValueRole,
) -> Option<ValueDifference<'a>> {
    let sides = [left, right].map(|value| sorted_members(value, role).into_iter().peekable());
    let [mut lefts, mut rights] = sides;
    let mut founds = Vec::new();
    let spot =
        |(_, key, value, _): NamedMember<'a>| DifferenceSide::at_value(value, key.span().start);
    loop {
        let order = match (lefts.peek(), rights.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => one.0.cmp(&other.0),
        };
        founds.extend(match order {
            Ordering::Less => lefts.next().map(|gone| {
                let end = DifferenceSide::at_end_of(right);
                ValueDifference::new(ChangeKind::Removed, spot(gone), end)
            }),
            Ordering::Greater => rights.next().map(|new| {
                let end = DifferenceSide::at_end_of(left);
                ValueDifference::new(ChangeKind::Added, end, spot(new))
            }),
            Ordering::Equal => lefts.next().zip(rights.next()).and_then(|(one, other)| {
                let ((_, _, one, role), (_, _, other, _)) = (one, other);
                first_difference(one, other, role)
            }),
        });
    }
    // In the order of the text. A missing member has the offset of the end of the object.
    let in_order = has_same_keys(left, right, role);
    founds.into_iter().min_by_key(|found| match in_order {
        true => (found.right.offset, 0),
        false => (found.left.offset, found.right.offset),
    })
}

/// Largest array, in bytes, that is searched for added items: nested arrays would be read once for each level.
const MAX_SHIFT_BYTES: u64 = 64 << 10;

fn first_item_difference<'a>(
    left: JsonValue<'a>,
    right: JsonValue<'a>,
    role: ValueRole,
) -> Option<ValueDifference<'a>> {
    let of_item = match role {
        ValueRole::Blocks => ValueRole::Block,
        _ => ValueRole::Other,
    };
    let (mut lefts, mut rights) = (left.items(), right.items());
    loop {
        let rest = [lefts.clone(), rights.clone()];
        let (one, other) = (lefts.next(), rights.next());
        let found = match (one, other) {
            (None, None) => return None,
            (Some(one), Some(other)) => match first_difference(one, other, of_item) {
                Some(found) => Some(found),
                None => continue,
            },
            _ => None,
        };
        let is_small = left.span().len().max(right.span().len()) <= MAX_SHIFT_BYTES;
        let (kind, count) = match role == ValueRole::Blocks || is_small || found.is_none() {
            true => {
                let [lefts, rights] = rest
                    .map(|items| -> Vec<u64> { items.map(|item| digest(item, of_item)).collect() });
                detect_shift(&lefts, &rights)
            }
            false => (ChangeKind::Changed, 0),
        };
        let spot = |item: Option<JsonValue<'a>>, container| match item {
            Some(item) => DifferenceSide::at_value(item, item.span().start),
            None => DifferenceSide::at_end_of(container),
        };
        return match kind {
            ChangeKind::Changed => found,
            _ => Some(ValueDifference {
                kind,
                count,
                left: spot(one, left),
                right: spot(other, right),
            }),
        };
    }
}

/// Returns what happened between two lists whose first items differ, by the digests of their items: the first item was
/// changed, it moved, or this many items were added or removed before it.
pub(super) fn detect_shift(left: &[u64], right: &[u64]) -> (ChangeKind, u64) {
    let (Some(one), Some(other)) = (left.first(), right.first()) else {
        return match left.is_empty() {
            true => (ChangeKind::Added, right.len() as u64),
            false => (ChangeKind::Removed, left.len() as u64),
        };
    };
    let count = |list: &[u64], wanted: &u64| list.iter().filter(|digest| *digest == wanted).count();
    let added = right.iter().position(|digest| digest == one);
    let removed = left.iter().position(|digest| digest == other);
    match (added, removed) {
        (None, None) => (ChangeKind::Changed, 0),
        (Some(n), None) => (ChangeKind::Added, n as u64),
        (None, Some(n)) => (ChangeKind::Removed, n as u64),
        // An item that occurs several times is found on both sides in any case.
        (Some(n), Some(_)) if count(right, other) > count(left, other) => {
            (ChangeKind::Added, n as u64)
        }
        (Some(_), Some(n)) if count(left, one) > count(right, one) => {
            (ChangeKind::Removed, n as u64)
        }
        (Some(_), Some(_)) => (ChangeKind::Moved, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{JsonDocument, pointer_at};

    #[test]
    fn lists_shift() {
        let case = |left: &[u64], right: &[u64], expected| {
            assert_eq!(detect_shift(left, right), expected, "{left:?} {right:?}");
        };
        case(&[1, 2], &[9, 1, 2], (ChangeKind::Added, 1));
        case(&[1, 2, 3], &[3], (ChangeKind::Removed, 2));
        case(&[1, 2], &[2, 1], (ChangeKind::Moved, 0));
        case(&[1, 2], &[3, 2], (ChangeKind::Changed, 0));
        case(&[], &[1, 2], (ChangeKind::Added, 2));
        case(&[1], &[], (ChangeKind::Removed, 1));
        case(&[1, 2, 1], &[2, 1], (ChangeKind::Removed, 1));
        case(&[2, 1], &[1, 2, 1], (ChangeKind::Added, 1));
    }

    #[test]
    fn the_first_difference_has_a_place_on_both_sides() {
        let case = |left: &str, right: &str, what, paths: [&str; 2], bytes: [&str; 2]| {
            let documents = [left, right].map(|text| JsonDocument::parse(text.as_bytes()).unwrap());
            let found =
                first_difference(documents[0].root(), documents[1].root(), ValueRole::Block)
                    .unwrap();
            assert_eq!(found.kind, what, "{left} {right}");
            let spots = [&found.left, &found.right];
            let pointers = [0, 1].map(|n| pointer_at(&documents[n], spots[n].start()));
            assert_eq!(pointers, paths, "{left} {right}");
            for ((spot, text), expected) in spots.into_iter().zip([left, right]).zip(bytes) {
                let rest = &text[usize::try_from(spot.offset).unwrap()..];
                assert!(rest.starts_with(expected), "{rest} {expected}");
            }
        };
        case(
            r#"{"a":"one two"}"#,
            r#"{"a":"one three"}"#,
            ChangeKind::Changed,
            ["/a", "/a"],
            ["wo", "hree"],
        );
        case(
            r#"{"a":1,"b":2}"#,
            r#"{"b":3,"a":1}"#,
            ChangeKind::Changed,
            ["/b", "/b"],
            ["2", "3"],
        );
        case(
            r#"{"a":1}"#,
            r#"{"a":1,"b":2}"#,
            ChangeKind::Added,
            ["", "/b"],
            ["}", "\"b\""],
        );
        case(
            r#"{"a":1,"b":2}"#,
            r#"{"b":2}"#,
            ChangeKind::Removed,
            ["/a", ""],
            ["\"a\"", "}"],
        );
        case(
            r#"{"a":[1,2]}"#,
            r#"{"a":[0,1,2]}"#,
            ChangeKind::Added,
            ["/a/0", "/a/0"],
            ["1", "0"],
        );
        case(
            r#"{"a":[1,2]}"#,
            r#"{"a":[1]}"#,
            ChangeKind::Removed,
            ["/a/1", "/a"],
            ["2", "]"],
        );
        case(
            r#"{"a":["x","y"]}"#,
            r#"{"a":["y","x"]}"#,
            ChangeKind::Moved,
            ["/a/0", "/a/0"],
            ["\"x", "\"y"],
        );
        case(
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            ChangeKind::Changed,
            ["/a", "/a"],
            ["1", "\"1"],
        );
        case(
            r#"{"a/b":{"~":1}}"#,
            r#"{"a/b":{"~":2}}"#,
            ChangeKind::Changed,
            ["/a~1b/~0", "/a~1b/~0"],
            ["1", "2"],
        );
    }

    #[test]
    fn spelling_is_no_difference() {
        let same = JsonDocument::parse(br#"{"a":[1]}"#).unwrap();
        let spelled = JsonDocument::parse(br#"{ "a" : [1.0] }"#).unwrap();
        assert!(first_difference(same.root(), spelled.root(), ValueRole::Block).is_none());
    }
}

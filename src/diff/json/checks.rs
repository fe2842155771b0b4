//! What the module page promises, asserted for any two texts.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::work_limit::WorkLimit;
use super::{JsonChange, JsonDiff, compare, patch};
use crate::json::{JsonDocument, JsonKind, JsonNode};

/// Compares two JSON texts, separated by a zero byte, and asserts the guarantees of the module page. The body of a fuzz
/// target.
pub fn fuzz(bytes: &[u8]) {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    let (left, right) = bytes.split_at(end);
    let right = right.strip_prefix(&[0]).unwrap_or(left);
    let (Ok(left), Ok(right)) = (JsonDocument::parse(left), JsonDocument::parse(right)) else {
        return;
    };
    assert_promises(&left, &right);
}

pub(super) fn assert_promises(left: &JsonDocument<'_>, right: &JsonDocument<'_>) {
    for one in [left, right] {
        assert_eq!(compare(one, one, WorkLimit::default()), JsonDiff::default());
    }
    let diff = compare(left, right, WorkLimit::default());
    let same = without_white_space(left) == without_white_space(right);
    assert_eq!(
        diff.changes.is_empty(),
        same,
        "changes are reported exactly where the texts differ"
    );
    assert_patch(left, right, &diff);
    assert_order(&diff);
    if !diff.coarse {
        assert_mirrored(&diff, &compare(right, left, WorkLimit::default()));
    }
    for (steps, bytes) in [
        (0, u64::MAX),
        (40, u64::MAX),
        (u64::MAX, 0),
        (u64::MAX, 700),
    ] {
        let diff = compare(
            left,
            right,
            WorkLimit {
                max_steps: steps,
                max_bytes: bytes,
            },
        );
        assert_eq!(diff.changes.is_empty(), same);
        assert_patch(left, right, &diff);
    }
}

/// The text without white space between values: for each value what it is, or how it is written, and which
/// value comes after all that it holds.
fn without_white_space<'a>(document: &JsonDocument<'a>) -> Vec<(usize, JsonKind, &'a [u8])> {
    let piece = |node: &JsonNode| match node.kind() {
        kind @ (JsonKind::Object | JsonKind::Array) => (node.next(), kind, &b""[..]),
        kind => (node.next(), kind, document.slice(node.span())),
    };
    document.nodes().iter().map(piece).collect()
}

/// Asserts that changes are in the order of the right text; a removed value counts where it would be there.
fn assert_order(diff: &JsonDiff) {
    let starts: Vec<u64> = diff
        .changes
        .iter()
        .map(|change| change.right.span.start)
        .collect();
    assert!(starts.is_sorted(), "{diff:?}");
}

/// Asserts that `other`, the diff of the exchanged sides, reports the same changes with the sides exchanged.
fn assert_mirrored(diff: &JsonDiff, other: &JsonDiff) {
    let count = |changes: &mut dyn Iterator<Item = String>| {
        let mut counts = BTreeMap::new();
        changes.for_each(|change| *counts.entry(change).or_insert(0) += 1);
        counts
    };
    let mut one = diff
        .changes
        .iter()
        .map(|change| format!("{:?}", with_sorted_keys(change.clone())));
    let mut two = other.changes.iter().map(|change| {
        let change = JsonChange {
            kind: change.kind.mirrored(),
            left: change.right.clone(),
            right: change.left.clone(),
            ..change.clone()
        };
        format!("{:?}", with_sorted_keys(change))
    });
    assert_eq!(count(&mut one), count(&mut two));
}

fn with_sorted_keys(mut change: JsonChange) -> JsonChange {
    change.keys.sort_unstable();
    change
}

/// The patch makes the right value of the left one; where serde_json cannot read a text, nothing is asserted.
fn assert_patch(left: &JsonDocument<'_>, right: &JsonDocument<'_>, diff: &JsonDiff) {
    let read = |text: &[u8]| serde_json::from_slice::<Value>(text).ok();
    let text = patch(diff, right);
    let (Some(mut value), Some(expected), Some(patch)) = (
        read(left.bytes()),
        read(right.bytes()),
        read(text.as_bytes()),
    ) else {
        return;
    };
    for operation in patch.as_array().into_iter().flatten() {
        apply_operation(&mut value, operation);
    }
    assert!(is_equal(&value, &expected), "{value}\n{expected}\n{text}");
}

/// One operation of RFC 6902, section 4.
fn apply_operation(value: &mut Value, operation: &Value) {
    let text = |key: &str| {
        operation
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (path, new) = (text("path"), operation.get("value").cloned());
    let Some((parent, step)) = path.rsplit_once('/') else {
        assert_eq!((path, text("op")), ("", "replace"));
        *value = new.unwrap_or_default();
        return;
    };
    let step = step.replace("~1", "/").replace("~0", "~");
    let parent = value.pointer_mut(parent);
    let parent = parent.unwrap_or_else(|| panic!("nothing is at {path}"));
    let index = step.parse().unwrap_or(usize::MAX);
    let done = match (text("op"), parent, new) {
        ("remove", Value::Array(items), None) => {
            (index < items.len()).then(|| items.remove(index)).is_some()
        }
        ("remove", Value::Object(members), None) => members.remove(&step).is_some(),
        ("add", Value::Array(items), Some(new)) => (index <= items.len())
            .then(|| items.insert(index, new))
            .is_some(),
        ("add", Value::Object(members), Some(new)) => members.insert(step, new).is_none(),
        ("replace", Value::Array(items), Some(new)) => {
            items.get_mut(index).map(|item| *item = new).is_some()
        }
        ("replace", Value::Object(members), Some(new)) => members.insert(step, new).is_some(),
        _ => false,
    };
    assert!(done, "{operation} does nothing");
}

/// Equal as values: numbers by value, members in any order.
pub(super) fn is_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || one.as_f64() == other.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| is_equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has = |(key, value): (&String, &Value)| {
                other.get(key).is_some_and(|other| is_equal(value, other))
            };
            one.len() == other.len() && one.iter().all(has)
        }
        _ => one == other,
    }
}

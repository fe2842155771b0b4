//! What the module page promises, asserted for any bytes.

use std::ops::Range;

use serde::de::IgnoredAny;

use super::{
    JsonDocument, JsonFault, JsonKind, JsonValue, MAX_DEPTH, NestingScanner, ValuePath, edit, find,
    pointer_at,
};
use crate::span::Span;

/// Reads `bytes` as JSON and asserts what the module page promises. The body of a fuzz target.
pub fn fuzz(bytes: &[u8]) {
    // Skips values without building them: no limit of depth or of numbers, half surrogates allowed.
    let oracle = serde_json::from_slice::<IgnoredAny>(bytes).is_ok();
    let oracle = oracle && std::str::from_utf8(bytes).is_ok();
    let mut nesting = NestingScanner::default();
    bytes.chunks(3).for_each(|piece| nesting.push(piece));
    assert!(!oracle || !nesting.is_open(), "a whole text is open");
    let document = match JsonDocument::parse(bytes) {
        Err(error) => {
            assert!(
                !oracle || error.kind == JsonFault::TooDeep,
                "refused: {error}"
            );
            assert!(error.at <= bytes.len() as u64);
            return;
        }
        Ok(document) => document,
    };
    assert!(oracle, "accepted what is not JSON");
    let nested = assert_nested(document.root());
    assert_eq!(nested, document.nodes().len(), "nodes outside of the tree");
    assert!(nesting_depth(&document) <= MAX_DEPTH);
    for node in document.nodes() {
        assert_edits(&document, &pointer_at(&document, node.span().start));
    }
}

/// Asserts that children lie inside their parent, in ascending order. Returns the number of nodes.
fn assert_nested(value: JsonValue<'_>) -> usize {
    let (outer, mut at, mut seen) = (value.span(), value.span().start, 1usize);
    let keys = value.members().flat_map(|(key, value)| [key, value]);
    for child in keys.chain(value.items()) {
        assert!(child.span().start > at, "neighbours overlap");
        assert!(child.span().end < outer.end, "a child outside its parent");
        at = child.span().end;
        seen = seen.saturating_add(assert_nested(child));
    }
    assert_eq!(seen == 1, value.is_empty());
    seen
}

fn nesting_depth(document: &JsonDocument<'_>) -> usize {
    let (mut open, mut most): (Vec<u64>, usize) = (Vec::new(), 0);
    for node in document.nodes() {
        while open.last().is_some_and(|&end| end <= node.span().start) {
            open.pop();
        }
        if matches!(node.kind(), JsonKind::Object | JsonKind::Array) {
            open.push(node.span().end);
            most = most.max(open.len());
        }
    }
    most
}

/// Asserts that replacing or removing the value at `pointer` changes only its span or its entry.
fn assert_edits(document: &JsonDocument<'_>, pointer: &str) {
    let path = ValuePath::parse(pointer).unwrap_or_default();
    assert_eq!(path.to_string(), pointer, "a pointer is read back");
    // Of a duplicate key only the last is found, and so may be of another kind than what leads on.
    let Ok(value) = find(document, &path) else {
        return;
    };
    let (bytes, span) = (document.bytes(), value.span());
    let set = edit::set(bytes, &path, b" [0] ").unwrap_or_else(|error| panic!("set: {error}"));
    assert_eq!(set.span.start, span.start);
    assert_eq!(set.span.len(), 3);
    assert_rest_unchanged(bytes, &set, span.len());
    match edit::remove(bytes, &path) {
        Err(error) => assert!(path.is_root(), "remove: {error}"),
        Ok(removed) => {
            let gone = bytes.len().saturating_sub(removed.bytes.len());
            assert_rest_unchanged(bytes, &removed, gone as u64);
            assert!(
                JsonDocument::parse(&removed.bytes).is_ok(),
                "no JSON is left"
            );
        }
    }
}

/// Asserts that the bytes outside the change are the old ones; `gone` of them were removed.
fn assert_rest_unchanged(old: &[u8], edited: &edit::EditedJson, gone: u64) {
    let Range { start, end } = edited.span.range();
    assert_eq!(old.get(..start), edited.bytes.get(..start));
    let after = start.saturating_add(Span::new(0, gone).range().end);
    assert_eq!(old.get(after..), edited.bytes.get(end..));
}

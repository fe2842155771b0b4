//! A comparison as a JSON Patch (RFC 6902).

use super::super::change::ChangeKind;
use super::super::place::JsonPath;
use super::difference::{JsonChange, JsonDiff};
use crate::json::{JsonDocument, quote};
use crate::span::Span;

/// Returns the patch that makes the right value of the left one; `comparison` is the result of [`super::compare`], and
/// `right` the right text.
///
/// Values are those that a JSON parser returns: only the last of several members with equal keys, without the order of
/// keys and the spelling of numbers, strings and keys. A changed number or string has the spelling of the right text.
/// Items that moved are removed and added.
pub fn patch(comparison: &JsonDiff, right: &JsonDocument<'_>) -> String {
    let seen = |change: &&JsonChange| !change.left.hidden && !change.right.hidden;
    let mut operations = Vec::new();
    // Items are removed from the last to the first, so that the indices of the left text stay true.
    let moved = |change: &&JsonChange| {
        change.kind == ChangeKind::Moved && change.left.path.outer_string().is_none()
    };
    let mut away: Vec<&JsonChange> = comparison
        .changes
        .iter()
        .filter(seen)
        .filter(moved)
        .collect();
    away.sort_by_key(|change| std::cmp::Reverse(change.left.span.start));
    operations.extend(
        away.into_iter()
            .map(|change| write_operation("remove", &change.left.path, None)),
    );
    // From here on the array in front of each place equals that of the right text.
    let mut within: Option<Span> = None;
    let mut string = None;
    for change in comparison.changes.iter().filter(seen) {
        let place = &change.right;
        // A moved item is added with all its changes.
        if within.is_some_and(|whole| whole.start < place.span.start && place.span.end < whole.end)
        {
            continue;
        }
        if let Some(outer) = place.path.outer_string() {
            // One operation for all changes inside a string.
            if string.replace(outer) != Some(outer) {
                let value = right.slice(leaf_at(right, place.span.start));
                operations.push(write_operation("replace", outer, Some(value)));
            }
            continue;
        }
        let value = Some(right.slice(place.span));
        operations.push(match change.kind {
            ChangeKind::Added => write_operation("add", &place.path, value),
            ChangeKind::Removed => write_operation("remove", &place.path, None),
            ChangeKind::Changed => write_operation("replace", &place.path, value),
            ChangeKind::Moved => {
                within = Some(place.span);
                write_operation("add", &place.path, value)
            }
            ChangeKind::Respelled | ChangeKind::Reordered => continue,
        });
    }
    match operations.is_empty() {
        true => "[]".to_owned(),
        false => format!("[\n  {}\n]", operations.join(",\n  ")),
    }
}

fn write_operation(name: &str, path: &JsonPath, value: Option<&[u8]>) -> String {
    let path = String::from_utf8_lossy(&quote(&path.to_string())).into_owned();
    match value.map(String::from_utf8_lossy) {
        Some(value) => format!(r#"{{"op": "{name}", "path": {path}, "value": {value}}}"#),
        None => format!(r#"{{"op": "{name}", "path": {path}}}"#),
    }
}

/// Returns the span of the scalar at `offset`.
fn leaf_at(document: &JsonDocument<'_>, offset: u64) -> Span {
    let nodes = document.nodes();
    let after = nodes.partition_point(|node| node.span().start <= offset);
    let leaf = nodes.get(after.saturating_sub(1));
    leaf.map(|node| node.span()).unwrap_or_default()
}

//! From the structural diff of two JSON texts to changes: places as people write them, values as they stand.

use super::change::{ChangeKind, ChangeSide, DiffChange, DiffValue, LayerNote};
use super::json::{self, JsonChange, JsonPlace};
use super::place::DiffPlace;
use super::work_limit::WorkLimit;
use crate::json::JsonDocument;

/// Returns what differs between two JSON texts at `root`, and a note where the comparison was cut short; `None` where
/// either is not JSON.
pub(super) fn compare(
    left: &[u8],
    right: &[u8],
    root: &DiffPlace,
) -> Option<(Vec<DiffChange>, Option<LayerNote>)> {
    let left = JsonDocument::parse(left).ok()?;
    let right = JsonDocument::parse(right).ok()?;
    Some(compare_documents(&left, &right, root))
}

/// The same as [`compare`], of texts that have been read.
pub(super) fn compare_documents(
    left: &JsonDocument<'_>,
    right: &JsonDocument<'_>,
    root: &DiffPlace,
) -> (Vec<DiffChange>, Option<LayerNote>) {
    let compared = json::compare(left, right, WorkLimit::default());
    let changes = compared.changes.iter();
    let changes = changes.map(|change| convert_change(change, left, right, root));
    (
        changes.collect(),
        compared.coarse.then_some(LayerNote::Coarse),
    )
}

fn convert_change(
    change: &JsonChange,
    left: &JsonDocument<'_>,
    right: &JsonDocument<'_>,
    root: &DiffPlace,
) -> DiffChange {
    let place = |side: &JsonPlace| DiffPlace {
        path: side.path.clone(),
        duplicate: side.duplicate,
        ..root.clone()
    };
    let (from, at) = (place(&change.left), place(&change.right));
    let at = match change.kind {
        // In the left text, since others may be missing in the right one too.
        ChangeKind::Removed => from.clone(),
        _ => DiffPlace {
            is_key: change.is_key,
            ..at
        },
    };
    let moved = from.path != at.path || from.duplicate != at.duplicate;
    let old = || ChangeSide {
        path: moved.then_some(from),
        ..placed_value(&change.left, left)
    };
    let new = || placed_value(&change.right, right);
    let (old, new) = match change.kind {
        ChangeKind::Added => (None, Some(new())),
        ChangeKind::Removed => (Some(old()), None),
        ChangeKind::Reordered => (None, Some(DiffValue::Text(change.keys.join(", ")).into())),
        _ => (Some(old()), Some(new())),
    };
    DiffChange::new(at, change.kind, old, new)
}

fn placed_value(place: &JsonPlace, document: &JsonDocument<'_>) -> ChangeSide {
    let raw = String::from_utf8_lossy(document.slice(place.span)).into_owned();
    // A value inside strings is escaped once for each of them.
    let text = (0..place.path.strings()).fold(raw, |text, _| unescape(text));
    ChangeSide {
        value: DiffValue::Json(text),
        span: Some(place.span),
        path: None,
    }
}

fn unescape(text: String) -> String {
    let quoted = format!("\"{text}\"");
    let plain = JsonDocument::parse(quoted.as_bytes()).ok();
    let plain = plain.and_then(|document| Some(document.root().as_str()?.into_owned()));
    plain.unwrap_or(text)
}

//! From the structural diff of two JSON texts to changes: places as people write them, values as they stand.

use super::change::{ChangeKind, DiffChange, DiffValue, PlacedValue};
use super::json::{self, JsonChangeKind, JsonPlace};
use super::work_limit::WorkLimit;
use crate::json::JsonDocument;

/// What differs between two JSON texts, and a note where the comparison was cut short; `None` where either is
/// not JSON.
pub(super) fn compare(left: &[u8], right: &[u8]) -> Option<(Vec<DiffChange>, Option<String>)> {
    let left = JsonDocument::parse(left).ok()?;
    let right = JsonDocument::parse(right).ok()?;
    Some(compare_documents(&left, &right))
}

/// The same of two that have been read.
pub(super) fn compare_documents(
    left: &JsonDocument<'_>,
    right: &JsonDocument<'_>,
) -> (Vec<DiffChange>, Option<String>) {
    let compared = json::compare(left, right, WorkLimit::default());
    let note = "compared more coarsely where it would have taken too long".to_owned();
    let changes = compared.changes.iter();
    let changes = changes.map(|change| convert_change(change, left, right));
    (changes.collect(), compared.coarse.then_some(note))
}

fn convert_change(
    change: &json::JsonChange,
    left: &JsonDocument<'_>,
    right: &JsonDocument<'_>,
) -> DiffChange {
    let (lefts, rights) = (place_text(&change.left), place_text(&change.right));
    let sides = || {
        let path = (lefts != rights).then(|| lefts.clone());
        let left = PlacedValue {
            path,
            ..placed_value(&change.left, left)
        };
        (Some(left), Some(placed_value(&change.right, right)))
    };
    let both = |what, at: &str| {
        let (left, right) = sides();
        DiffChange::new(at, what, left, right)
    };
    match change.kind {
        JsonChangeKind::Added => DiffChange::new(
            &rights,
            ChangeKind::Added,
            None,
            Some(placed_value(&change.right, right)),
        ),
        // Where it stood: where it would stand, others may have gone too.
        JsonChangeKind::Removed => DiffChange::new(
            &lefts,
            ChangeKind::Removed,
            Some(placed_value(&change.left, left)),
            None,
        ),
        JsonChangeKind::Changed => both(ChangeKind::Changed, &rights),
        JsonChangeKind::Respelled => both(ChangeKind::Respelled, &rights),
        JsonChangeKind::KeyRespelled => both(ChangeKind::Respelled, &format!("{rights} (key)")),
        JsonChangeKind::Moved => both(ChangeKind::Moved, &rights),
        JsonChangeKind::Reordered => {
            let keys = DiffValue::Text(change.keys.join(", "));
            DiffChange::new(&rights, ChangeKind::Reordered, None, Some(keys.into()))
        }
    }
}

/// The place as people write it: a pointer; of JSON in a string, a pointer into that after a colon.
fn place_text(place: &JsonPlace) -> String {
    let mut at = place.path.clone();
    for inner in &place.inside {
        at.push(':');
        at.push_str(inner);
    }
    if let Some(duplicate) = place.duplicate {
        at.push_str(&format!(" ({} of {})", duplicate.nth, duplicate.of));
    }
    at
}

fn placed_value(place: &JsonPlace, document: &JsonDocument<'_>) -> PlacedValue {
    let raw = String::from_utf8_lossy(document.slice(place.span)).into_owned();
    // What stands in a string is escaped there, once for each string around it.
    let text = place.inside.iter().fold(raw, |text, _| unescape(text));
    PlacedValue {
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

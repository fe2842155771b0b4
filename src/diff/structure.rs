//! From the structural diff of two JSON texts to changes: places as people write them, values as they stand.

use super::change::{Change, Shown, Value, What};
use super::effort::Effort;
use super::json::{self, ChangeKind, Place};
use crate::json::JsonDocument;

/// What differs between two JSON texts, and a note where the comparison was cut short; `None` where either is
/// not JSON.
pub(super) fn compare(left: &[u8], right: &[u8]) -> Option<(Vec<Change>, Option<String>)> {
    let left = JsonDocument::parse(left).ok()?;
    let right = JsonDocument::parse(right).ok()?;
    Some(documents(&left, &right))
}

/// The same of two that have been read.
pub(super) fn documents(
    left: &JsonDocument<'_>,
    right: &JsonDocument<'_>,
) -> (Vec<Change>, Option<String>) {
    let compared = json::compare(left, right, Effort::default());
    let note = "compared more coarsely where it would have taken too long".to_owned();
    let changes = compared.changes.iter();
    let changes = changes.map(|change| told(change, left, right));
    (changes.collect(), compared.coarse.then_some(note))
}

fn told(change: &json::Change, left: &JsonDocument<'_>, right: &JsonDocument<'_>) -> Change {
    let (lefts, rights) = (at(&change.left), at(&change.right));
    let sides = || {
        let path = (lefts != rights).then(|| lefts.clone());
        let left = Shown {
            path,
            ..shown(&change.left, left)
        };
        (Some(left), Some(shown(&change.right, right)))
    };
    let both = |what, at: &str| {
        let (left, right) = sides();
        Change::new(at, what, left, right)
    };
    match change.kind {
        ChangeKind::Added => Change::new(
            &rights,
            What::Added,
            None,
            Some(shown(&change.right, right)),
        ),
        // Where it stood: where it would stand, others may have gone too.
        ChangeKind::Removed => {
            Change::new(&lefts, What::Removed, Some(shown(&change.left, left)), None)
        }
        ChangeKind::Changed => both(What::Changed, &rights),
        ChangeKind::Respelled => both(What::Respelled, &rights),
        ChangeKind::KeyRespelled => both(What::Respelled, &format!("{rights} (key)")),
        ChangeKind::Moved => both(What::Moved, &rights),
        ChangeKind::Reordered => {
            let keys = Value::Text(change.keys.join(", "));
            Change::new(&rights, What::Reordered, None, Some(keys.into()))
        }
    }
}

/// The place as people write it: a pointer; of JSON in a string, a pointer into that after a colon.
fn at(place: &Place) -> String {
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

fn shown(place: &Place, document: &JsonDocument<'_>) -> Shown {
    let raw = String::from_utf8_lossy(document.slice(place.span)).into_owned();
    // What stands in a string is escaped there, once for each string around it.
    let text = place.inside.iter().fold(raw, |text, _| unescaped(text));
    Shown {
        value: Value::Json(text),
        span: Some(place.span),
        path: None,
    }
}

fn unescaped(text: String) -> String {
    let quoted = format!("\"{text}\"");
    let plain = JsonDocument::parse(quoted.as_bytes()).ok();
    let plain = plain.and_then(|document| Some(document.root().as_str()?.into_owned()));
    plain.unwrap_or(text)
}

//! From the structural diff of two JSON texts to changes.

use super::change::{Change, Shown, Value};

/// What differs between two JSON texts, and a note where the comparison was cut short; `None` where either is
/// not JSON.
pub(super) fn compare(left: &[u8], right: &[u8]) -> Option<(Vec<Change>, Option<String>)> {
    let json = |b: &[u8]| {
        Some(Shown::from(Value::Json(
            String::from_utf8_lossy(b).into_owned(),
        )))
    };
    Some((
        Change::between("", json(left), json(right))
            .into_iter()
            .collect(),
        None,
    ))
}

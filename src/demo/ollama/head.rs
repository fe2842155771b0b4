//! The fields of a reply's head: Ollama has no more than these.

use crate::demo::{Context, when};

pub(super) const JSON: &str = "application/json; charset=utf-8";
pub(super) const LINES: &str = "application/x-ndjson";

/// The fields.
pub(super) fn fields(content_type: &str, seen: Context) -> Vec<(String, String)> {
    vec![
        ("Content-Type".to_owned(), content_type.to_owned()),
        ("Date".to_owned(), when::date(seen.created_secs)),
    ]
}

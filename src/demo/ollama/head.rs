//! The head fields of a reply: Ollama sends only these.

use crate::demo::{DemoContext, timestamps};

pub(super) const JSON_TYPE: &str = "application/json; charset=utf-8";
pub(super) const NDJSON_TYPE: &str = "application/x-ndjson";

/// The head fields of a reply.
pub(super) fn head_fields(content_type: &str, seen: DemoContext) -> Vec<(String, String)> {
    vec![
        ("Content-Type".to_owned(), content_type.to_owned()),
        ("Date".to_owned(), timestamps::http_date(seen.created_secs)),
    ]
}

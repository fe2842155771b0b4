//! The head fields of a reply: Ollama sends only these.

use crate::demo::context::DemoContext;
use crate::demo::head::{ReplyFields, reply_fields};

pub(super) const JSON_TYPE: &str = "application/json; charset=utf-8";

/// The head fields of a reply.
pub(super) fn head_fields(content_type: &str, context: DemoContext) -> ReplyFields {
    reply_fields([
        ("Content-Type", content_type.to_owned()),
        ("Date", context.http_date()),
    ])
}

//! Ollama's error words and head fields (<https://docs.ollama.com/api/errors>).

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::demo::api_error::ApiError;
use crate::demo::context::DemoContext;
use crate::demo::head::ReplyFields;
use crate::demo::rules::ApiRules;

/// The rules of Ollama's API.
pub(super) static RULES: LazyLock<ApiRules> =
    LazyLock::new(|| ApiRules::parse(include_str!("rules.json")));

pub(super) const JSON_TYPE: &str = "application/json; charset=utf-8";

/// The head fields of a reply.
pub(super) fn head_fields(content_type: &str, context: DemoContext) -> ReplyFields {
    let date = context.http_date();
    RULES.head_fields(&[("type", content_type), ("date", &date)], &[])
}

/// The error as JSON.
pub(super) fn error_json(error: &ApiError) -> Value {
    json!({"error": error.message})
}

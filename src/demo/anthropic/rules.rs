//! Anthropic's error words and head fields (<https://docs.claude.com/en/api/errors>,
//! <https://docs.claude.com/en/api/rate-limits>). The limits that a reply reports are those of usage tier 4.

use std::sync::LazyLock;
use std::time::Duration;

use serde_json::{Value, json};

use crate::demo::api_error::ApiError;
use crate::demo::context::DemoContext;
use crate::demo::head::ReplyFields;
use crate::demo::rules::ApiRules;
use crate::demo::usage::GeneratedUsage;
use crate::demo::{ids, timestamps};

/// The rules of Anthropic's API.
pub(super) static RULES: LazyLock<ApiRules> =
    LazyLock::new(|| ApiRules::parse(include_str!("rules.json")));

/// The error as JSON.
pub(super) fn error_json(error: &ApiError, context: DemoContext) -> Value {
    json!({
        "type": "error",
        "error": {"type": error.error_type, "message": error.message},
        "request_id": request_id(context),
    })
}

/// The head fields of a reply; remaining tokens are rounded to thousands.
pub(super) fn head_fields(
    content_type: &str,
    usage: GeneratedUsage,
    extra: &[(String, String)],
    context: DemoContext,
) -> ReplyFields {
    let left = |limit: u64, used: u64| {
        let left = limit.saturating_sub(used);
        left.saturating_sub(left % 1_000)
    };
    let input = left(2_000_000, usage.prompt_tokens);
    let output = left(400_000, usage.completion_tokens);
    let reset = timestamps::rfc3339_time(context.created_secs, Duration::ZERO, 0);
    let date = context.http_date();
    let values = [
        ("date", date.as_str()),
        ("type", content_type),
        ("reset", &reset),
        ("input_left", &input.to_string()),
        ("output_left", &output.to_string()),
        ("all_left", &input.saturating_add(output).to_string()),
        ("id", &request_id(context)),
    ];
    RULES.head_fields(&values, extra)
}

/// The id of a request, in the head and in the body of errors.
fn request_id(context: DemoContext) -> String {
    ids::alphanumeric_id("req_011C", context.request_seed(), 20)
}

//! The head fields of a reply, in the order and spelling of Anthropic's API
//! (<https://docs.claude.com/en/api/rate-limits>, <https://docs.claude.com/en/api/errors>).

use std::time::Duration;

use crate::demo::context::DemoContext;
use crate::demo::head::{ReplyFields, reply_fields};
use crate::demo::usage::GeneratedUsage;
use crate::demo::{ids, timestamps};

// The limits that the reply reports: those of usage tier 4 (<https://docs.claude.com/en/api/rate-limits>).
const REQUEST_LIMIT: u64 = 4_000;
const INPUT_TOKEN_LIMIT: u64 = 2_000_000;
const OUTPUT_TOKEN_LIMIT: u64 = 400_000;

/// The id of a request, in the head and in the body of errors.
pub(super) fn request_id(context: DemoContext) -> String {
    ids::alphanumeric_id("req_011C", context.request_seed(), 20)
}

/// The head fields of a reply.
pub(super) fn head_fields(
    content_type: &str,
    usage: GeneratedUsage,
    context: DemoContext,
) -> ReplyFields {
    let mut fields = leading_fields(content_type, context);
    fields.extend(rate_limit_fields(usage, context));
    fields.extend(trailing_fields(context));
    fields
}

/// The head fields before the rate limits.
pub(super) fn leading_fields(content_type: &str, context: DemoContext) -> ReplyFields {
    reply_fields([
        ("Date", context.http_date()),
        ("Content-Type", content_type.to_owned()),
        ("Cache-Control", "no-cache".to_owned()),
    ])
}

/// The head fields of the rate limits; remaining tokens are rounded to thousands.
pub(super) fn rate_limit_fields(usage: GeneratedUsage, context: DemoContext) -> ReplyFields {
    let left = |limit: u64, used: u64| {
        let left = limit.saturating_sub(used);
        left.saturating_sub(left % 1_000)
    };
    let (input, output) = (
        left(INPUT_TOKEN_LIMIT, usage.prompt_tokens),
        left(OUTPUT_TOKEN_LIMIT, usage.completion_tokens),
    );
    let all = INPUT_TOKEN_LIMIT.saturating_add(OUTPUT_TOKEN_LIMIT);
    let reset = timestamps::rfc3339_time(context.created_secs, Duration::ZERO, 0);
    let mut fields = Vec::new();
    for (what, limit, left) in [
        ("requests", REQUEST_LIMIT, REQUEST_LIMIT.saturating_sub(1)),
        ("input-tokens", INPUT_TOKEN_LIMIT, input),
        ("output-tokens", OUTPUT_TOKEN_LIMIT, output),
        ("tokens", all, input.saturating_add(output)),
    ] {
        let name = |end: &str| format!("anthropic-ratelimit-{what}-{end}");
        fields.push((name("limit"), limit.to_string()));
        fields.push((name("remaining"), left.to_string()));
        fields.push((name("reset"), reset.clone()));
    }
    fields
}

/// The head fields after the rate limits.
pub(super) fn trailing_fields(context: DemoContext) -> ReplyFields {
    let organization = "00000000-0000-4000-8000-000000000000";
    reply_fields([
        ("request-id", request_id(context)),
        ("anthropic-organization-id", organization.to_owned()),
        ("Server", "wire-demo".to_owned()),
        ("X-Robots-Tag", "none".to_owned()),
    ])
}

//! The head fields of a reply, in the order and spelling of OpenAI's API
//! (<https://platform.openai.com/docs/api-reference/debugging-requests>), and the layout of its JSON.

use serde_json::Value;

use crate::demo::context::DemoContext;
use crate::demo::head::{ReplyFields, processing_millis, reply_fields};
use crate::demo::ids;

// The limits that the reply reports: invented, of the size that a paid account has.
const REQUEST_LIMIT: u64 = 10_000;
const TOKEN_LIMIT: u64 = 2_000_000;

/// The head fields of a reply that used `tokens` tokens.
pub(super) fn head_fields(content_type: &str, tokens: u64, context: DemoContext) -> ReplyFields {
    let used = tokens.min(TOKEN_LIMIT);
    let requests_left = REQUEST_LIMIT.saturating_sub(1).to_string();
    let tokens_left = TOKEN_LIMIT.saturating_sub(used).to_string();
    let id = ids::hex_id("req_", context.request_seed(), 32);
    reply_fields([
        ("Date", context.http_date()),
        ("Content-Type", content_type.to_owned()),
        ("access-control-expose-headers", "X-Request-ID".to_owned()),
        ("openai-organization", "demo".to_owned()),
        ("openai-processing-ms", processing_millis(used).to_string()),
        ("openai-version", "2020-10-01".to_owned()),
        ("x-ratelimit-limit-requests", REQUEST_LIMIT.to_string()),
        ("x-ratelimit-limit-tokens", TOKEN_LIMIT.to_string()),
        ("x-ratelimit-remaining-requests", requests_left),
        ("x-ratelimit-remaining-tokens", tokens_left),
        ("x-ratelimit-reset-requests", "6ms".to_owned()),
        ("x-ratelimit-reset-tokens", reset_duration(used)),
        ("x-request-id", id),
        ("Server", "wire-demo".to_owned()),
    ])
}

/// The time until `tokens` are available again at the rate of the limit a minute, written as a Go duration.
fn reset_duration(tokens: u64) -> String {
    let millis = tokens.saturating_mul(60_000).div_ceil(TOKEN_LIMIT);
    match (millis / 1000, millis % 1000) {
        (0, millis) => format!("{millis}ms"),
        (seconds, 0) => format!("{seconds}s"),
        (seconds, millis) => format!("{seconds}.{millis:03}s"),
    }
}

/// JSON in OpenAI's layout of whole replies: two spaces of indent, a line end at the end.
pub(super) fn pretty_json(value: &Value) -> String {
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reset_times_are_go_durations() {
        assert_eq!(reset_duration(100), "3ms");
        assert_eq!(reset_duration(2_000_000), "60s");
        assert_eq!(reset_duration(50_000), "1.500s");
    }

    #[test]
    fn pretty_json_has_two_spaces_and_a_line_end() {
        assert_eq!(
            pretty_json(&serde_json::json!({"a": []})),
            "{\n  \"a\": []\n}\n"
        );
    }
}

//! The fields of a reply's head, in the order and spelling of OpenAI's API
//! (<https://platform.openai.com/docs/api-reference/debugging-requests>), and how its JSON is laid out.

use serde_json::Value;

use crate::demo::{Context, ids, when};

const REQUESTS: u64 = 10_000;
const TOKENS: u64 = 2_000_000;

/// The fields of a reply that cost so many tokens.
pub(in crate::demo) fn fields(
    content_type: &str,
    seen: Context,
    tokens: u64,
) -> Vec<(String, String)> {
    let used = tokens.min(TOKENS);
    let processing = 80_u64.saturating_add(used.min(2_000));
    let seed = ids::mix(seen.seq ^ seen.created_secs.unsigned_abs());
    let fields = [
        ("Date", when::date(seen.created_secs)),
        ("Content-Type", content_type.to_owned()),
        ("access-control-expose-headers", "X-Request-ID".to_owned()),
        ("openai-organization", "demo".to_owned()),
        ("openai-processing-ms", processing.to_string()),
        ("openai-version", "2020-10-01".to_owned()),
        ("x-ratelimit-limit-requests", REQUESTS.to_string()),
        ("x-ratelimit-limit-tokens", TOKENS.to_string()),
        (
            "x-ratelimit-remaining-requests",
            REQUESTS.saturating_sub(1).to_string(),
        ),
        (
            "x-ratelimit-remaining-tokens",
            TOKENS.saturating_sub(used).to_string(),
        ),
        ("x-ratelimit-reset-requests", "6ms".to_owned()),
        ("x-ratelimit-reset-tokens", reset(used)),
        ("x-request-id", ids::hex("req_", seed, 32)),
        ("Server", "wire-demo".to_owned()),
    ];
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// How long until so many tokens have come back at the rate of a minute, as a duration of Go.
fn reset(tokens: u64) -> String {
    let millis = tokens.saturating_mul(60_000).div_ceil(TOKENS);
    match (millis / 1000, millis % 1000) {
        (0, millis) => format!("{millis}ms"),
        (seconds, 0) => format!("{seconds}s"),
        (seconds, millis) => format!("{seconds}.{millis:03}s"),
    }
}

/// JSON as OpenAI lays out what is not streamed: two spaces, and a line end at the end.
pub(in crate::demo) fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resets() {
        assert_eq!(reset(100), "3ms");
        assert_eq!(reset(2_000_000), "60s");
        assert_eq!(reset(50_000), "1.500s");
    }

    #[test]
    fn two_spaces_and_a_line_end() {
        assert_eq!(pretty(&serde_json::json!({"a": []})), "{\n  \"a\": []\n}\n");
    }
}

//! The fields of a reply's head, in the order and spelling of Anthropic's API
//! (<https://docs.claude.com/en/api/rate-limits>, <https://docs.claude.com/en/api/errors>).

use std::time::Duration;

use crate::demo::usage::Usage;
use crate::demo::{Context, ids, when};

type Fields = Vec<(String, String)>;

const REQUESTS: u64 = 4_000;
const INPUT: u64 = 2_000_000;
const OUTPUT: u64 = 400_000;

/// The id of a request, in its head and in the body of its errors.
pub(super) fn request_id(seen: Context) -> String {
    let seed = ids::mix(seen.seq ^ seen.created_secs.unsigned_abs());
    ids::id("req_011C", seed, 20)
}

/// The fields of a reply that cost so much, in pace.
pub(super) fn fields(content_type: &str, cost: Usage, seen: Context) -> Fields {
    let mut fields = first(content_type, seen);
    fields.extend(limits(cost, seen));
    fields.extend(last(seen));
    fields
}

/// The fields that come before the limits.
pub(super) fn first(content_type: &str, seen: Context) -> Fields {
    owned([
        ("Date", when::date(seen.created_secs)),
        ("Content-Type", content_type.to_owned()),
        ("Cache-Control", "no-cache".to_owned()),
    ])
}

/// What is left of the limits; what is left of tokens is told in thousands.
pub(super) fn limits(cost: Usage, seen: Context) -> Fields {
    let left = |limit: u64, used: u64| {
        let left = limit.saturating_sub(used);
        left.saturating_sub(left % 1_000)
    };
    let (input, output) = (left(INPUT, cost.prompt), left(OUTPUT, cost.completion));
    let all = INPUT.saturating_add(OUTPUT);
    let reset = when::instant(seen.created_secs, Duration::ZERO, 0);
    let mut fields = Vec::new();
    for (what, limit, left) in [
        ("requests", REQUESTS, REQUESTS.saturating_sub(1)),
        ("input-tokens", INPUT, input),
        ("output-tokens", OUTPUT, output),
        ("tokens", all, input.saturating_add(output)),
    ] {
        let name = |end: &str| format!("anthropic-ratelimit-{what}-{end}");
        fields.push((name("limit"), limit.to_string()));
        fields.push((name("remaining"), left.to_string()));
        fields.push((name("reset"), reset.clone()));
    }
    fields
}

/// The fields that come after the limits.
pub(super) fn last(seen: Context) -> Fields {
    let organization = "00000000-0000-4000-8000-000000000000";
    owned([
        ("request-id", request_id(seen)),
        ("anthropic-organization-id", organization.to_owned()),
        ("Server", "wire-demo".to_owned()),
        ("X-Robots-Tag", "none".to_owned()),
    ])
}

fn owned<const N: usize>(fields: [(&str, String); N]) -> Fields {
    let owned = |(name, value): (&str, String)| (name.to_owned(), value);
    fields.into_iter().map(owned).collect()
}

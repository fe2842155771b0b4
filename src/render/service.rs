//! The facts of a service in words: rate limits, ids, and what SDKs would do.

use super::wording;
use crate::sdk::RetryAdvice;
use crate::service::{HeaderMeaning, LimitCount, LimitWindow, RateLimit, ResetTime, ServiceFacts};

/// The ids to quote in a support request, the provider's first, and the serving region.
pub(super) fn service_ids(service: &ServiceFacts) -> Vec<String> {
    let kinds = [
        (HeaderMeaning::RequestId, ""),
        (HeaderMeaning::GatewayId, ""),
        (HeaderMeaning::EdgeId, ""),
        (HeaderMeaning::Site, "site "),
        (HeaderMeaning::Region, "region "),
    ];
    let named = |(kind, name)| {
        service
            .values_of(kind)
            .map(move |value| format!("{name}{value}"))
    };
    kinds.into_iter().flat_map(named).collect()
}

/// Retry advice: one line for all SDKs that would do the same.
pub(super) fn retry_lines(advice: &[RetryAdvice]) -> Vec<String> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for advice in advice {
        let what = advice
            .words
            .strip_prefix(advice.sdk)
            .unwrap_or(&advice.words);
        match groups.iter_mut().find(|(known, _)| *known == what) {
            Some((_, sdks)) => sdks.push(advice.sdk),
            None => groups.push((what, vec![advice.sdk])),
        }
    }
    let line = |(what, sdks): (&str, Vec<&str>)| format!("{}{what}", sdks.join(", "));
    groups.into_iter().map(line).collect()
}

pub(super) fn describe_limit(limit: &RateLimit) -> String {
    let count = |count: Option<LimitCount>| match count {
        Some(LimitCount::Known(number)) => wording::format_count(number),
        Some(LimitCount::NotKnown) | None => "?".to_owned(),
    };
    let window = match limit.window {
        Some(LimitWindow::Seconds(60)) => " a minute".to_owned(),
        Some(LimitWindow::Seconds(86_400)) => " a day".to_owned(),
        Some(LimitWindow::Seconds(seconds)) => {
            format!(
                " in {}",
                wording::format_long_duration(seconds.saturating_mul(1_000_000))
            )
        }
        Some(LimitWindow::Month) => " a month".to_owned(),
        None => String::new(),
    };
    let scope = limit
        .scope
        .as_ref()
        .map(|scope| format!(" [{scope}]"))
        .unwrap_or_default();
    let name = format!("{}{window}{scope}", limit.what);
    let mut parts = vec![match (limit.remaining, limit.limit) {
        (None, None) => name,
        (None, all) => format!("{} {name} at most", count(all)),
        _ if limit.is_exhausted() => format!("none of {} {name} left", count(limit.limit)),
        (left, all) => format!("{} of {} {name} left", count(left), count(all)),
    }];
    let used = limit.utilization.as_ref();
    parts.extend(used.map(|used| format!("{used} used")));
    parts.extend(limit.status.clone());
    parts.extend(limit.reset.as_ref().map(describe_reset));
    parts.join(", ")
}

/// Time until the limit resets, also where the header gives a date.
fn describe_reset(reset: &ResetTime) -> String {
    match reset.after_micros {
        Some(0) => "resets now".to_owned(),
        Some(micros) => format!("resets in {}", wording::format_long_duration(micros)),
        None => format!("resets at {}", reset.text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service;

    fn limits_of(fields: &[(&str, &str)]) -> Vec<String> {
        let pairs = fields
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        service::read_fields(pairs)
            .limits
            .iter()
            .map(describe_limit)
            .collect()
    }

    #[test]
    fn resets_are_durations() {
        let date = ("Date", "Mon, 23 Nov 2026 09:14:07 GMT");
        let case = |fields: &[(&str, &str)], expected: &str| {
            let fields: Vec<_> = [date].into_iter().chain(fields.iter().copied()).collect();
            assert_eq!(limits_of(&fields), [expected]);
        };
        case(
            &[
                ("x-ratelimit-limit-tokens", "2000000"),
                ("x-ratelimit-remaining-tokens", "1880"),
                ("x-ratelimit-reset-tokens", "6m0s"),
            ],
            "1,880 of 2,000,000 tokens left, resets in 6m 0s",
        );
        case(
            &[
                ("anthropic-ratelimit-requests-limit", "50"),
                ("anthropic-ratelimit-requests-remaining", "0"),
                ("anthropic-ratelimit-requests-reset", "2026-11-23T09:14:37Z"),
            ],
            "none of 50 requests a minute left, resets in 30.00 s",
        );
        case(
            &[
                ("anthropic-ratelimit-unified-5h-status", "allowed"),
                ("anthropic-ratelimit-unified-5h-utilization", "0.42"),
                ("anthropic-ratelimit-unified-5h-reset", "1795425307"),
            ],
            "unified in 5h 0m 0s, 0.42 used, allowed, resets in 1m 0s",
        );
        let undated = [("anthropic-ratelimit-tokens-reset", "2026-11-23T09:14:37Z")];
        assert_eq!(
            limits_of(&undated),
            ["tokens a minute, resets at 2026-11-23T09:14:37Z"]
        );
    }
}

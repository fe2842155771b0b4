//! What a service tells about itself, in words: limits, ids, what SDKs would do.

use super::words;
use crate::sdk::Advice;
use crate::service::{Count, Kind, Limit, Reset, ServiceFacts, Window};

/// Ids to quote, the provider's first, and where it was served.
pub(super) fn ids(service: &ServiceFacts) -> Vec<String> {
    let kinds = [
        (Kind::RequestId, ""),
        (Kind::GatewayId, ""),
        (Kind::EdgeId, ""),
        (Kind::Site, "site "),
        (Kind::Region, "region "),
    ];
    let named = |(kind, name)| service.all(kind).map(move |value| format!("{name}{value}"));
    kinds.into_iter().flat_map(named).collect()
}

/// One line for all SDKs that would do the same.
pub(super) fn retries(advice: &[Advice]) -> Vec<String> {
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

pub(super) fn limit(limit: &Limit) -> String {
    let count = |count: Option<Count>| match count {
        Some(Count::Known(number)) => words::count(number),
        Some(Count::NotKnown) | None => "?".to_owned(),
    };
    let window = match limit.window {
        Some(Window::Seconds(60)) => " a minute".to_owned(),
        Some(Window::Seconds(86_400)) => " a day".to_owned(),
        Some(Window::Seconds(seconds)) => {
            format!(" in {}", words::long(seconds.saturating_mul(1_000_000)))
        }
        Some(Window::Month) => " a month".to_owned(),
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
        _ if limit.is_spent() => format!("none of {} {name} left", count(limit.limit)),
        (left, all) => format!("{} of {} {name} left", count(left), count(all)),
    }];
    let used = limit.utilization.as_ref();
    parts.extend(used.map(|used| format!("{used} used")));
    parts.extend(limit.status.clone());
    parts.extend(limit.reset.as_ref().map(full));
    parts.join(", ")
}

/// When a limit is fresh again: a duration, be it told as an instant.
fn full(reset: &Reset) -> String {
    match reset.after_micros {
        Some(0) => "full now".to_owned(),
        Some(micros) => format!("full in {}", words::long(micros)),
        None => format!("full at {}", reset.text),
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
        service::of(pairs).limits.iter().map(limit).collect()
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
            "1,880 of 2,000,000 tokens left, full in 6m 0s",
        );
        case(
            &[
                ("anthropic-ratelimit-requests-limit", "50"),
                ("anthropic-ratelimit-requests-remaining", "0"),
                ("anthropic-ratelimit-requests-reset", "2026-11-23T09:14:37Z"),
            ],
            "none of 50 requests a minute left, full in 30.00 s",
        );
        case(
            &[
                ("anthropic-ratelimit-unified-5h-status", "allowed"),
                ("anthropic-ratelimit-unified-5h-utilization", "0.42"),
                ("anthropic-ratelimit-unified-5h-reset", "1795425307"),
            ],
            "unified in 5h 0m 0s, 0.42 used, allowed, full in 1m 0s",
        );
        let undated = [("anthropic-ratelimit-tokens-reset", "2026-11-23T09:14:37Z")];
        assert_eq!(
            limits_of(&undated),
            ["tokens a minute, full at 2026-11-23T09:14:37Z"]
        );
    }
}

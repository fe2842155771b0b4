//! Heads as providers send them, and what is read out of them.

use super::*;

/// The facts of a head written as lines.
fn facts(head: &str) -> ServiceFacts {
    let pairs = head
        .lines()
        .map(|line| line.trim().split_once(": ").unwrap_or((line.trim(), "")));
    read_fields(pairs.map(|(name, value)| (name.as_bytes(), value.as_bytes())))
}

/// Each limit as one line.
fn lines(facts: &ServiceFacts) -> Vec<String> {
    let count = |count: Option<LimitCount>| match count {
        None => "-".to_owned(),
        Some(LimitCount::NotKnown) => "?".to_owned(),
        Some(LimitCount::Known(count)) => count.to_string(),
    };
    let line = |limit: &RateLimit| {
        let scope = limit.scope.as_deref().unwrap_or("-");
        let window = limit
            .window
            .map_or("-".to_owned(), |window| window.to_string());
        let reset = limit.reset.as_ref().and_then(|reset| reset.after_micros);
        let reset = reset.map_or("-".to_owned(), |reset| reset.to_string());
        let (remaining, all) = (count(limit.remaining), count(limit.limit));
        format!(
            "{} [{scope}] {remaining} of {all} per {window}, reset {reset}",
            limit.what
        )
    };
    facts.limits.iter().map(line).collect()
}

fn other_facts(facts: &ServiceFacts) -> Vec<(HeaderMeaning, &str)> {
    let facts = facts.others.iter();
    facts.map(|fact| (fact.kind, fact.value.as_str())).collect()
}

#[test]
fn openai() {
    let facts = facts(
        "Date: Mon, 23 Nov 2026 09:14:07 GMT
        access-control-expose-headers: X-Request-ID
        openai-organization: org-example
        openai-processing-ms: 3
        openai-project: proj_EXAMPLE
        openai-version: 2020-10-01
        x-envoy-upstream-service-time: 12
        x-ratelimit-limit-requests: 10000
        x-ratelimit-limit-tokens: 2000000
        x-ratelimit-remaining-requests: 9998
        x-ratelimit-remaining-tokens: 1880
        x-ratelimit-reset-requests: 6ms
        x-ratelimit-reset-tokens: 59.943s
        retry-after: 2
        retry-after-ms: 1870
        x-request-id: req_c6da8d132126db2e404a3283e684dad0
        cf-cache-status: DYNAMIC
        Set-Cookie: __cf_bm=EXAMPLE
        Server: cloudflare
        CF-RAY: 535c0ce62b5e0528-FRA",
    );
    assert_eq!(
        lines(&facts),
        [
            "requests [-] 9998 of 10000 per -, reset 6000",
            "tokens [-] 1880 of 2000000 per -, reset 59943000",
        ]
    );
    let wait = facts.retry.requested_wait().unwrap();
    assert_eq!(
        (wait.field.as_str(), wait.until.after_micros),
        ("retry-after-ms", Some(1_870_000))
    );
    assert_eq!(
        facts.retry.after.as_ref().unwrap().until.after_micros,
        Some(2_000_000)
    );
    assert_eq!(
        facts.request_id().unwrap().value,
        "req_c6da8d132126db2e404a3283e684dad0"
    );
    assert_eq!(
        facts
            .times
            .iter()
            .map(|time| time.micros)
            .collect::<Vec<_>>(),
        [3_000, 12_000]
    );
    assert_eq!(
        other_facts(&facts),
        [
            (HeaderMeaning::Organization, "org-example"),
            (HeaderMeaning::Project, "proj_EXAMPLE"),
            (HeaderMeaning::Version, "2020-10-01"),
            (
                HeaderMeaning::RequestId,
                "req_c6da8d132126db2e404a3283e684dad0"
            ),
            (HeaderMeaning::CacheStatus, "DYNAMIC"),
            (HeaderMeaning::Server, "cloudflare"),
            (HeaderMeaning::EdgeId, "535c0ce62b5e0528-FRA"),
            (HeaderMeaning::Site, "FRA"),
        ]
    );
    assert_eq!(facts.fields.len(), 18);
    assert_eq!(facts.fields.last().map(String::as_str), Some("CF-RAY"));
    assert_eq!(facts.unread, []);
}

#[test]
fn anthropic() {
    let facts = facts(
        "Date: Mon, 23 Nov 2026 09:14:07 GMT
        anthropic-ratelimit-requests-limit: 4000
        anthropic-ratelimit-requests-remaining: 3999
        anthropic-ratelimit-requests-reset: 2026-11-23T09:14:07Z
        anthropic-ratelimit-input-tokens-limit: 2000000
        anthropic-ratelimit-input-tokens-remaining: 0
        anthropic-ratelimit-input-tokens-reset: 2026-11-23T09:14:43Z
        anthropic-ratelimit-output-tokens-limit: 400000
        anthropic-ratelimit-output-tokens-remaining: 400000
        anthropic-ratelimit-output-tokens-reset: 2026-11-23T09:14:07Z
        retry-after: 36
        x-should-retry: true
        request-id: req_011C5sZNkDy5uqnwWHyYgPng
        anthropic-organization-id: 00000000-0000-4000-8000-000000000000
        traceresponse: 00-1e2796fed57c9f54b8e4cea581f3dcba-97f0880c554c6283-01
        server-timing: proxy;dur=418
        x-envoy-upstream-service-time: 402
        CF-RAY: 70c63f5da6a8ab2f-ZRH",
    );
    assert_eq!(
        lines(&facts),
        [
            "requests [-] 3999 of 4000 per minute, reset 0",
            "input tokens [-] 0 of 2000000 per minute, reset 36000000",
            "output tokens [-] 400000 of 400000 per minute, reset 0",
        ]
    );
    assert!(facts.limits[1].is_exhausted() && !facts.limits[0].is_exhausted());
    assert_eq!(facts.retry.should, Some(true));
    assert_eq!(facts.request_id().unwrap().field, "request-id");
    assert_eq!(facts.fields.len(), 18);
}

#[test]
fn anthropic_subscription() {
    let facts = facts(
        "date: Mon, 23 Nov 2026 09:14:07 GMT
        anthropic-ratelimit-unified-status: allowed
        anthropic-ratelimit-unified-5h-status: allowed
        anthropic-ratelimit-unified-5h-reset: 1795425307
        anthropic-ratelimit-unified-5h-utilization: 0.25
        anthropic-ratelimit-unified-representative-claim: five_hour",
    );
    assert_eq!(
        lines(&facts),
        [
            "unified [-] - of - per -, reset -",
            "unified [-] - of - per 5h, reset 60000000"
        ]
    );
    assert_eq!(facts.limits[1].utilization.as_deref(), Some("0.25"));
    assert_eq!(facts.limits[0].status.as_deref(), Some("allowed"));
    assert_eq!(other_facts(&facts), [(HeaderMeaning::Policy, "five_hour")]);
}

#[test]
fn azure() {
    let facts = facts(
        "apim-request-id: 3fbe60dc-1111-4222-8333-47239412aae9
        x-ms-region: Switzerland North
        x-ratelimit-limit-requests: -1
        x-ratelimit-remaining-requests: -1
        x-ratelimit-limit-tokens: 100000
        x-ratelimit-remaining-tokens: 99912
        x-request-id: 9eaa21493274-3338
        x-ms-client-request-id: 3fbe60dc-1111-4222-8333-47239412aae9
        azureml-model-session: d20261101-3f1c
        x-ms-deployment-name: my-gpt
        Retry-After: 22
        retry-after-ms: 22000
        x-ratelimit-reset-tokens: 22
        policy-id: DeploymentRatelimit-Token
        Date: Mon, 23 Nov 2026 09:14:07 GMT",
    );
    assert_eq!(
        lines(&facts),
        [
            "requests [-] ? of ? per -, reset -",
            "tokens [-] 99912 of 100000 per -, reset 22000000",
        ]
    );
    // The date stands behind, and is known all the same.
    let reset = facts.limits[1].reset.as_ref().unwrap();
    assert_eq!(reset.at.unwrap().to_string(), "2026-11-23T09:14:29Z");
    assert_eq!(facts.request_id().unwrap().value, "9eaa21493274-3338");
    assert_eq!(
        facts.values_of(HeaderMeaning::Region).collect::<Vec<_>>(),
        ["Switzerland North"]
    );
    assert_eq!(facts.unread, []);
}

#[test]
fn other_providers() {
    let case = |head: &str, expected: &[&str]| assert_eq!(lines(&facts(head)), expected);
    // Groq: by its documents, requests by day and tokens by minute.
    case(
        "x-groq-region: fra
        x-ratelimit-limit-requests: 500000
        x-ratelimit-remaining-tokens: 249871
        x-ratelimit-reset-requests: 172.8ms
        x-ratelimit-reset-tokens: 30.96ms",
        &[
            "requests [-] - of 500000 per day, reset 172800",
            "tokens [-] 249871 of - per minute, reset 30960",
        ],
    );
    // Mistral
    case(
        "x-ratelimit-limit-req-minute: 60
        x-ratelimit-remaining-req-minute: 59
        x-ratelimit-limit-tokens-minute: 500000
        x-ratelimit-remaining-tokens-minute: 499121
        x-ratelimit-tokens-query-cost: 879",
        &[
            "requests [-] 59 of 60 per minute, reset -",
            "tokens [-] 499121 of 500000 per minute, reset -",
            "tokens [-] - of - per -, reset -",
        ],
    );
    // Together
    case(
        "x-ratelimit-limit: 10
        x-ratelimit-remaining: 9
        x-ratelimit-reset: 1
        x-tokenlimit-limit: 3000
        x-tokenlimit-remaining: 2900",
        &[
            "requests [-] 9 of 10 per -, reset 1000000",
            "tokens [-] 2900 of 3000 per -, reset -",
        ],
    );
    // OpenRouter: milliseconds since 1970.
    case(
        "Date: Mon, 23 Nov 2026 09:14:07 GMT
        X-RateLimit-Limit: 20
        X-RateLimit-Remaining: 0
        X-RateLimit-Reset: 1795425307000",
        &["requests [-] 0 of 20 per -, reset 60000000"],
    );
    // Hugging Face: the IETF's draft.
    case(
        r#"ratelimit: "api";r=999;t=295
        ratelimit-policy: "fixed window";"api";q=1000;w=300"#,
        &["requests [api] 999 of 1000 per 5m, reset 295000000"],
    );
    // LiteLLM passes on what it got.
    case(
        "llm_provider-x-ratelimit-remaining-tokens: 5
        x-ratelimit-remaining-tokens: 7",
        &[
            "tokens [upstream] 5 of - per -, reset -",
            "tokens [-] 7 of - per -, reset -",
        ],
    );
}

#[test]
fn what_a_gateway_passes_on_does_not_count_as_its_own() {
    let facts = facts(
        "llm_provider-retry-after: 5
        llm_provider-x-request-id: theirs
        x-litellm-call-id: its
        llm_provider-server: llama.cpp
        x-litellm-overhead-duration-ms: 6.6319",
    );
    assert!(facts.retry.is_empty());
    assert_eq!(facts.request_id().unwrap().value, "its");
    assert_eq!(facts.fields.len(), 4);
}

#[test]
fn what_cannot_be_read_is_listed() {
    let facts = facts(
        "Date: yesterday
        retry-after: soon
        x-should-retry: TRUE
        x-ratelimit-limit-tokens: many
        x-ratelimit-remaining-tokens: 1
        x-ratelimit-remaining-tokens: 2
        openai-processing-ms: fast
        ratelimit: ;;",
    );
    let unread: Vec<&str> = facts
        .unread
        .iter()
        .map(|unread| unread.value.as_str())
        .collect();
    assert_eq!(
        unread,
        ["yesterday", "soon", "TRUE", "many", "2", "fast", ";;"]
    );
    assert_eq!(facts.fields, ["x-ratelimit-remaining-tokens"]);
    assert_eq!(facts.limits[0].remaining, Some(LimitCount::Known(1)));
}

#[test]
fn serialised_without_what_is_absent() {
    let facts = facts(
        "Date: Mon, 23 Nov 2026 09:14:07 GMT\nretry-after: 2\nx-ratelimit-limit-requests: -1",
    );
    let json = serde_json::to_string(&facts).unwrap();
    assert_eq!(
        json,
        r#"{"date":"2026-11-23T09:14:07Z","limits":[{"what":"requests","limit":null,"fields":["x-ratelimit-limit-requests"]}],"retry":{"after":{"field":"retry-after","text":"2","form":"seconds","after_micros":2000000,"at":"2026-11-23T09:14:09Z"}},"fields":["Date","retry-after","x-ratelimit-limit-requests"]}"#
    );
    assert_eq!(
        serde_json::to_string(&ServiceFacts::default()).unwrap(),
        "{}"
    );
}

#[test]
fn bounded() {
    let head: String = (0..10_000).fold(String::new(), |head, n| {
        head + &format!("x-ratelimit-limit-a{n}: 1\n")
    });
    let facts = facts(&head);
    assert_eq!(facts.limits.len(), facts::MAX_LIMITS);
    assert_eq!(facts.unread.len(), 10_000 - facts::MAX_LIMITS);
}

proptest::proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(0u8.., 0..200)) {
        crate::sdk::fuzz(&bytes);
    }

    #[test]
    fn any_words(lines in proptest::collection::vec((
        proptest::sample::select(vec![
            "date", "retry-after", "retry-after-ms", "x-should-retry", "ratelimit", "ratelimit-policy",
            "x-ratelimit-reset", "x-ratelimit-limit-tokens", "server-timing", "cf-ray", "llm_provider-x-ratelimit-reset",
        ]),
        "[0-9a-z;,.=\" :TZ-]{0,24}|[0-9]{1,22}(\\.[0-9]{0,9})?(ms|s|m|h)?",
    ), 0..6)) {
        let text: Vec<String> = lines.iter().map(|(name, value)| format!("{name}:{value}")).collect();
        crate::sdk::fuzz(text.join("\n").as_bytes());
    }
}

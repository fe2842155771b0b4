//! The fields of responses, other than limits, whose meaning is known: ids, places, accounts, times.

use serde::Serialize;

use super::value::{self, MILLI, SECOND, split};

/// What a field tells.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The provider's id of the request: what its support asks for.
    RequestId,
    /// The id that a gateway before the provider gave.
    GatewayId,
    /// The id of what was generated.
    GenerationId,
    /// The id of a trace through the provider's services.
    TraceId,
    /// The id that the edge network gave.
    EdgeId,
    /// The id that the client gave, told back.
    ClientId,
    /// The site of the edge network, mostly as the code of an airport.
    Site,
    /// The region that served.
    Region,
    /// The software that answered.
    Server,
    /// Proxies on the way (RFC 9110, 7.6.3).
    Via,
    /// Whether a cache on the way answered.
    CacheStatus,
    /// Who pays: identifies, mask before it is shown.
    Organization,
    /// A part of who pays: identifies, mask before it is shown.
    Project,
    /// The model that really served.
    Model,
    /// The deployment that served.
    Deployment,
    /// The provider behind a gateway.
    Provider,
    /// The version of the API or of the gateway.
    Version,
    /// Which rule limited, or something else about limits.
    Policy,
    /// What it cost in dollars, as the sender reckons.
    Cost,
    /// Tokens of the prompt.
    PromptTokens,
    /// Tokens of the prompt that came from a cache.
    CachedTokens,
    /// How busy a reserved deployment is.
    Utilization,
    /// How often a gateway tried again, or elsewhere.
    Attempts,
}

/// What part of the work a time is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// The provider's own: until the head for OpenAI, even where a stream follows.
    Processing,
    /// Until the first token.
    FirstToken,
    /// The model's.
    Model,
    /// What a proxy waited for the service behind it.
    Upstream,
    /// What a gateway added.
    Overhead,
    /// From end to end.
    Total,
    /// A metric with a name of its own.
    Metric,
}

/// A time that the server measured.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ServerTime {
    /// Of what.
    pub work: Work,
    /// The metric's name, in `server-timing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Microseconds.
    pub micros: u64,
    /// The name of the field, as spelled.
    pub field: String,
}

/// How a field is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reading {
    /// Its value is the fact.
    Plain(Kind),
    /// `<id>-<site>`.
    Ray,
    /// A number of milliseconds.
    Millis(Work),
    /// A number of seconds.
    Seconds(Work),
    /// W3C Server Timing.
    Timing,
}

/// How the field of that name (in small letters) is read.
pub(super) fn reading(name: &str) -> Option<Reading> {
    let known = KNOWN.iter().find(|(known, _)| *known == name);
    known
        .map(|(_, reading)| *reading)
        .or_else(|| by_ending(name))
}

/// Any `…-duration-ms` is a time, whoever invents it.
fn by_ending(name: &str) -> Option<Reading> {
    let stem = name.strip_suffix("-ms")?;
    let words = ["time", "duration", "latency", "processing", "e2e"];
    words
        .iter()
        .any(|word| stem.contains(word))
        .then_some(Reading::Millis(Work::Metric))
}

/// Reads times; empty if there is none in the value.
pub(super) fn times(reading: Reading, field: &str, value: &str) -> Vec<ServerTime> {
    let time = |work, metric: Option<&str>, micros| ServerTime {
        work,
        metric: metric.map(str::to_owned),
        micros,
        field: field.to_owned(),
    };
    let one = |work, unit| {
        // `5ms` is read as well as `5`.
        value::scaled(value.trim(), unit)
            .or_else(|| value::go_duration(value.trim()))
            .map(|micros| time(work, None, micros))
            .into_iter()
            .collect()
    };
    match reading {
        Reading::Millis(work) => one(work, MILLI),
        Reading::Seconds(work) => one(work, SECOND),
        Reading::Timing => split(value, ',')
            .filter_map(|metric| {
                let mut parts = split(metric, ';');
                let name = parts.next()?;
                let millis = parts.find_map(|part| {
                    let (key, value) = part.split_once('=')?;
                    key.trim()
                        .eq_ignore_ascii_case("dur")
                        .then(|| value.trim().trim_matches('"'))
                });
                Some(time(
                    Work::Metric,
                    Some(name),
                    value::scaled(millis?, MILLI)?,
                ))
            })
            .collect(),
        Reading::Plain(_) | Reading::Ray => Vec::new(),
    }
}

/// The site at the end of a `cf-ray`.
pub(super) fn site(ray: &str) -> Option<&str> {
    let (_, site) = ray.rsplit_once('-')?;
    let is_code = site.len() == 3 && site.bytes().all(|byte| byte.is_ascii_uppercase());
    is_code.then_some(site)
}

const KNOWN: &[(&str, Reading)] = {
    use Kind::*;
    use Reading::{Millis, Plain, Ray, Seconds, Timing};
    &[
        ("x-request-id", Plain(RequestId)),
        ("request-id", Plain(RequestId)),
        ("mistral-correlation-id", Plain(RequestId)),
        ("inference-id", Plain(RequestId)),
        ("x-amzn-requestid", Plain(RequestId)),
        ("x-goog-request-id", Plain(RequestId)),
        ("apim-request-id", Plain(GatewayId)),
        ("x-litellm-call-id", Plain(GatewayId)),
        ("x-kong-request-id", Plain(GatewayId)),
        ("x-generation-id", Plain(GenerationId)),
        ("x-ds-trace-id", Plain(TraceId)),
        ("x-amzn-trace-id", Plain(TraceId)),
        ("x-cloud-trace-context", Plain(TraceId)),
        ("traceresponse", Plain(TraceId)),
        ("cf-ray", Ray),
        ("x-amz-cf-id", Plain(EdgeId)),
        ("x-ms-client-request-id", Plain(ClientId)),
        ("x-client-request-id", Plain(ClientId)),
        ("x-amz-cf-pop", Plain(Site)),
        ("x-served-by", Plain(Site)),
        ("x-ms-region", Plain(Region)),
        ("x-groq-region", Plain(Region)),
        ("server", Plain(Server)),
        ("via", Plain(Via)),
        ("cf-cache-status", Plain(CacheStatus)),
        ("openai-organization", Plain(Organization)),
        ("anthropic-organization-id", Plain(Organization)),
        ("openai-project", Plain(Project)),
        ("anthropic-workspace-id", Plain(Project)),
        ("x-ms-served-model", Plain(Model)),
        ("x-litellm-model-name", Plain(Model)),
        ("x-ms-deployment-name", Plain(Deployment)),
        ("azureml-model-session", Plain(Deployment)),
        ("azureml-served-by-cluster", Plain(Deployment)),
        ("x-litellm-model-id", Plain(Deployment)),
        ("x-litellm-model-api-base", Plain(Provider)),
        ("x-provider-name", Plain(Provider)),
        ("openai-version", Plain(Version)),
        ("x-openai-proxy-wasm", Plain(Version)),
        ("x-litellm-version", Plain(Version)),
        ("policy-id", Plain(Policy)),
        ("x-ms-throttle-scope", Plain(Policy)),
        ("x-litellm-response-cost", Plain(Cost)),
        ("fireworks-prompt-tokens", Plain(PromptTokens)),
        ("fireworks-cached-prompt-tokens", Plain(CachedTokens)),
        ("azure-openai-deployment-utilization", Plain(Utilization)),
        ("x-litellm-attempted-retries", Plain(Attempts)),
        ("x-litellm-attempted-fallbacks", Plain(Attempts)),
        ("openai-processing-ms", Millis(Work::Processing)),
        ("ms-azureml-model-time", Millis(Work::Model)),
        ("cmp-upstream-response-duration", Millis(Work::Upstream)),
        ("x-envoy-upstream-service-time", Millis(Work::Upstream)),
        ("x-kong-upstream-latency", Millis(Work::Upstream)),
        ("x-kong-proxy-latency", Millis(Work::Overhead)),
        ("x-kong-response-latency", Millis(Work::Total)),
        ("x-litellm-overhead-duration-ms", Millis(Work::Overhead)),
        ("x-litellm-response-duration-ms", Millis(Work::Total)),
        ("x-metrics-e2e-ms", Millis(Work::Total)),
        (
            "fireworks-server-time-to-first-token",
            Seconds(Work::FirstToken),
        ),
        (
            "fireworks-server-processing-time",
            Seconds(Work::Processing),
        ),
        ("server-timing", Timing),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_their_units() {
        let case = |field: &str, value: &str, expected: &[(Work, Option<&str>, u64)]| {
            let got = times(reading(field).unwrap(), field, value);
            let got: Vec<_> = got
                .iter()
                .map(|time| (time.work, time.metric.as_deref(), time.micros))
                .collect();
            assert_eq!(got, expected, "{field}");
        };
        case(
            "openai-processing-ms",
            "188",
            &[(Work::Processing, None, 188_000)],
        );
        case(
            "x-envoy-upstream-service-time",
            "402",
            &[(Work::Upstream, None, 402_000)],
        );
        case(
            "x-litellm-overhead-duration-ms",
            "6.6319",
            &[(Work::Overhead, None, 6_631)],
        );
        case(
            "x-litellm-callback-duration-ms",
            "0.0",
            &[(Work::Metric, None, 0)],
        );
        case(
            "fireworks-server-time-to-first-token",
            "0.125",
            &[(Work::FirstToken, None, 125_000)],
        );
        case(
            "server-timing",
            "proxy;dur=418",
            &[(Work::Metric, Some("proxy"), 418_000)],
        );
        case(
            "server-timing",
            "gfet4t7; dur=911",
            &[(Work::Metric, Some("gfet4t7"), 911_000)],
        );
        case(
            "server-timing",
            r#"cache;desc="a, b;dur=1", db;desc=x;dur=53.2, miss"#,
            &[(Work::Metric, Some("db"), 53_200)],
        );
        case("openai-processing-ms", "soon", &[]);
        assert!(reading("x-open-ms").is_none());
    }

    #[test]
    fn sites() {
        assert_eq!(site("e57b784c1fbaad86-ZRH"), Some("ZRH"));
        for none in ["e57b784c1fbaad86", "", "-", "a-zrh", "-ZÜR"] {
            assert_eq!(site(none), None, "{none}");
        }
    }
}

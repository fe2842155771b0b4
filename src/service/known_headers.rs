//! The fields of responses, other than limits, whose meaning is known: ids, places, accounts, times.

use serde::Serialize;

use super::value::{self, MICROS_PER_MILLI, MICROS_PER_SECOND, split_unquoted};

/// Meaning of a response header field that the service set.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderMeaning {
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
    /// The id that the client sent, repeated.
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
    /// The rule that limited the request, or another note about limits.
    Policy,
    /// Cost of the request in US dollars, by the sender's count.
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

/// Part of the work that a server time measures.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerTimeKind {
    /// The provider's processing time; for OpenAI until the response head, even if a stream follows.
    Processing,
    /// Time until the first token.
    FirstToken,
    /// Time of the model.
    Model,
    /// Time that a proxy waited for the service behind it.
    Upstream,
    /// Time that a gateway added.
    Overhead,
    /// Time of the whole request.
    Total,
    /// A metric with a name of its own.
    Metric,
}

/// A time that the server measured and sent in the head.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ServerTime {
    /// Part of the work that was measured.
    pub work: ServerTimeKind,
    /// The metric's name, in `server-timing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Duration in microseconds.
    pub micros: u64,
    /// The name of the field, as spelled.
    pub field: String,
}

/// The format of a known field's value, which decides how it is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum HeaderValueFormat {
    /// The whole value is the fact.
    Plain(HeaderMeaning),
    /// `<id>-<site>`.
    CfRay,
    /// A number of milliseconds.
    Millis(ServerTimeKind),
    /// A number of seconds.
    Seconds(ServerTimeKind),
    /// W3C Server Timing.
    ServerTiming,
}

/// How the field of that name (in small letters) is read.
pub(super) fn header_format(name: &str) -> Option<HeaderValueFormat> {
    let known = KNOWN_HEADERS.iter().find(|(known, _)| *known == name);
    known
        .map(|(_, reading)| *reading)
        .or_else(|| format_by_suffix(name))
}

/// Any field that ends with `-duration-ms` is a time, also if the provider is not known.
fn format_by_suffix(name: &str) -> Option<HeaderValueFormat> {
    let stem = name.strip_suffix("-ms")?;
    let words = ["time", "duration", "latency", "processing", "e2e"];
    words
        .iter()
        .any(|word| stem.contains(word))
        .then_some(HeaderValueFormat::Millis(ServerTimeKind::Metric))
}

/// Reads times; empty if there is none in the value.
pub(super) fn parse_times(reading: HeaderValueFormat, field: &str, value: &str) -> Vec<ServerTime> {
    let time = |work, metric: Option<&str>, micros| ServerTime {
        work,
        metric: metric.map(str::to_owned),
        micros,
        field: field.to_owned(),
    };
    let one = |work, unit| {
        // `5ms` is read as well as `5`.
        value::parse_scaled(value.trim(), unit)
            .or_else(|| value::parse_go_duration(value.trim()))
            .map(|micros| time(work, None, micros))
            .into_iter()
            .collect()
    };
    match reading {
        HeaderValueFormat::Millis(work) => one(work, MICROS_PER_MILLI),
        HeaderValueFormat::Seconds(work) => one(work, MICROS_PER_SECOND),
        HeaderValueFormat::ServerTiming => split_unquoted(value, ',')
            .filter_map(|metric| {
                let mut parts = split_unquoted(metric, ';');
                let name = parts.next()?;
                let millis = parts.find_map(|part| {
                    let (key, value) = part.split_once('=')?;
                    key.trim()
                        .eq_ignore_ascii_case("dur")
                        .then(|| value.trim().trim_matches('"'))
                });
                Some(time(
                    ServerTimeKind::Metric,
                    Some(name),
                    value::parse_scaled(millis?, MICROS_PER_MILLI)?,
                ))
            })
            .collect(),
        HeaderValueFormat::Plain(_) | HeaderValueFormat::CfRay => Vec::new(),
    }
}

/// The site at the end of a `cf-ray`.
pub(super) fn cf_ray_site(ray: &str) -> Option<&str> {
    let (_, site) = ray.rsplit_once('-')?;
    let is_code = site.len() == 3 && site.bytes().all(|byte| byte.is_ascii_uppercase());
    is_code.then_some(site)
}

const KNOWN_HEADERS: &[(&str, HeaderValueFormat)] = {
    use HeaderMeaning::*;
    use HeaderValueFormat::{CfRay, Millis, Plain, Seconds, ServerTiming};
    use ServerTimeKind as Work;
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
        ("cf-ray", CfRay),
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
        ("server-timing", ServerTiming),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_their_units() {
        let case = |field: &str, value: &str, expected: &[(ServerTimeKind, Option<&str>, u64)]| {
            let got = parse_times(header_format(field).unwrap(), field, value);
            let got: Vec<_> = got
                .iter()
                .map(|time| (time.work, time.metric.as_deref(), time.micros))
                .collect();
            assert_eq!(got, expected, "{field}");
        };
        case(
            "openai-processing-ms",
            "188",
            &[(ServerTimeKind::Processing, None, 188_000)],
        );
        case(
            "x-envoy-upstream-service-time",
            "402",
            &[(ServerTimeKind::Upstream, None, 402_000)],
        );
        case(
            "x-litellm-overhead-duration-ms",
            "6.6319",
            &[(ServerTimeKind::Overhead, None, 6_631)],
        );
        case(
            "x-litellm-callback-duration-ms",
            "0.0",
            &[(ServerTimeKind::Metric, None, 0)],
        );
        case(
            "fireworks-server-time-to-first-token",
            "0.125",
            &[(ServerTimeKind::FirstToken, None, 125_000)],
        );
        case(
            "server-timing",
            "proxy;dur=418",
            &[(ServerTimeKind::Metric, Some("proxy"), 418_000)],
        );
        case(
            "server-timing",
            "gfet4t7; dur=911",
            &[(ServerTimeKind::Metric, Some("gfet4t7"), 911_000)],
        );
        case(
            "server-timing",
            r#"cache;desc="a, b;dur=1", db;desc=x;dur=53.2, miss"#,
            &[(ServerTimeKind::Metric, Some("db"), 53_200)],
        );
        case("openai-processing-ms", "soon", &[]);
        assert!(header_format("x-open-ms").is_none());
    }

    #[test]
    fn sites() {
        assert_eq!(cf_ray_site("e57b784c1fbaad86-ZRH"), Some("ZRH"));
        for none in ["e57b784c1fbaad86", "", "-", "a-zrh", "-ZÜR"] {
            assert_eq!(cf_ray_site(none), None, "{none}");
        }
    }
}

//! Noise: differences that two equal calls have as well, such as ids and dates. A table of rules, each a place and
//! its reason; the user (`--ignore`) and a baseline of several exchanges (`baseline`) add to it.

use serde::{Serialize, Serializer};

use super::change::{ChangeKind, DiffChange, DiffLayer};

/// A rule: places that are noise, and why.
#[derive(Clone, Debug)]
pub struct NoiseRule {
    /// The layer in which the rule holds; `None` for all.
    pub layer: Option<DiffLayer>,
    /// A pattern of places: `*` matches any characters within one step of a path, `**` any number of steps.
    pub place_pattern: String,
    /// Why differences there are noise.
    pub reason: NoiseReason,
}

impl NoiseRule {
    /// The rule of one `--ignore PATH`, for every layer.
    pub fn from_user(places: &str) -> Self {
        // A path in a body may be a JSON Pointer or written with dots, as for `--set`.
        let is_name = places.starts_with('/') || !places.contains(['.', '[']);
        let pointer = match crate::json::ValuePath::parse(places) {
            Ok(path) if !is_name => path.to_string(),
            _ => places.to_owned(),
        };
        Self {
            layer: None,
            place_pattern: pointer,
            reason: NoiseReason::IgnoredByUser,
        }
    }
}

/// Why a difference is noise. Code decides by the value; its text is made for people and for JSON.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NoiseReason {
    /// Ids of calls, responses and traces.
    NewId,
    /// Dates, times of day and ages.
    Clock,
    /// Remaining requests or tokens of a rate limit, and when it resets.
    LimitRemaining,
    /// Durations.
    TimeVaries,
    /// Fields that a CDN or gateway adds.
    EdgeMark,
    /// Sizes and counts that depend on how long the answer is.
    AnswerLength,
    /// Our own address and port.
    LocalEnd,
    /// Random padding that hides the sizes of events.
    Padding,
    /// The `system_fingerprint` of the configuration that served the call.
    ServerFingerprint,
    /// The order in which DNS returned the addresses.
    AddressOrder,
    /// The version of `wire` that captured the exchange.
    ToolVersion,
    /// The verb of `wire` that captured the exchange.
    CapturingVerb,
    /// A length that depends on the body.
    BodyLength,
    /// Sizes of reads.
    ReadSizes,
    /// Comments and pings that a server sends while it works.
    KeepAlive,
    /// The user's own rule (`--ignore`).
    IgnoredByUser,
    /// The value varies in the baseline too (`--noise`).
    VariesInBaseline,
}

impl NoiseReason {
    /// The reason in words, as reports and JSON show it.
    pub fn text(self) -> &'static str {
        match self {
            Self::NewId => "ids are new each time",
            Self::Clock => "dates and clocks go on",
            Self::LimitRemaining => "what is left of a limit counts down",
            Self::TimeVaries => "times differ between any two calls",
            Self::EdgeMark => "the edge's own marks",
            Self::AnswerLength => "follows from the length of the answer",
            Self::LocalEnd => "our own end of the connection",
            Self::Padding => "padding against traffic analysis",
            Self::ServerFingerprint => "the configuration that served changes without notice",
            Self::AddressOrder => "an order of addresses that changes",
            Self::ToolVersion => "which version of wire looked on",
            Self::CapturingVerb => "which verb of wire looked on",
            Self::BodyLength => "follows from the body",
            Self::ReadSizes => "how the network cut the stream",
            Self::KeepAlive => "signs of life follow from time",
            Self::IgnoredByUser => "--ignore",
            Self::VariesInBaseline => "varies in the baseline",
        }
    }

    /// Returns whether a baseline can have a usual range for values that differ for this reason: durations and
    /// sizes. Dates and ids have none.
    pub(super) fn has_usual_range(self) -> bool {
        matches!(self, Self::TimeVaries | Self::AnswerLength)
    }

    /// Returns whether the place may also be absent from one of two equal calls. An id that only one of two servers
    /// sends is a difference.
    fn may_be_absent(self, layer: DiffLayer) -> bool {
        let by_reason = matches!(
            self,
            Self::EdgeMark | Self::AnswerLength | Self::LocalEnd | Self::IgnoredByUser
        );
        layer == Timing || by_reason
    }
}

impl Serialize for NoiseReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

use DiffLayer::{Body, Connection, Framing, Head, Meaning, Request, Stream, Timing};

use NoiseReason::{
    AddressOrder, AnswerLength, BodyLength, CapturingVerb, Clock, EdgeMark, KeepAlive,
    LimitRemaining, LocalEnd, NewId, Padding, ReadSizes, ServerFingerprint, TimeVaries,
    ToolVersion,
};

/// The built-in rules: layer, pattern of places, reason.
pub const NOISE_TABLE: &[(DiffLayer, &str, NoiseReason)] = &[
    (Connection, "own address", LocalEnd),
    (Connection, "addresses", AddressOrder),
    (Connection, "tool", ToolVersion),
    (Connection, "via", CapturingVerb),
    // SDKs make these anew for each call.
    (Request, "idempotency-key", NewId),
    (Request, "x-client-request-id", NewId),
    (Request, "x-request-id", NewId),
    (Request, "traceparent", NewId),
    (Request, "tracestate", NewId),
    (Request, "baggage", NewId),
    (Request, "sentry-trace", NewId),
    (Request, "content-length", BodyLength),
    (Head, "date", Clock),
    (Head, "expires", Clock),
    (Head, "last-modified", Clock),
    (Head, "age", Clock),
    (Head, "content-length", BodyLength),
    (Head, "etag", NewId),
    (Head, "*request-id", NewId),
    (Head, "*requestid", NewId),
    (Head, "*request_id", NewId),
    (Head, "*trace-id", NewId),
    (Head, "*call-id", NewId),
    (Head, "*generation-id", NewId),
    (Head, "traceparent", NewId),
    (Head, "x-cloud-trace-context", NewId),
    (Head, "x-inference-id", NewId),
    (Head, "cf-ray", EdgeMark),
    (Head, "set-cookie*", EdgeMark),
    (Head, "nel*", EdgeMark),
    (Head, "report-to*", EdgeMark),
    (Head, "alt-svc*", EdgeMark),
    (Head, "via*", EdgeMark),
    (Head, "x-served-by", EdgeMark),
    (Head, "x-timer", EdgeMark),
    (Head, "*remaining*", LimitRemaining),
    (Head, "*ratelimit*reset*", LimitRemaining),
    (Head, "ratelimit", LimitRemaining),
    (Head, "*utilization", LimitRemaining),
    (Head, "*processing*-ms", TimeVaries),
    (Head, "*e2e*-ms", TimeVaries),
    (Head, "*time*-ms", TimeVaries),
    (Head, "*duration*", TimeVaries),
    (Head, "*latency*", TimeVaries),
    (Head, "*processing-time*", TimeVaries),
    (Head, "*upstream-service-time", TimeVaries),
    (Head, "x-response-time", TimeVaries),
    (Head, "x-runtime", TimeVaries),
    (Head, "server-timing", TimeVaries),
    (Framing, "reads", ReadSizes),
    (Framing, "* chunks", AnswerLength),
    (Framing, "* chunk sizes", AnswerLength),
    (Framing, "* bytes of body", AnswerLength),
    (Framing, "decoded bytes", AnswerLength),
    (Body, "/id", NewId),
    (Body, "/created", Clock),
    (Body, "/created_at", Clock),
    (Body, "/completed_at", Clock),
    (Body, "/system_fingerprint", ServerFingerprint),
    (Body, "/**/obfuscation", Padding),
    (Body, "/responseId", NewId),
    (Body, "/createTime", Clock),
    (Body, "/request_id", NewId),
    (Body, "/choices/*/message/tool_calls/*/id", NewId),
    (Body, "/choices/*/delta/tool_calls/*/id", NewId),
    (Body, "/choices/*/message/audio/id", NewId),
    (Body, "/choices/*/message/audio/expires_at", Clock),
    (Body, "/x_groq/id", NewId),
    (Body, "/usage/*_time", TimeVaries),
    (Body, "/timings/**", TimeVaries),
    (Body, "/*_duration", TimeVaries),
    // Responses.
    (Body, "/output/*/id", NewId),
    (Body, "/output/*/call_id", NewId),
    (Body, "/output/*/encrypted_content", NewId),
    (Body, "/item_id", NewId),
    (Body, "/item/id", NewId),
    (Body, "/item/call_id", NewId),
    (Body, "/response/id", NewId),
    (Body, "/response/created_at", Clock),
    (Body, "/response/completed_at", Clock),
    (Body, "/response/output/*/id", NewId),
    (Body, "/response/output/*/call_id", NewId),
    // Anthropic.
    (Body, "/message/id", NewId),
    (Body, "/content/*/id", NewId),
    (Body, "/content/*/signature", NewId),
    (Body, "/content_block/id", NewId),
    // Gemini.
    (
        Body,
        "/candidates/*/content/parts/*/thoughtSignature",
        NewId,
    ),
    (Stream, "events", AnswerLength),
    (Stream, "comments and pings", KeepAlive),
    (Stream, "run *", AnswerLength),
    (Meaning, "id", NewId),
    (Meaning, "*tool call * id", NewId),
    (Meaning, "system fingerprint", ServerFingerprint),
    (Timing, "**", TimeVaries),
];

/// Returns the built-in rules, then the user's own.
pub fn noise_rules(own: &[String]) -> Vec<NoiseRule> {
    let table = NOISE_TABLE.iter().map(|(layer, places, why)| NoiseRule {
        layer: Some(*layer),
        place_pattern: (*places).to_owned(),
        reason: *why,
    });
    table
        .chain(own.iter().map(|places| NoiseRule::from_user(places)))
        .collect()
}

/// Sets `noise` of a change that a rule matches.
pub(super) fn mark_noise(layer: DiffLayer, change: &mut DiffChange, rules: &[NoiseRule]) {
    let rule = rules.iter().find(|rule| {
        let here = rule.layer.is_none_or(|own| own == layer);
        here && pattern_matches(&rule.place_pattern, &change.at)
    });
    let lone = matches!(change.what, ChangeKind::Added | ChangeKind::Removed);
    if let Some(rule) = rule.filter(|rule| !lone || rule.reason.may_be_absent(layer)) {
        change.noise = Some(rule.reason);
    }
}

/// Returns whether `pattern` matches the place `at` or a place that contains it.
pub(super) fn pattern_matches(pattern: &str, at: &str) -> bool {
    // A quick exit: there may be very many places, and most rules differ from them in the first step.
    let steps = (pattern.split('/').nth(1), at.split('/').nth(1));
    if let (Some(step), Some(segment)) = steps
        && pattern.starts_with('/')
        && !step.contains('*')
        && !step_matches(step, segment)
        && !step_matches(step, strip_qualifiers(segment))
    {
        return false;
    }
    let pattern: Vec<_> = pattern.split('/').collect();
    let at: Vec<_> = at.split('/').collect();
    // `reached[n]`: the steps of the pattern so far match the first n steps of `at`.
    let mut reached = vec![false; at.len().saturating_add(1)];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for step in pattern {
        let mut next = vec![false; reached.len()];
        let mut within = false;
        for (n, here) in reached.iter().enumerate() {
            within |= *here;
            if step == "**" && within {
                set_flag(&mut next, n);
            }
            let fits = at.get(n).is_some_and(|segment| {
                step_matches(step, segment) || step_matches(step, strip_qualifiers(segment))
            });
            if *here && step != "**" && fits {
                set_flag(&mut next, n.saturating_add(1));
            }
        }
        reached = next;
    }
    reached.iter().skip(1).any(|reached| *reached)
}

fn set_flag(flags: &mut [bool], n: usize) {
    if let Some(flag) = flags.get_mut(n) {
        *flag = true;
    }
}

/// Returns a step without its suffix: ` (1 of 2)` and ` (2)` (one of several equal names), ` (key)` (the key itself),
/// `:` (a pointer into JSON inside the string follows).
fn strip_qualifiers(segment: &str) -> &str {
    let counts = |text: &str| {
        let mut chars = text.chars();
        !text.is_empty() && chars.all(|char| char.is_ascii_digit() || " of".contains(char))
    };
    let said = segment
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once(" ("));
    let segment = match said {
        Some((before, said)) if said == "key" || counts(said) => before,
        _ => segment,
    };
    segment.strip_suffix(':').unwrap_or(segment)
}

/// Returns whether one step matches: `*` matches any characters.
fn step_matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        match rest.find(piece) {
            Some(at) => rest = rest.get(at.saturating_add(piece.len())..).unwrap_or(""),
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_to_wait_or_what_failed_is_no_noise() {
        let marked = |at: &str| {
            let value =
                |text: &str| Some(super::super::change::DiffValue::Text(text.to_owned()).into());
            let mut change = DiffChange::new(at, ChangeKind::Changed, value("1"), value("2"));
            mark_noise(Head, &mut change, &noise_rules(&[]));
            change.noise.is_some()
        };
        for at in ["retry-after", "retry-after-ms", "x-amzn-errortype"] {
            assert!(!marked(at), "{at}");
        }
        let noise = [
            "openai-processing-ms",
            "x-metrics-e2e-ms",
            "x-litellm-response-duration-ms",
            "x-amzn-requestid",
            "x-amzn-trace-id",
        ];
        for at in noise {
            assert!(marked(at), "{at}");
        }
    }

    #[test]
    fn places() {
        let case = |pattern: &str, at: &str, expected: bool| {
            assert_eq!(pattern_matches(pattern, at), expected, "{pattern} {at}");
        };
        case("/id", "/id", true);
        case("/id", "/idx", false);
        case("/id", "/a/id", false);
        case("/id", "/id/inside", true);
        case("/choices/*/message", "/choices/0/message", true);
        case("/choices/*/message", "/choices/0/delta", false);
        case("/**/obfuscation", "/obfuscation", true);
        case("/**/obfuscation", "/a/b/obfuscation", true);
        case("**/trace_id", "/a/trace_id", true);
        case("/timings/**", "/timings", true);
        case("/timings/**", "/timings/prompt_ms", true);
        case("/usage/*_time", "/usage/queue_time", true);
        case("/usage/*_time", "/usage/tokens", false);
        case("*remaining*", "x-ratelimit-remaining-tokens", true);
        case("*-ms", "openai-processing-ms", true);
        case("*-ms", "x-ms-region", false);
        case("*request-id", "request-id", true);
        case("**", "TTFT", true);
        case("run *", "run 3: content", true);
        case("*tool call * id", "choice 1 tool call 0 id", true);
        case("*tool call * id", "tool call 0", false);
        case("/a/arguments", "/a/arguments:/city", true);
        case("/a/arguments", "/a/arguments:", true);
        case("/a", "/a (1 of 2)", true);
        case("/a", "/a (key)", true);
        case("/a", "/a (old)", false);
        case("x-mine", "x-mine (2)", true);
    }
}

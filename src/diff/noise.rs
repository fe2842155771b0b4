//! What differs between any two exchanges and so says nothing: a table of places, each with the reason. It
//! can be extended, and a baseline of several exchanges tells more (`learn`).

use super::change::{ChangeKind, DiffChange, DiffLayer};

/// Places of one layer that are noise, and why.
#[derive(Clone, Debug)]
pub struct NoiseRule {
    /// In which layer; `None`: in any.
    pub layer: Option<DiffLayer>,
    /// Which places: `*` stands for any run of characters within a step of a path, `**` for any number of
    /// steps.
    pub place_pattern: String,
    /// Why it says nothing.
    pub reason: String,
}

impl NoiseRule {
    /// A rule of the user's own, for any layer.
    pub fn from_user(places: &str) -> Self {
        // A path in a body may be written with dots, as everywhere.
        let is_name = places.starts_with('/') || !places.contains(['.', '[']);
        let pointer = match crate::json::ValuePath::parse(places) {
            Ok(path) if !is_name => path.to_string(),
            _ => places.to_owned(),
        };
        Self {
            layer: None,
            place_pattern: pointer,
            reason: IGNORED_BY_USER.to_owned(),
        }
    }
}

/// The reason of the user's own rules.
pub(super) const IGNORED_BY_USER: &str = "--ignore";

const NEW_ID: &str = "ids are new each time";
const CLOCK: &str = "dates and clocks go on";
const LIMIT_REMAINING: &str = "what is left of a limit counts down";
const TIME_VARIES: &str = "times differ between any two calls";
const EDGE_MARKS: &str = "the edge's own marks";
const ANSWER_LENGTH: &str = "follows from the length of the answer";
const LOCAL_END: &str = "our own end of the connection";
const PADDING: &str = "padding against traffic analysis";
const SERVER_FINGERPRINT: &str = "the configuration that served changes without notice";

use DiffLayer::{Body, Connection, Framing, Head, Meaning, Request, Stream, Timing};

/// The table: layer, places, reason.
pub const NOISE_TABLE: &[(DiffLayer, &str, &str)] = &[
    (Connection, "own address", LOCAL_END),
    (
        Connection,
        "addresses",
        "an order of addresses that changes",
    ),
    (Connection, "tool", "which version of wire looked on"),
    (Connection, "via", "which verb of wire looked on"),
    // Made anew for each call by SDKs.
    (Request, "idempotency-key", NEW_ID),
    (Request, "x-client-request-id", NEW_ID),
    (Request, "x-request-id", NEW_ID),
    (Request, "traceparent", NEW_ID),
    (Request, "tracestate", NEW_ID),
    (Request, "baggage", NEW_ID),
    (Request, "sentry-trace", NEW_ID),
    (Request, "content-length", "follows from the body"),
    (Head, "date", CLOCK),
    (Head, "expires", CLOCK),
    (Head, "last-modified", CLOCK),
    (Head, "age", CLOCK),
    (Head, "content-length", "follows from the body"),
    (Head, "etag", NEW_ID),
    (Head, "*request-id", NEW_ID),
    (Head, "*requestid", NEW_ID),
    (Head, "*request_id", NEW_ID),
    (Head, "*trace-id", NEW_ID),
    (Head, "*call-id", NEW_ID),
    (Head, "*generation-id", NEW_ID),
    (Head, "traceparent", NEW_ID),
    (Head, "x-cloud-trace-context", NEW_ID),
    (Head, "x-inference-id", NEW_ID),
    (Head, "cf-ray", EDGE_MARKS),
    (Head, "set-cookie*", EDGE_MARKS),
    (Head, "nel*", EDGE_MARKS),
    (Head, "report-to*", EDGE_MARKS),
    (Head, "alt-svc*", EDGE_MARKS),
    (Head, "via*", EDGE_MARKS),
    (Head, "x-served-by", EDGE_MARKS),
    (Head, "x-timer", EDGE_MARKS),
    (Head, "*remaining*", LIMIT_REMAINING),
    (Head, "*ratelimit*reset*", LIMIT_REMAINING),
    (Head, "ratelimit", LIMIT_REMAINING),
    (Head, "*utilization", LIMIT_REMAINING),
    (Head, "*processing*-ms", TIME_VARIES),
    (Head, "*e2e*-ms", TIME_VARIES),
    (Head, "*time*-ms", TIME_VARIES),
    (Head, "*duration*", TIME_VARIES),
    (Head, "*latency*", TIME_VARIES),
    (Head, "*processing-time*", TIME_VARIES),
    (Head, "*upstream-service-time", TIME_VARIES),
    (Head, "x-response-time", TIME_VARIES),
    (Head, "x-runtime", TIME_VARIES),
    (Head, "server-timing", TIME_VARIES),
    (Framing, "reads", "how the network cut the stream"),
    (Framing, "* chunks", ANSWER_LENGTH),
    (Framing, "* chunk sizes", ANSWER_LENGTH),
    (Framing, "* bytes of body", ANSWER_LENGTH),
    (Framing, "decoded bytes", ANSWER_LENGTH),
    (Body, "/id", NEW_ID),
    (Body, "/created", CLOCK),
    (Body, "/created_at", CLOCK),
    (Body, "/completed_at", CLOCK),
    (Body, "/system_fingerprint", SERVER_FINGERPRINT),
    (Body, "/**/obfuscation", PADDING),
    (Body, "/responseId", NEW_ID),
    (Body, "/createTime", CLOCK),
    (Body, "/request_id", NEW_ID),
    (Body, "/choices/*/message/tool_calls/*/id", NEW_ID),
    (Body, "/choices/*/delta/tool_calls/*/id", NEW_ID),
    (Body, "/choices/*/message/audio/id", NEW_ID),
    (Body, "/choices/*/message/audio/expires_at", CLOCK),
    (Body, "/x_groq/id", NEW_ID),
    (Body, "/usage/*_time", TIME_VARIES),
    (Body, "/timings/**", TIME_VARIES),
    (Body, "/*_duration", TIME_VARIES),
    // Responses.
    (Body, "/output/*/id", NEW_ID),
    (Body, "/output/*/call_id", NEW_ID),
    (Body, "/output/*/encrypted_content", NEW_ID),
    (Body, "/item_id", NEW_ID),
    (Body, "/item/id", NEW_ID),
    (Body, "/item/call_id", NEW_ID),
    (Body, "/response/id", NEW_ID),
    (Body, "/response/created_at", CLOCK),
    (Body, "/response/completed_at", CLOCK),
    (Body, "/response/output/*/id", NEW_ID),
    (Body, "/response/output/*/call_id", NEW_ID),
    // Anthropic.
    (Body, "/message/id", NEW_ID),
    (Body, "/content/*/id", NEW_ID),
    (Body, "/content/*/signature", NEW_ID),
    (Body, "/content_block/id", NEW_ID),
    // Gemini.
    (
        Body,
        "/candidates/*/content/parts/*/thoughtSignature",
        NEW_ID,
    ),
    (Stream, "events", ANSWER_LENGTH),
    (
        Stream,
        "comments and pings",
        "signs of life follow from time",
    ),
    (Stream, "run *", ANSWER_LENGTH),
    (Meaning, "id", NEW_ID),
    (Meaning, "*tool call * id", NEW_ID),
    (Meaning, "system fingerprint", SERVER_FINGERPRINT),
    (Timing, "**", TIME_VARIES),
];

/// The rules of the table, then those of the user's own.
pub fn noise_rules(own: &[String]) -> Vec<NoiseRule> {
    let table = NOISE_TABLE.iter().map(|(layer, places, why)| NoiseRule {
        layer: Some(*layer),
        place_pattern: (*places).to_owned(),
        reason: (*why).to_owned(),
    });
    table
        .chain(own.iter().map(|places| NoiseRule::from_user(places)))
        .collect()
}

/// Whether noise of that reason has a size that a baseline can tell the usual range of. A date or an id that
/// differs never says anything.
pub(super) fn has_usual_range(why: &str) -> bool {
    [TIME_VARIES, ANSWER_LENGTH].contains(&why)
}

/// Whether what is noise for that reason may also be missing in one of two exchanges that are alike. That one server
/// gives an id and the other none is a difference.
fn may_be_absent(layer: DiffLayer, why: &str) -> bool {
    layer == Timing || [EDGE_MARKS, ANSWER_LENGTH, LOCAL_END, IGNORED_BY_USER].contains(&why)
}

/// Marks a change that a rule calls noise.
pub(super) fn mark_noise(layer: DiffLayer, change: &mut DiffChange, rules: &[NoiseRule]) {
    let rule = rules.iter().find(|rule| {
        let here = rule.layer.is_none_or(|own| own == layer);
        here && pattern_matches(&rule.place_pattern, &change.at)
    });
    let lone = matches!(change.what, ChangeKind::Added | ChangeKind::Removed);
    if let Some(rule) = rule.filter(|rule| !lone || may_be_absent(layer, &rule.reason)) {
        change.noise = Some(rule.reason.clone());
    }
}

/// Whether `pattern` means the place `at`. What lies inside a place is meant with it.
pub(super) fn pattern_matches(pattern: &str, at: &str) -> bool {
    // Most rules begin elsewhere, and there may be very many places.
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
    // Which beginnings of `at` the steps of the pattern so far can mean.
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

/// A step without what is said behind it: which of several it is, that its key is meant, that a pointer into the
/// JSON of the string follows.
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

/// Whether one step fits: `*` stands for any run of characters.
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

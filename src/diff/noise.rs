//! What differs between any two exchanges and so says nothing: a table of places, each with the reason. It
//! can be extended, and a baseline of several exchanges tells more (`learn`).

use super::change::{Change, Layer, What};

/// Places of one layer that are noise, and why.
#[derive(Clone, Debug)]
pub struct Rule {
    /// In which layer; `None`: in any.
    pub layer: Option<Layer>,
    /// Which places: `*` stands for any run of characters within a step of a path, `**` for any number of
    /// steps.
    pub places: String,
    /// Why it says nothing.
    pub why: String,
}

impl Rule {
    /// A rule of the user's own, for any layer.
    pub fn ignore(places: &str) -> Self {
        // A path in a body may be written with dots, as everywhere.
        let is_name = places.starts_with('/') || !places.contains(['.', '[']);
        let pointer = match crate::json::ValuePath::parse(places) {
            Ok(path) if !is_name => path.to_string(),
            _ => places.to_owned(),
        };
        Self {
            layer: None,
            places: pointer,
            why: IGNORED.to_owned(),
        }
    }
}

/// The reason of the user's own rules.
pub(super) const IGNORED: &str = "--ignore";

const ID: &str = "ids are new each time";
const DATE: &str = "dates and clocks go on";
const LEFT: &str = "what is left of a limit counts down";
const TIME: &str = "times differ between any two calls";
const EDGE: &str = "the edge's own marks";
const LENGTH: &str = "follows from the length of the answer";
const OWN: &str = "our own end of the connection";
const PAD: &str = "padding against traffic analysis";
const PRINT: &str = "the configuration that served changes without notice";

use Layer::{Body, Connection, Framing, Head, Meaning, Request, Stream, Timing};

/// The table: layer, places, reason.
pub const TABLE: &[(Layer, &str, &str)] = &[
    (Connection, "own address", OWN),
    (
        Connection,
        "addresses",
        "an order of addresses that changes",
    ),
    (Connection, "tool", "which version of wire looked on"),
    (Connection, "via", "which verb of wire looked on"),
    // Made anew for each call by SDKs.
    (Request, "idempotency-key", ID),
    (Request, "x-client-request-id", ID),
    (Request, "x-request-id", ID),
    (Request, "traceparent", ID),
    (Request, "tracestate", ID),
    (Request, "baggage", ID),
    (Request, "sentry-trace", ID),
    (Request, "content-length", "follows from the body"),
    (Head, "date", DATE),
    (Head, "expires", DATE),
    (Head, "last-modified", DATE),
    (Head, "age", DATE),
    (Head, "content-length", "follows from the body"),
    (Head, "etag", ID),
    (Head, "*request-id", ID),
    (Head, "*requestid", ID),
    (Head, "*request_id", ID),
    (Head, "*trace-id", ID),
    (Head, "*call-id", ID),
    (Head, "*generation-id", ID),
    (Head, "traceparent", ID),
    (Head, "x-cloud-trace-context", ID),
    (Head, "x-inference-id", ID),
    (Head, "cf-ray", EDGE),
    (Head, "set-cookie*", EDGE),
    (Head, "nel*", EDGE),
    (Head, "report-to*", EDGE),
    (Head, "alt-svc*", EDGE),
    (Head, "via*", EDGE),
    (Head, "x-served-by", EDGE),
    (Head, "x-timer", EDGE),
    (Head, "*remaining*", LEFT),
    (Head, "*ratelimit*reset*", LEFT),
    (Head, "ratelimit", LEFT),
    (Head, "*utilization", LEFT),
    (Head, "*processing*-ms", TIME),
    (Head, "*e2e*-ms", TIME),
    (Head, "*time*-ms", TIME),
    (Head, "*duration*", TIME),
    (Head, "*latency*", TIME),
    (Head, "*processing-time*", TIME),
    (Head, "*upstream-service-time", TIME),
    (Head, "x-response-time", TIME),
    (Head, "x-runtime", TIME),
    (Head, "server-timing", TIME),
    (Framing, "reads", "how the network cut the stream"),
    (Framing, "* chunks", LENGTH),
    (Framing, "* chunk sizes", LENGTH),
    (Framing, "* bytes of body", LENGTH),
    (Framing, "decoded bytes", LENGTH),
    (Body, "/id", ID),
    (Body, "/created", DATE),
    (Body, "/created_at", DATE),
    (Body, "/completed_at", DATE),
    (Body, "/system_fingerprint", PRINT),
    (Body, "/**/obfuscation", PAD),
    (Body, "/responseId", ID),
    (Body, "/createTime", DATE),
    (Body, "/request_id", ID),
    (Body, "/choices/*/message/tool_calls/*/id", ID),
    (Body, "/choices/*/delta/tool_calls/*/id", ID),
    (Body, "/choices/*/message/audio/id", ID),
    (Body, "/choices/*/message/audio/expires_at", DATE),
    (Body, "/x_groq/id", ID),
    (Body, "/usage/*_time", TIME),
    (Body, "/timings/**", TIME),
    (Body, "/*_duration", TIME),
    // Responses.
    (Body, "/output/*/id", ID),
    (Body, "/output/*/call_id", ID),
    (Body, "/output/*/encrypted_content", ID),
    (Body, "/item_id", ID),
    (Body, "/item/id", ID),
    (Body, "/item/call_id", ID),
    (Body, "/response/id", ID),
    (Body, "/response/created_at", DATE),
    (Body, "/response/completed_at", DATE),
    (Body, "/response/output/*/id", ID),
    (Body, "/response/output/*/call_id", ID),
    // Anthropic.
    (Body, "/message/id", ID),
    (Body, "/content/*/id", ID),
    (Body, "/content/*/signature", ID),
    (Body, "/content_block/id", ID),
    // Gemini.
    (Body, "/candidates/*/content/parts/*/thoughtSignature", ID),
    (Stream, "events", LENGTH),
    (
        Stream,
        "comments and pings",
        "signs of life follow from time",
    ),
    (Stream, "run *", LENGTH),
    (Meaning, "id", ID),
    (Meaning, "*tool call * id", ID),
    (Meaning, "system fingerprint", PRINT),
    (Timing, "**", TIME),
];

/// The rules of the table, then those of the user's own.
pub fn rules(own: &[String]) -> Vec<Rule> {
    let table = TABLE.iter().map(|(layer, places, why)| Rule {
        layer: Some(*layer),
        places: (*places).to_owned(),
        why: (*why).to_owned(),
    });
    table
        .chain(own.iter().map(|places| Rule::ignore(places)))
        .collect()
}

/// Whether noise of that reason has a size that a baseline can tell the usual range of. A date or an id that
/// differs never says anything.
pub(super) fn can_be_judged(why: &str) -> bool {
    [TIME, LENGTH].contains(&why)
}

/// Whether what is noise for that reason may also be missing in one of two exchanges that are alike. That one server
/// gives an id and the other none is a difference.
fn comes_and_goes(layer: Layer, why: &str) -> bool {
    layer == Timing || [EDGE, LENGTH, OWN, IGNORED].contains(&why)
}

/// Marks a change that a rule calls noise.
pub(super) fn mark(layer: Layer, change: &mut Change, rules: &[Rule]) {
    let rule = rules.iter().find(|rule| {
        let here = rule.layer.is_none_or(|own| own == layer);
        here && matches(&rule.places, &change.at)
    });
    let lone = matches!(change.what, What::Added | What::Removed);
    if let Some(rule) = rule.filter(|rule| !lone || comes_and_goes(layer, &rule.why)) {
        change.noise = Some(rule.why.clone());
    }
}

/// Whether `pattern` means the place `at`. What lies inside a place is meant with it.
pub(super) fn matches(pattern: &str, at: &str) -> bool {
    // Most rules begin elsewhere, and there may be very many places.
    let steps = (pattern.split('/').nth(1), at.split('/').nth(1));
    if let (Some(step), Some(segment)) = steps
        && pattern.starts_with('/')
        && !step.contains('*')
        && !fits(step, segment)
        && !fits(step, bare(segment))
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
                set(&mut next, n);
            }
            let fits = at
                .get(n)
                .is_some_and(|segment| fits(step, segment) || fits(step, bare(segment)));
            if *here && step != "**" && fits {
                set(&mut next, n.saturating_add(1));
            }
        }
        reached = next;
    }
    reached.iter().skip(1).any(|reached| *reached)
}

fn set(flags: &mut [bool], n: usize) {
    if let Some(flag) = flags.get_mut(n) {
        *flag = true;
    }
}

/// A step without what is said behind it: which of several it is, that its key is meant, that a pointer into the
/// JSON of the string follows.
fn bare(segment: &str) -> &str {
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
fn fits(pattern: &str, text: &str) -> bool {
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
                |text: &str| Some(super::super::change::Value::Text(text.to_owned()).into());
            let mut change = Change::new(at, What::Changed, value("1"), value("2"));
            mark(Head, &mut change, &rules(&[]));
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
            assert_eq!(matches(pattern, at), expected, "{pattern} {at}");
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

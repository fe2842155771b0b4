//! Noise: differences that two equal calls have as well, such as ids and dates. A table of rules, each a place and
//! its reason; the user (`--ignore`) and a baseline of several exchanges (`baseline`) add to it.

use super::change::{ChangeKind, DiffChange};
use super::layer::DiffLayer;
use super::noise_reason::NoiseReason;
use super::place::{NoisePattern, PlaceStepTexts};

/// A rule: places that are noise, and why.
#[derive(Clone, Debug)]
pub struct NoiseRule {
    /// The layer in which the rule holds; `None` for all.
    pub layer: Option<DiffLayer>,
    /// Which places.
    pub places: NoisePattern,
    /// Why differences there are noise.
    pub reason: NoiseReason,
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
    let built_in = NOISE_TABLE
        .iter()
        .map(|&(layer, places, reason)| NoiseRule {
            layer: Some(layer),
            places: NoisePattern::parse(places),
            reason,
        });
    let own = own.iter().map(|places| NoiseRule {
        layer: None,
        places: NoisePattern::from_user(places),
        reason: NoiseReason::IgnoredByUser,
    });
    built_in.chain(own).collect()
}

/// Sets `noise` of a change that a rule matches.
pub(super) fn mark_noise(layer: DiffLayer, change: &mut DiffChange, rules: &[NoiseRule]) {
    let texts = PlaceStepTexts::new(&change.at);
    let rule = rules
        .iter()
        .find(|rule| rule.layer.is_none_or(|own| own == layer) && rule.places.matches(&texts));
    let lone = matches!(change.what, ChangeKind::Added | ChangeKind::Removed);
    if let Some(rule) = rule.filter(|rule| !lone || rule.reason.may_be_absent(layer)) {
        change.noise = Some(rule.reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::place::DiffPlace;

    #[test]
    fn what_tells_to_wait_or_what_failed_is_no_noise() {
        let marked = |at: &'static str| {
            let value =
                |text: &str| Some(super::super::change::DiffValue::Text(text.to_owned()).into());
            let mut change = DiffChange::new(
                DiffPlace::fact(at),
                ChangeKind::Changed,
                value("1"),
                value("2"),
            );
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
}

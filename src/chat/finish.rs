//! Finish reasons: the word of each provider, its kind, and its meaning in one line.
//! Sources: the API references of OpenAI, Anthropic (`stop_reason`), Google (`FinishReason`), Ollama
//! (`done_reason`), Mistral, DeepSeek, OpenRouter, Cohere.

use serde::Serialize;

/// The reason why an answer stopped.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct FinishReason {
    /// The provider's word.
    pub named: String,
    /// Kind of the reason.
    pub kind: FinishKind,
    /// Meaning in one line.
    pub meaning: &'static str,
}

/// Kinds of finish reasons.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishKind {
    /// The model was done, or met a stop sequence.
    Stop,
    /// A token limit or the context's end.
    Length,
    /// The model waits for the results of tool calls.
    ToolCalls,
    /// A content filter stopped the answer.
    ContentFilter,
    /// The model refused.
    Refusal,
    /// An error.
    Error,
    /// The answer was cancelled.
    Cancelled,
    /// The model paused and goes on when asked.
    Paused,
    /// A word that is not known here.
    Other,
}

impl FinishReason {
    /// Looks the provider's word up.
    pub fn new(named: &str) -> Self {
        let known = KNOWN_REASONS.iter().find(|(word, ..)| *word == named);
        let family = || {
            let (head, _) = named.split_once(':')?;
            REASON_PREFIXES.iter().find(|(word, ..)| *word == head)
        };
        let (_, kind, meaning) = known.or_else(family).copied().unwrap_or((
            "",
            Other,
            "a reason that is not known to this version",
        ));
        Self {
            named: named.to_owned(),
            kind,
            meaning,
        }
    }

    /// Corrects the kind by the answer: `stop` also comes with refusals and forced tool calls.
    pub(super) fn override_kind(&mut self, kind: FinishKind, meaning: &'static str) {
        self.kind = kind;
        self.meaning = meaning;
    }
}

use FinishKind::{
    Cancelled, ContentFilter, Error, Length, Other, Paused, Refusal, Stop, ToolCalls,
};

const BY_FILTER: &str = "a content filter stopped the answer";
const AT_TOKEN_LIMIT: &str = "the limit of output tokens, or the end of the context, was reached";
const AWAITS_TOOLS: &str = "the model waits for the results of tool calls";

/// Words that carry a detail after a colon.
const REASON_PREFIXES: &[(&str, FinishKind, &str)] = &[
    (
        "blocked",
        ContentFilter,
        "the prompt was blocked: there is no answer",
    ),
    ("incomplete", Other, "the answer is incomplete"),
];

const KNOWN_REASONS: &[(&str, FinishKind, &str)] = &[
    // OpenAI Chat Completions and its relatives.
    ("stop", Stop, "the model was done, or met a stop sequence"),
    ("length", Length, AT_TOKEN_LIMIT),
    ("tool_calls", ToolCalls, AWAITS_TOOLS),
    (
        "function_call",
        ToolCalls,
        "the model waits for the result of a function call (old form)",
    ),
    ("content_filter", ContentFilter, BY_FILTER),
    ("eos", Stop, "the model was done"),
    ("error", Error, "the provider failed while answering"),
    ("model_length", Length, "the end of the context was reached"),
    (
        "insufficient_system_resource",
        Error,
        "the provider ran short of resources",
    ),
    ("sensitive", ContentFilter, BY_FILTER),
    ("network_error", Error, "the provider's own network failed"),
    // OpenAI Responses.
    ("completed", Stop, "the response is complete"),
    ("failed", Error, "the response failed; its error says why"),
    ("cancelled", Cancelled, "the response was cancelled"),
    ("requires_action", ToolCalls, AWAITS_TOOLS),
    ("in_progress", Paused, "the response is still being made"),
    ("queued", Paused, "the response waits to be made"),
    (
        "incomplete",
        Other,
        "the answer is incomplete, without a reason",
    ),
    (
        "incomplete:max_output_tokens",
        Length,
        "max_output_tokens was reached; reasoning counts too",
    ),
    ("incomplete:content_filter", ContentFilter, BY_FILTER),
    (
        "incomplete:max_messages",
        Length,
        "the limit of messages was reached",
    ),
    (
        "incomplete:steered",
        Cancelled,
        "a steering message replaced the response",
    ),
    // Anthropic Messages.
    ("end_turn", Stop, "the model was done"),
    ("stop_sequence", Stop, "a stop sequence was met"),
    ("max_tokens", Length, "max_tokens was reached"),
    ("tool_use", ToolCalls, AWAITS_TOOLS),
    (
        "pause_turn",
        Paused,
        "a long turn paused: send it back to let it go on",
    ),
    ("refusal", Refusal, "the model refused"),
    (
        "model_context_window_exceeded",
        Length,
        "the end of the context was reached",
    ),
    ("compaction", Paused, "the context was compacted"),
    // Gemini.
    ("STOP", Stop, "the model was done, or met a stop sequence"),
    (
        "MAX_TOKENS",
        Length,
        "maxOutputTokens was reached; thoughts count too",
    ),
    (
        "SAFETY",
        ContentFilter,
        "the safety filter stopped the answer",
    ),
    (
        "RECITATION",
        ContentFilter,
        "the answer repeated its training material too closely",
    ),
    ("LANGUAGE", Error, "the language is not supported"),
    ("OTHER", Other, "stopped for a reason that is not named"),
    (
        "BLOCKLIST",
        ContentFilter,
        "a forbidden term stopped the answer",
    ),
    (
        "PROHIBITED_CONTENT",
        ContentFilter,
        "prohibited content stopped the answer",
    ),
    (
        "SPII",
        ContentFilter,
        "sensitive personal information stopped the answer",
    ),
    (
        "MALFORMED_FUNCTION_CALL",
        Error,
        "the model wrote a function call that cannot be read",
    ),
    (
        "UNEXPECTED_TOOL_CALL",
        Error,
        "the model called a tool that it was not given",
    ),
    (
        "TOO_MANY_TOOL_CALLS",
        Error,
        "the model called too many tools in a row",
    ),
    (
        "IMAGE_SAFETY",
        ContentFilter,
        "the safety filter stopped an image",
    ),
    (
        "IMAGE_PROHIBITED_CONTENT",
        ContentFilter,
        "prohibited content stopped an image",
    ),
    (
        "IMAGE_RECITATION",
        ContentFilter,
        "an image repeated its training material too closely",
    ),
    (
        "IMAGE_OTHER",
        Error,
        "an image failed for a reason that is not named",
    ),
    ("NO_IMAGE", Error, "an image was expected and none was made"),
    (
        "MALFORMED_RESPONSE",
        Error,
        "the model wrote an answer that cannot be read",
    ),
    (
        "MISSING_THOUGHT_SIGNATURE",
        Error,
        "the request left out a thought signature",
    ),
    ("ESCALATION", ContentFilter, "the request was escalated"),
    (
        "MODEL_ARMOR",
        ContentFilter,
        "Model Armor stopped the answer",
    ),
    ("PUP_LIMITED_DISABLED", Error, "the account is limited"),
    (
        "CONTINUATION",
        Paused,
        "the limit of one request: go on with the continuationToken",
    ),
    // Ollama.
    ("load", Other, "the model was only loaded"),
    ("unload", Other, "the model was only unloaded"),
    // Cohere.
    ("COMPLETE", Stop, "the model was done"),
    ("STOP_SEQUENCE", Stop, "a stop sequence was met"),
    ("TOOL_CALL", ToolCalls, AWAITS_TOOLS),
    ("ERROR", Error, "the provider failed while answering"),
    ("TIMEOUT", Error, "the provider took too long"),
];

#[cfg(test)]
mod tests {
    use super::{FinishKind, FinishReason};

    #[test]
    fn words_are_looked_up_as_they_are_spelled() {
        let cases = [
            ("stop", FinishKind::Stop),
            ("STOP", FinishKind::Stop),
            ("incomplete:max_output_tokens", FinishKind::Length),
            ("incomplete:new", FinishKind::Other),
            ("blocked:SAFETY", FinishKind::ContentFilter),
            ("refusal", FinishKind::Refusal),
            ("Stop", FinishKind::Other),
        ];
        for (word, kind) in cases {
            assert_eq!(FinishReason::new(word).kind, kind, "{word}");
        }
    }
}

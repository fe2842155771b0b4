//! Notes about an answer: the rule that it breaks, the place and the facts. The words of each rule are in `lint`.

use serde::Serialize;

use crate::span::{Moment, Span};

/// Named facts of a note, as text: `[("before", "id-1"), ("after", "id-2")]`.
pub type NoteFacts = Vec<(&'static str, String)>;

/// A note about an answer: something unusual in it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct AnswerNote {
    /// Id of the rule, one of [`rule`]; stable.
    pub rule: &'static str,
    /// The importance, where it differs from that of the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The place of the first occurrence.
    #[serde(flatten)]
    pub place: AnswerPlace,
    /// Number of occurrences.
    pub count: u64,
    /// The facts, by name.
    #[serde(serialize_with = "serialize_facts")]
    pub facts: NoteFacts,
}

/// A place in an answer. The default is the answer as a whole.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct AnswerPlace {
    /// Number of the event, from zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<u64>,
    /// Span in the decoded body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// Arrival time of the last byte that was needed to read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment>,
}

impl AnswerNote {
    /// A note about the rule `rule`.
    pub fn new(rule: &'static str, place: AnswerPlace, facts: NoteFacts) -> Self {
        Self {
            rule,
            severity: None,
            place,
            count: 1,
            facts,
        }
    }

    /// The same note with the importance `severity`.
    pub fn with_severity(self, severity: Severity) -> Self {
        Self {
            severity: Some(severity),
            ..self
        }
    }

    /// The same note at `place`.
    pub fn at(self, place: AnswerPlace) -> Self {
        Self { place, ..self }
    }
}

impl AnswerPlace {
    /// The place of some bytes of the decoded body that belong to no event.
    pub fn bytes(span: Span) -> Self {
        Self {
            span: Some(span),
            ..Self::default()
        }
    }
}

/// The importance of a finding.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; no client fails on it.
    Info,
    /// Against a rule; some clients fail on it.
    Warning,
    /// Part of the message is lost, or clients fail.
    Error,
}

impl Severity {
    /// All severities with their names.
    const ALL: &[(&str, Self)] = &[
        ("info", Self::Info),
        ("warning", Self::Warning),
        ("error", Self::Error),
    ];

    /// The severity called `name`.
    pub fn find(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(own, _)| *own == name)
            .map(|(_, severity)| *severity)
    }

    /// The name of the severity.
    pub fn name(self) -> &'static str {
        let mut all = Self::ALL.iter();
        all.find(|(_, severity)| *severity == self)
            .map_or("", |(name, _)| *name)
    }
}

/// Writes facts as one JSON object.
pub fn serialize_facts<S: serde::Serializer>(facts: &NoteFacts, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(facts.iter().map(|(name, value)| (name, value)))
}

/// Ids of the rules that are checked while an answer is read.
pub mod rule {
    macro_rules! rule_ids {
        ($($name:ident = $id:literal,)*) => {
            $(#[doc = concat!("`", $id, "`")] pub const $name: &str = $id;)*
            /// All ids, for the test that holds them against the table of rules.
            pub const ALL: &[&str] = &[$($id),*];
        };
    }
    rule_ids! {
        ANSWER_END_MISSING = "answer-end-missing",
        ANTHROPIC_BLOCK_INDEX_REUSED = "anthropic-block-index-reused",
        ANTHROPIC_BLOCK_NOT_CLOSED = "anthropic-block-not-closed",
        ANTHROPIC_DELTA_USAGE_MISSING = "anthropic-delta-usage-missing",
        ANTHROPIC_DELTA_WITHOUT_BLOCK = "anthropic-delta-without-block",
        ANSWER_TOO_LARGE = "answer-too-large",
        ARGUMENTS_IN_PIECES = "arguments-by-path",
        CHAT_ARGUMENTS_OBJECT = "chat-arguments-object",
        CHAT_DELTA_MISSING = "chat-delta-missing",
        CHAT_FINISH_EMPTY = "chat-finish-empty-string",
        CHAT_FINISH_MISSPELT = "chat-finish-misspelt",
        CHAT_FINISH_TWICE = "chat-finish-twice",
        CHAT_ID_CHANGES = "chat-id-changes",
        CHAT_REASONING_IN_TWO_FIELDS = "chat-reasoning-in-two-fields",
        CHAT_TEXT_AFTER_FINISH = "chat-text-after-finish",
        CHAT_TOOL_ID_MISSING = "chat-tool-id-missing",
        CHAT_TOOL_INDEX_MISSING = "chat-tool-index-missing",
        CONTENT_TYPE_MISMATCH = "http-content-type-mismatch",
        ERROR_FOREIGN_SHAPE = "error-foreign-shape",
        ERROR_HIDDEN = "error-hidden-in-gateway-metadata",
        ERROR_IN_STREAM = "error-in-stream",
        ERROR_INSIDE_200 = "error-inside-200",
        ERROR_NOT_AN_OBJECT = "error-not-an-object",
        EVENT_CUT = "sse-cut-in-event",
        EVENT_NAME_DIFFERS = "sse-event-name-differs",
        EVENT_NAME_MISSING = "sse-event-name-missing",
        EVENT_NOT_JSON = "sse-event-not-json",
        EVENT_NOT_UTF8 = "sse-invalid-utf8",
        EVENTSTREAM_FRAME_BROKEN = "eventstream-frame-broken",
        EVENTSTREAM_FRAMING_LOST = "eventstream-framing-lost",
        EVENTS_NOT_SEPARATED = "sse-events-not-separated",
        FOREIGN_EVENT = "sse-foreign-event",
        FRAME_SPLICED = "sse-frame-spliced",
        JSON_BOM = "json-bom",
        JSON_BODY_BROKEN = "json-body-broken",
        JSON_BODY_NULL = "json-body-null",
        JSON_DUPLICATE_KEY = "json-duplicate-key",
        JSON_NOT_UTF8 = "json-invalid-utf8",
        JSON_WRAPPED = "json-wrapped-answer",
        KEEP_ALIVE_LINES = "keep-alive-lines",
        MODEL_CHANGES = "model-changes",
        NO_BLANK_LINE_AT_END = "sse-no-blank-line-at-end",
        REASONING_IN_TEXT = "reasoning-in-text",
        REPLACEMENT_CHARACTER = "replacement-character",
        RESPONSES_FINAL_EMPTY = "responses-final-object-empty",
        RESPONSES_SEQUENCE = "responses-sequence-broken",
        RESPONSES_TEXT_DIFFERS = "responses-text-differs",
        RESPONSES_TWO_CYCLES = "responses-two-cycles",
        SSE_BOM = "sse-bom",
        SSE_CR = "sse-cr-line-ends",
        SSE_DATA_AFTER_DONE = "sse-data-after-done",
        SSE_DONE_MISSING = "sse-done-missing",
        SSE_DONE_IN_TYPED = "sse-done-in-typed-stream",
        SSE_ERROR_FIELD = "sse-error-in-unknown-field",
        SSE_MULTI_LINE = "sse-multi-line-data",
        SSE_NO_SPACE = "sse-no-space-after-colon",
        SSE_UNKNOWN_FIELD = "sse-unknown-field",
        USAGE_CACHED_EXCEEDS = "usage-cached-exceeds-input",
        USAGE_OF_ROUNDS = "usage-of-rounds",
        USAGE_ON_EVERY_CHUNK = "usage-on-every-chunk",
        USAGE_REASONING_BESIDE = "usage-reasoning-beside",
        USAGE_TOTAL_DIFFERS = "usage-total-differs",
    }
}

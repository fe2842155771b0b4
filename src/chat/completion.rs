//! The one model of an answer, whatever dialect it came in: plain values, and nothing that reads them.

use serde::Serialize;

use super::api_error::ApiError;
use super::finish::FinishReason;
use super::model_match::ModelMatch;
use super::usage::{ReportedCost, TokenUsage};
use super::verdict::AnswerVerdict;
use crate::span::{Moment, Span};
use crate::sse::StreamFormat;

/// What a model answered, as far as its reader was asked to keep it.
///
/// What the provider did not send is absent, never empty or zero.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Completion {
    /// Name of the dialect that it was read in: `openai-chat`, `anthropic-messages`. `None`: none was known.
    pub dialect: Option<&'static str>,
    /// Why that dialect, in words.
    pub why: String,
    /// Who served it, where host, fields or values tell: `openai`, `groq`, `llama.cpp`.
    pub provider: Option<&'static str>,
    /// What the body is.
    pub media: BodyMediaType,
    /// Status code of the response.
    pub status: Option<u16>,
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// The model that the request named.
    pub asked_model: Option<String>,
    /// The model that the answer names.
    pub served_model: Option<String>,
    /// How the two compare, where both are known.
    pub model_match: Option<ModelMatch>,
    /// The answers, by index.
    pub choices: Vec<AnswerChoice>,
    /// What was counted.
    pub usage: Option<TokenUsage>,
    /// What the provider says it costs.
    pub cost: Option<ReportedCost>,
    /// Times that the server measured and tells in the body, in microseconds, each with its name.
    pub times: Vec<(String, u64)>,
    /// Configuration that the model ran with (`system_fingerprint`).
    pub system_fingerprint: Option<String>,
    /// Tier that it was served in.
    pub service_tier: Option<String>,
    /// What the provider reports as gone wrong, in the body or in an event of it.
    pub errors: Vec<ApiError>,
    /// What deserves a word.
    pub notes: Vec<AnswerNote>,
    /// Bytes of the body, content codings undone.
    pub bytes: u64,
    /// Events with data, the end mark `[DONE]` not among them.
    pub events: u64,
    /// Comments in the stream.
    pub comments: u64,
    /// Whether the dialect's end mark was seen: `[DONE]`, `message_stop`, `response.completed`, `"done":true`.
    pub done: bool,
    /// When the first event was whole.
    pub first_event: Option<Moment>,
    /// When the first piece of text, reasoning, refusal or tool call was there.
    pub first_token: Option<Moment>,
    /// When the last such piece was there.
    pub last_token: Option<Moment>,
    /// Each piece: what, where, when. Kept under [`super::AnswerRetention::Everything`] only.
    pub deltas: Vec<super::DeltaStamp>,
    /// How it ended.
    pub verdict: AnswerVerdict,
}

impl Completion {
    /// The choice with that index, if the answer has it.
    pub fn choice(&self, index: u32) -> Option<&AnswerChoice> {
        self.choices.iter().find(|choice| choice.index == index)
    }

    /// Whether the answer came as events.
    pub fn is_streamed(&self) -> bool {
        matches!(
            self.media,
            BodyMediaType::Sse | BodyMediaType::Ndjson | BodyMediaType::JsonArray
        )
    }
}

/// What a body is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BodyMediaType {
    /// Nothing came.
    #[default]
    Empty,
    /// One JSON text.
    Json,
    /// An event stream.
    Sse,
    /// JSON lines.
    Ndjson,
    /// A JSON array of events.
    JsonArray,
    /// A page, mostly of a proxy.
    Html,
    /// Other text.
    Text,
    /// Anything else.
    Binary,
}

impl BodyMediaType {
    /// How its events are written; `None` where it has none.
    pub fn stream_format(self) -> Option<StreamFormat> {
        match self {
            Self::Sse => Some(StreamFormat::EventStream),
            Self::Ndjson => Some(StreamFormat::Lines),
            Self::JsonArray => Some(StreamFormat::Array),
            Self::Empty | Self::Json | Self::Html | Self::Text | Self::Binary => None,
        }
    }
}

/// One of the answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AnswerChoice {
    /// Its number, from zero, as the provider counts.
    pub index: u32,
    /// Who speaks.
    pub role: Option<String>,
    /// The answer.
    pub text: String,
    /// What the model thought, or a summary of it.
    pub reasoning: String,
    /// Where in `text` thoughts stand that a server left there: `<think>` to `</think>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thought: Option<Span>,
    /// Why it will not answer, in its words.
    pub refusal: Option<String>,
    /// What it wants to have called, in the order of their first mention.
    pub tool_calls: Vec<ToolCall>,
    /// What it refers to.
    pub citations: Vec<Citation>,
    /// Why it stopped; `None`: it never said.
    pub finish: Option<FinishReason>,
    /// Whether log probabilities came with it.
    pub logprobs: bool,
    /// Whether audio came with it.
    pub audio: bool,
    /// Bytes of text, also where the text is not kept.
    pub text_bytes: u64,
    /// Bytes of reasoning, also where it is not kept.
    pub reasoning_bytes: u64,
}

/// A call that the model asks for, or, if `hosted`, that the provider made itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ToolCall {
    /// Its number in the answer as the provider counts; the key by which its pieces are joined.
    pub index: u64,
    /// What the result must be sent back under.
    pub id: Option<String>,
    /// Which tool.
    pub name: String,
    /// The pieces, joined.
    pub arguments: String,
    /// Whether those are JSON, where they should be.
    pub check: ArgumentCheck,
    /// Bytes of arguments, also where they are not kept.
    pub argument_bytes: u64,
    /// Whether the provider runs it itself (web search, code).
    pub hosted: bool,
}

/// Whether the arguments of a call can be read.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ArgumentCheck {
    /// Not looked at: they are not kept as a whole.
    #[default]
    Unchecked,
    /// Free text by design: the tool is a custom one.
    Text,
    /// JSON.
    Json,
    /// Nothing, which stands for `{}`.
    Empty,
    /// Not JSON.
    Broken {
        /// Offset of the first byte that does not fit, in the joined arguments.
        at: u64,
        /// What is wrong.
        error: String,
    },
}

/// Something that an answer refers to.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Citation {
    /// Where it is to be found: an address, or the id of a file.
    pub source: String,
    /// Its title.
    pub title: Option<String>,
    /// The words that are cited.
    pub cited: Option<String>,
}

/// Something that deserves a word, without being an error.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct AnswerNote {
    /// Which one; stable.
    pub kind: AnswerNoteKind,
    /// In words.
    pub text: String,
    /// Where in the decoded body, where it has a place.
    pub span: Option<Span>,
}

/// Which note.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AnswerNoteKind {
    /// A stream that counts no tokens because it was not asked to.
    UsageNotAsked,
    /// The parts of a count do not add up to its total.
    UsageSum,
    /// Another model answered than was asked.
    OtherModel,
    /// The head names another model than the body, mostly its dated snapshot.
    ServedModel,
    /// The id changes within one answer.
    IdChanged,
    /// The model changes within one answer.
    ModelChanged,
    /// What came after a finish, or differs from one before.
    FinishChanged,
    /// The pieces of a stream do not join to what its last event holds.
    PiecesDiffer,
    /// Events that were lost or came twice, by their numbers.
    SequenceGap,
    /// An event that is not JSON.
    NotJson,
    /// An end mark without the blank line after it.
    OpenMark,
    /// The body is not what its `Content-Type` says.
    MediaDiffers,
    /// Empty lines before the body: signs of life.
    KeepAlive,
    /// Thoughts that stand in the text.
    InlineThought,
    /// The whole budget went into reasoning.
    OnlyReasoning,
    /// Something too large to be looked at.
    TooLarge,
    /// More of something than is kept.
    TooMany,
    /// The shape of the body is new to this dialect.
    UnknownShape,
}

impl AnswerChoice {
    /// A choice of which nothing is known but its number.
    pub fn new(index: u32) -> Self {
        Self {
            index,
            ..Self::default()
        }
    }
}

//! The answer of a model in any dialect, as plain values.

use serde::Serialize;

use super::api_error::ApiError;
use super::finish::FinishReason;
use super::model_match::ModelMatch;
use super::profile::DialectProfile;
use super::usage::{ReportedCost, TokenUsage};
use super::verdict::AnswerVerdict;
use crate::span::{Moment, Span};
use crate::sse::StreamFormat;

/// The answer of a model, as far as the read options keep it.
///
/// A value that the provider did not send is absent, never empty or zero.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Completion {
    /// The dialect; serialised as its name. `None` if it was not recognised.
    pub dialect: Option<&'static DialectProfile>,
    /// Reason why the dialect was chosen, in words.
    pub why: String,
    /// Provider, if host, header fields or values show it: `openai`, `groq`, `llama.cpp`.
    pub provider: Option<&'static str>,
    /// Format of the body.
    pub media: BodyMediaType,
    /// Status code of the response.
    pub status: Option<u16>,
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// The model that the request named.
    pub asked_model: Option<String>,
    /// The model that the answer names.
    pub served_model: Option<String>,
    /// Comparison of the two model names, if both are known.
    pub model_match: Option<ModelMatch>,
    /// Choices, by index.
    pub choices: Vec<AnswerChoice>,
    /// Token counts.
    pub usage: Option<TokenUsage>,
    /// Cost that the provider reports.
    pub cost: Option<ReportedCost>,
    /// Times that the server measured and put into the body: name, microseconds.
    pub times: Vec<(String, u64)>,
    /// Configuration that the model ran with (`system_fingerprint`).
    pub system_fingerprint: Option<String>,
    /// Service tier.
    pub service_tier: Option<String>,
    /// Errors that the provider reported in the body or in an event.
    pub errors: Vec<ApiError>,
    /// Notes: anything unusual that is not an error.
    pub notes: Vec<AnswerNote>,
    /// Bytes of the body, content codings undone.
    pub bytes: u64,
    /// Number of events with data, without the end mark `[DONE]`.
    pub events: u64,
    /// Number of comments in the stream.
    pub comments: u64,
    /// Whether the dialect's end mark was seen: `[DONE]`, `message_stop`, `response.completed`, `"done":true`.
    pub done: bool,
    /// Time at which the first event was complete.
    pub first_event: Option<Moment>,
    /// Time of the first piece of text, reasoning, refusal or tool call.
    pub first_token: Option<Moment>,
    /// Time of the last such piece.
    pub last_token: Option<Moment>,
    /// Kind, span and time of each piece. Only kept with [`super::AnswerRetention::Everything`].
    pub deltas: Vec<super::DeltaStamp>,
    /// How the answer ended.
    pub verdict: AnswerVerdict,
}

impl Completion {
    /// The choice with that index, if the answer has it.
    pub fn choice(&self, index: u32) -> Option<&AnswerChoice> {
        self.choices.iter().find(|choice| choice.index == index)
    }

    /// Name of the dialect, if it was recognised.
    pub fn dialect_name(&self) -> Option<&'static str> {
        self.dialect.map(|dialect| dialect.name)
    }

    /// Whether the answer came as events.
    pub fn is_streamed(&self) -> bool {
        self.media.stream_format().is_some()
    }
}

/// Format of a body.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BodyMediaType {
    /// Empty.
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
    /// An HTML page, mostly from a proxy.
    Html,
    /// Other text.
    Text,
    /// Anything else.
    Binary,
}

impl BodyMediaType {
    /// Format of its events; `None` if it has no events.
    pub fn stream_format(self) -> Option<StreamFormat> {
        match self {
            Self::Sse => Some(StreamFormat::EventStream),
            Self::Ndjson => Some(StreamFormat::Lines),
            Self::JsonArray => Some(StreamFormat::Array),
            _ => None,
        }
    }
}

/// One choice: one of the answers that the request asked for with `n`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AnswerChoice {
    /// Index of the choice, from zero, as the provider counts.
    pub index: u32,
    /// Role of the speaker.
    pub role: Option<String>,
    /// Text of the answer.
    pub text: String,
    /// Reasoning of the model, or a summary of it.
    pub reasoning: String,
    /// Span of reasoning that a server left inside `text`: `<think>` to `</think>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thought: Option<Span>,
    /// Refusal, in the words of the model.
    pub refusal: Option<String>,
    /// Tool calls, in the order of their first mention.
    pub tool_calls: Vec<ToolCall>,
    /// Citations.
    pub citations: Vec<Citation>,
    /// Finish reason; `None` if the answer has none.
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

/// A tool call that the model asks for, or, if `hosted`, that the provider ran itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ToolCall {
    /// Index in the answer as the provider counts; pieces with the same index are joined.
    pub index: u64,
    /// Id that the result has to be sent back with.
    pub id: Option<String>,
    /// Name of the tool.
    pub name: String,
    /// Arguments, all pieces joined.
    pub arguments: String,
    /// Whether the arguments are valid JSON.
    pub check: ToolArgumentCheck,
    /// Bytes of arguments, also where they are not kept.
    pub argument_bytes: u64,
    /// Whether the provider runs the tool itself (web search, code).
    pub hosted: bool,
}

/// Whether the arguments of a tool call can be read.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ToolArgumentCheck {
    /// Not checked: the arguments were not kept in full.
    #[default]
    Unchecked,
    /// Free text by design: the tool is a custom one.
    Text,
    /// JSON.
    Json,
    /// Empty, which means `{}`.
    Empty,
    /// Not JSON.
    Broken {
        /// Offset of the first byte that does not fit, in the joined arguments.
        at: u64,
        /// The fault.
        error: String,
    },
}

/// A source that an answer cites.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Citation {
    /// URL or file id of the source.
    pub source: String,
    /// Title of the source.
    pub title: Option<String>,
    /// Cited text.
    pub cited: Option<String>,
}

/// A note about an answer: something unusual that is not an error.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct AnswerNote {
    /// Kind of the note; stable.
    pub kind: AnswerNoteKind,
    /// The note in words.
    pub text: String,
    /// Span in the decoded body, if the note has a place.
    pub span: Option<Span>,
}

/// Kinds of notes about an answer.
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
    /// A piece after the finish, or a second finish that differs from the first.
    FinishChanged,
    /// The joined pieces of a stream differ from the text in its last event.
    PiecesDiffer,
    /// Events that are missing or came twice, by their sequence numbers.
    SequenceGap,
    /// An event that is not JSON.
    NotJson,
    /// An end mark without the blank line after it.
    OpenMark,
    /// The body is not what its `Content-Type` says.
    MediaDiffers,
    /// Empty lines before the body, sent to keep the connection alive.
    KeepAlive,
    /// Reasoning inside the text.
    InlineThought,
    /// The whole token budget was spent on reasoning.
    OnlyReasoning,
    /// Something too large to be read.
    TooLarge,
    /// More items of a kind than are kept.
    TooMany,
    /// The shape of the body is new to this dialect.
    UnknownShape,
}

impl AnswerChoice {
    /// A choice with an index and nothing else.
    pub fn new(index: u32) -> Self {
        Self {
            index,
            ..Self::default()
        }
    }
}

//! The answer of a model in any dialect, as plain values.

use serde::Serialize;

use super::api_error::ApiError;
use super::finish::{FinishKind, FinishReason};
use super::model_match::ModelMatch;
use super::note::{AnswerNote, AnswerPlace};
use super::profile::DialectProfile;
use super::request_params::RequestParams;
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
    /// The place where the answer names it first.
    #[serde(skip)]
    pub model_place: AnswerPlace,
    /// Comparison of the two model names, if both are known.
    pub model_match: Option<ModelMatch>,
    /// Choices, by index.
    pub choices: Vec<AnswerChoice>,
    /// The vectors of an answer with embeddings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vectors: Option<AnswerVectors>,
    /// Facts beside text and tokens: models of a list, failed results of a batch.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<AnswerDetail>,
    /// Token counts.
    pub usage: Option<TokenUsage>,
    /// The place of the last token counts.
    #[serde(skip)]
    pub usage_place: AnswerPlace,
    /// Cost that the provider reports.
    pub cost: Option<ReportedCost>,
    /// Times that the server measured and put into the body: name, microseconds.
    pub times: Vec<(String, u64)>,
    /// Configuration that the model ran with (`system_fingerprint`).
    pub system_fingerprint: Option<String>,
    /// Service tier.
    pub service_tier: Option<String>,
    /// The place of the service tier.
    #[serde(skip)]
    pub tier_place: AnswerPlace,
    /// Errors that the provider reported in the body or in an event.
    pub errors: Vec<ApiError>,
    /// Parameters of the request that the answer is held against.
    #[serde(skip)]
    pub asked: RequestParams,
    /// Events that could not be read, so that a piece of the answer may be missing.
    pub damaged_events: u64,
    /// Bytes of the answer that are not UTF-8.
    pub invalid_bytes: u64,
    /// Anything unusual about the answer.
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

    /// Whether as many output tokens came as the request allows, though no choice says that a limit stopped it.
    pub fn reached_limit(&self) -> bool {
        let output = self.usage.as_ref().and_then(|usage| usage.output);
        let (Some(output), Some(limit)) = (output, self.asked.token_limit) else {
            return false;
        };
        let limit = limit.saturating_mul(self.asked.choices.unwrap_or(1).max(1));
        let finishes = self
            .choices
            .iter()
            .filter_map(|choice| choice.finish.as_ref());
        limit > 0
            && output >= limit
            && finishes
                .map(|finish| finish.kind)
                .all(|kind| kind != FinishKind::Length)
    }

    /// Whether the answer came as events.
    pub fn is_streamed(&self) -> bool {
        self.media.stream_format().is_some()
    }
}

/// A fact of an answer that is neither text nor a token count.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct AnswerDetail {
    /// Its name in a report: `models`, `flagged`, `failed`.
    pub name: &'static str,
    /// The number of things that it counts; `None` if it counts none.
    pub count: Option<u64>,
    /// The fact in words.
    pub text: String,
}

/// The vectors of an answer with embeddings.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct AnswerVectors {
    /// Number of vectors.
    pub count: u64,
    /// Numbers in the first one.
    pub numbers: u64,
    /// Whether they came as base64 of 32-bit floats, not as lists of numbers.
    pub is_base64: bool,
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
    /// Binary frames of AWS (`application/vnd.amazon.eventstream`).
    AwsEventstream,
    /// Messages of a WebSocket, each a JSON text on its own line.
    #[serde(rename = "websocket")]
    WebSocket,
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
            Self::Ndjson | Self::WebSocket => Some(StreamFormat::Lines),
            Self::JsonArray => Some(StreamFormat::Array),
            Self::AwsEventstream => Some(StreamFormat::Frames),
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
    /// Number of images that came with it.
    #[serde(skip_serializing_if = "is_zero")]
    pub images: u64,
    /// Bytes of text, also where the text is not kept.
    pub text_bytes: u64,
    /// Bytes of reasoning, also where it is not kept.
    pub reasoning_bytes: u64,
    /// The place of its first piece of text.
    #[serde(skip)]
    pub text_place: AnswerPlace,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
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
    /// The place of its name.
    #[serde(skip)]
    pub place: AnswerPlace,
    /// The place of its id, also where that is `null` or empty.
    #[serde(skip)]
    pub id_place: Option<AnswerPlace>,
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

impl AnswerChoice {
    /// Whether the choice has nothing that an answer can consist of.
    pub fn is_empty(&self) -> bool {
        let has_text = self.text_bytes > 0 || self.refusal.is_some();
        !has_text && !self.audio && self.images == 0 && self.tool_calls.is_empty()
    }

    /// A choice with an index and nothing else.
    pub fn new(index: u32) -> Self {
        Self {
            index,
            ..Self::default()
        }
    }
}

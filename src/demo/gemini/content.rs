//! The response object: candidates with their parts, finish reasons and token counts; whole, as events, or as a
//! growing JSON array (<https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse>,
//! <https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent>).

use serde_json::{Value, json};

use super::request;
use super::rules::{EVENTS_TYPE, JSON_TYPE, error_json, json_line};
use crate::demo::api_answer::ApiAnswer;
use crate::demo::api_error::ApiError;
use crate::demo::context::DemoContext;
use crate::demo::generation::{
    self, FinishCause, GeneratedAnswer, GeneratedCall, GenerationResult,
};
use crate::demo::json_values::sparse_object;
use crate::demo::model_request::ModelRequest;
use crate::demo::pacing::{self, PacedEvent};
use crate::demo::usage::GeneratedUsage;
use crate::demo::{ids, models};
use crate::serve::request::ServerRequest;

/// Generated content, source of a whole reply and of a stream.
#[derive(Clone, Debug)]
pub(super) struct GeminiContent {
    id: String,
    model: String,
    answers: Vec<GeneratedAnswer>,
    pub(super) usage: GeneratedUsage,
    form: ReplyForm,
    /// Whether reasoning is shown.
    show_thinking: bool,
    signature: String,
}

/// Tokens in an element of a stream: Gemini sends larger pieces than other APIs.
const TOKENS_PER_ELEMENT: usize = 8;

impl GeminiContent {
    /// Generates the content for `question`, which was read from `body`.
    pub(super) fn generate(
        body: &Value,
        question: &ModelRequest,
        form: ReplyForm,
        context: DemoContext,
    ) -> Self {
        let GenerationResult { answers, usage } = generation::generate(question, context);
        let seed = context.answer_seed();
        Self {
            id: ids::alphanumeric_id("", seed, 22),
            model: question.model.clone(),
            answers,
            usage,
            form,
            show_thinking: request::shows_thinking(&question.model, body),
            signature: ids::alphanumeric_id("Ep2d", seed, 80),
        }
    }

    /// The tokens of reasoning that a stream does not show.
    pub(super) fn hidden_tokens(&self) -> u64 {
        match self.show_thinking {
            true => 0,
            false => self.usage.reasoning_tokens,
        }
    }

    /// The whole response object.
    fn to_json(&self) -> Value {
        if self.is_blocked() {
            return self.blocked_json();
        }
        let candidate = |(index, answer): (usize, &GeneratedAnswer)| {
            let mut parts = Vec::new();
            if self.show_thinking && !answer.reasoning_tokens.is_empty() {
                parts.push(json!({"text": answer.reasoning_tokens.concat(), "thought": true}));
            }
            if !answer.text_tokens.is_empty() {
                parts.push(json!({"text": answer.text_tokens.concat()}));
            }
            let calls = answer.tool_calls.iter();
            parts.extend(calls.map(|call| self.function_call_json(call, answer)));
            candidate_json(index, parts, Some(answer))
        };
        let candidates = self.answers.iter().enumerate().map(candidate).collect();
        self.response_json(candidates, self.usage.answer_tokens())
    }

    /// The elements of a stream, each with its number of tokens. Each has the usage up to then; reasoning is
    /// counted from the first on.
    fn stream_elements(&self) -> Vec<(Value, usize)> {
        if self.is_blocked() {
            return vec![(self.blocked_json(), 0)];
        }
        let answers = self.answers.iter().enumerate();
        let pieces = answers.map(|(index, answer)| self.answer_pieces(index, answer));
        let pieces = pacing::interleave(pieces.collect());
        let last = pieces.len().saturating_sub(1);
        let mut generated = 0_u64;
        let element = |(at, piece): (usize, ContentPiece)| {
            generated = match at == last {
                true => self.usage.answer_tokens(),
                false => generated.saturating_add(piece.answer_tokens),
            };
            let response = self.response_json(vec![piece.candidate], generated);
            (response, piece.tokens)
        };
        pieces.into_iter().enumerate().map(element).collect()
    }

    fn answer_pieces(&self, index: usize, answer: &GeneratedAnswer) -> Vec<ContentPiece> {
        let piece = |part: Value, tokens: usize, answer_tokens: u64| ContentPiece {
            candidate: candidate_json(index, vec![part], None),
            tokens,
            answer_tokens,
        };
        let text =
            |(text, tokens): (String, usize)| piece(json!({"text": text}), tokens, tokens as u64);
        let thinking = |(text, tokens): (String, usize)| {
            piece(json!({"text": text, "thought": true}), tokens, 0)
        };
        let call = |call: &GeneratedCall| {
            let part = self.function_call_json(call, answer);
            piece(part, call.argument_tokens.len(), call.token_count())
        };
        let end = ContentPiece {
            candidate: candidate_json(index, vec![json!({"text": ""})], Some(answer)),
            tokens: 1,
            answer_tokens: 0,
        };
        let reasoning = pacing::group_tokens(&answer.reasoning_tokens, TOKENS_PER_ELEMENT);
        // A big body repeats the element with the mark, which must not be the one that opens the array.
        let opening = models::big_body_mebibytes(&self.model).map(|_| text((String::new(), 0)));
        reasoning
            .filter(|_| self.show_thinking)
            .map(thinking)
            .chain(opening)
            .chain(pacing::group_tokens(&answer.text_tokens, TOKENS_PER_ELEMENT).map(text))
            .chain(answer.tool_calls.iter().map(call))
            .chain(std::iter::once(end))
            .collect()
    }

    fn function_call_json(&self, call: &GeneratedCall, answer: &GeneratedAnswer) -> Value {
        let function = json!({"name": call.name, "args": call.input});
        let signature = (!answer.reasoning_tokens.is_empty()).then(|| json!(self.signature));
        sparse_object([
            ("functionCall", Some(function)),
            ("thoughtSignature", signature),
        ])
    }

    /// Whether the prompt was blocked: then there is no candidate.
    fn is_blocked(&self) -> bool {
        self.answers.iter().any(|answer| answer.refused)
    }

    fn blocked_json(&self) -> Value {
        let prompt = self.usage.prompt_tokens;
        json!({
            "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
            "usageMetadata": {"promptTokenCount": prompt, "totalTokenCount": prompt},
            "modelVersion": self.model,
            "responseId": self.id,
        })
    }

    /// The response object around `candidates`, which have `generated` tokens in all.
    fn response_json(&self, candidates: Vec<Value>, generated: u64) -> Value {
        let GeneratedUsage {
            prompt_tokens: prompt,
            reasoning_tokens: reasoning,
            ..
        } = self.usage;
        let cached = self.usage.cached_tokens();
        let total = prompt.saturating_add(generated).saturating_add(reasoning);
        let unless_zero = |count: u64| (count > 0).then(|| json!(count));
        let details = json!([{"modality": "TEXT", "tokenCount": prompt}]);
        let usage = sparse_object([
            ("promptTokenCount", Some(json!(prompt))),
            ("cachedContentTokenCount", unless_zero(cached)),
            ("candidatesTokenCount", Some(json!(generated))),
            ("totalTokenCount", Some(json!(total))),
            ("promptTokensDetails", Some(details)),
            ("thoughtsTokenCount", unless_zero(reasoning)),
            ("serviceTier", Some(json!("standard"))),
        ]);
        json!({
            "candidates": candidates,
            "usageMetadata": usage,
            "modelVersion": self.model,
            "responseId": self.id,
        })
    }
}

/// The part of a Gemini candidate in one element of a streamed array.
struct ContentPiece {
    candidate: Value,
    /// The number of its tokens.
    tokens: usize,
    /// The number of tokens that count as the candidate's.
    answer_tokens: u64,
}

/// A candidate object, with its `finishReason` if it has ended.
fn candidate_json(index: usize, parts: Vec<Value>, ended: Option<&GeneratedAnswer>) -> Value {
    let parts = (!parts.is_empty()).then_some(parts);
    let content = sparse_object([
        ("parts", parts.map(Value::Array)),
        ("role", Some(json!("model"))),
    ]);
    let reason = ended.map(finish_reason);
    let rating = json!([{
        "category": "HARM_CATEGORY_DANGEROUS_CONTENT",
        "probability": "HIGH",
        "blocked": true,
    }]);
    sparse_object([
        ("content", Some(content)),
        ("finishReason", reason.map(|reason| json!(reason))),
        ("index", Some(json!(index))),
        (
            "safetyRatings",
            (reason == Some("SAFETY")).then_some(rating),
        ),
    ])
}

/// The `finishReason` of an answer; tool calls end with `STOP` here.
fn finish_reason(answer: &GeneratedAnswer) -> &'static str {
    match answer.finish {
        FinishCause::Stop | FinishCause::StopSequence(_) | FinishCause::ToolCalls => "STOP",
        FinishCause::Length => "MAX_TOKENS",
        FinishCause::Filtered => "SAFETY",
    }
}

/// The form of a Gemini reply: one object, an event stream, or a JSON array.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ReplyForm {
    Whole,
    /// A stream of events: `alt=sse`.
    Events,
    /// A stream as a growing JSON array.
    Array,
}

impl ReplyForm {
    pub(super) fn from_request(request: &ServerRequest) -> Self {
        if !request.path().ends_with(":streamGenerateContent") {
            Self::Whole
        } else if request.query_param("alt") == Some("sse") {
            Self::Events
        } else {
            Self::Array
        }
    }

    /// The content type of a reply in this form.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Events => EVENTS_TYPE,
            Self::Whole | Self::Array => JSON_TYPE,
        }
    }

    /// An element of a stream as written to the wire; `after` is the number of elements before it.
    fn element_text(self, value: &Value, after: usize) -> String {
        match self {
            Self::Events => format!("data: {}\r\n\r\n", json_line(value)),
            Self::Whole | Self::Array if after == 0 => format!("[{value:#}"),
            Self::Whole | Self::Array => format!("\n,\r\n{value:#}"),
        }
    }

    /// The text after the last element: the end of the array, nothing in other forms.
    fn end(self) -> Option<String> {
        (self == Self::Array).then(|| "\n]\n".to_owned())
    }
}

impl ApiAnswer for GeminiContent {
    fn body(&self) -> String {
        format!("{:#}\n", self.to_json())
    }

    fn events(&self) -> Vec<PacedEvent> {
        let elements = self.stream_elements().into_iter().enumerate();
        let event = |(at, (value, tokens))| {
            let text = self.form.element_text(&value, at);
            PacedEvent::new(text, tokens)
        };
        let end = self.form.end().map(|end| PacedEvent::new(end, 0));
        elements.map(event).chain(end).collect()
    }

    fn failure_events(&self, error: &ApiError, after: usize) -> Vec<String> {
        let error = self.form.element_text(&error_json(error), after);
        std::iter::once(error).chain(self.form.end()).collect()
    }
}

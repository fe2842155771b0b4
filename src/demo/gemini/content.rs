//! The response object: candidates with their parts, finish reasons and token counts
//! (<https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse>).

use serde_json::{Value, json};

use super::request;
use crate::demo::context::DemoContext;
use crate::demo::generation::{
    self, FinishCause, GeneratedAnswer, GeneratedCall, GenerationResult,
};
use crate::demo::json_values::sparse_object;
use crate::demo::model_request::ModelRequest;
use crate::demo::usage::GeneratedUsage;
use crate::demo::{ids, models, pacing};

/// Generated content, source of a whole reply and of a stream.
#[derive(Clone, Debug)]
pub(super) struct GeminiContent {
    id: String,
    model: String,
    answers: Vec<GeneratedAnswer>,
    pub(super) usage: GeneratedUsage,
    /// Whether reasoning is shown.
    pub(super) show_thinking: bool,
    signature: String,
}

/// Tokens in an element of a stream: Gemini sends larger pieces than other APIs.
const TOKENS_PER_ELEMENT: usize = 8;

impl GeminiContent {
    /// Generates the content for `question`, which was read from `body`.
    pub(super) fn generate(body: &Value, question: &ModelRequest, context: DemoContext) -> Self {
        let GenerationResult { answers, usage } = generation::generate(question, context);
        let seed = context.answer_seed();
        Self {
            id: ids::alphanumeric_id("", seed, 22),
            model: question.model.clone(),
            answers,
            usage,
            show_thinking: request::shows_thinking(&question.model, body),
            signature: ids::alphanumeric_id("Ep2d", seed, 80),
        }
    }

    /// The whole response object.
    pub(super) fn to_json(&self) -> Value {
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
    pub(super) fn stream_elements(&self) -> Vec<(Value, usize)> {
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

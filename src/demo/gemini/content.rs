//! The response object: candidates with their parts, finish reasons and token counts
//! (<https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse>).

use serde_json::{Value, json};

use super::head::sparse_object;
use super::request::GeminiRequest;
use crate::demo::generation::{
    self, FinishCause, GeneratedAnswer, GeneratedCall, GenerationResult,
};
use crate::demo::usage::GeneratedUsage;
use crate::demo::{DemoContext, ids, models, pacing};

/// Generated content, source of a whole reply and of a stream.
#[derive(Clone, Debug)]
pub(super) struct GeminiContent {
    id: String,
    model: String,
    pub(super) answers: Vec<GeneratedAnswer>,
    pub(super) usage: GeneratedUsage,
    /// Whether reasoning is shown.
    pub(super) show_thinking: bool,
    signature: String,
}

/// Tokens in an element of a stream: Gemini sends larger pieces than other APIs.
const TOKENS_PER_ELEMENT: usize = 8;

impl GeminiContent {
    pub(super) fn generate(asked: &GeminiRequest, seen: DemoContext) -> Self {
        let GenerationResult {
            answers: thoughts,
            usage,
        } = generation::generate(&asked.model_request, seen);
        let salt = generation::request_salt(seen);
        Self {
            id: ids::alphanumeric_id("", salt, 22),
            model: asked.model_request.model.clone(),
            answers: thoughts,
            usage,
            show_thinking: asked.show_thinking,
            signature: ids::alphanumeric_id("Ep2d", salt, 80),
        }
    }

    /// The whole response object.
    pub(super) fn to_json(&self) -> Value {
        if self.is_blocked() {
            return self.blocked_json();
        }
        let candidate = |(index, thought): (usize, &GeneratedAnswer)| {
            let mut parts = Vec::new();
            if self.show_thinking && !thought.reasoning_tokens.is_empty() {
                parts.push(json!({"text": thought.reasoning_tokens.concat(), "thought": true}));
            }
            if !thought.text_tokens.is_empty() {
                parts.push(json!({"text": thought.text_tokens.concat()}));
            }
            parts.extend(
                thought
                    .tool_calls
                    .iter()
                    .map(|call| self.function_call_json(call, thought)),
            );
            candidate_json(index, parts, Some(thought))
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
        let pieces = self
            .answers
            .iter()
            .map(|thought| self.answer_pieces(thought));
        let pieces = pacing::interleave(pieces.collect());
        let last = pieces.len().saturating_sub(1);
        let mut said = 0_u64;
        let element = |(at, (index, piece)): (usize, (usize, ContentPiece))| {
            said = match at == last {
                true => self.usage.answer_tokens(),
                false => said.saturating_add(piece.answer_tokens),
            };
            let ending = self.answers.get(index).filter(|_| piece.is_last);
            let candidates = vec![candidate_json(index, vec![piece.part], ending)];
            (self.response_json(candidates, said), piece.tokens)
        };
        pieces.into_iter().enumerate().map(element).collect()
    }

    /// The number of hidden tokens before the first element.
    pub(super) fn hidden_tokens(&self) -> u64 {
        if self.show_thinking {
            0
        } else {
            self.usage.reasoning_tokens
        }
    }

    fn answer_pieces(&self, thought: &GeneratedAnswer) -> Vec<ContentPiece> {
        let text = |(text, tokens): (String, usize)| ContentPiece {
            part: json!({"text": text}),
            tokens,
            answer_tokens: tokens as u64,
            is_last: false,
        };
        let thinking = |(text, tokens): (String, usize)| ContentPiece {
            part: json!({"text": text, "thought": true}),
            tokens,
            answer_tokens: 0,
            is_last: false,
        };
        let call = |call: &GeneratedCall| ContentPiece {
            part: self.function_call_json(call, thought),
            tokens: call.argument_tokens.len(),
            answer_tokens: call.token_count(),
            is_last: false,
        };
        let end = ContentPiece {
            part: json!({"text": ""}),
            tokens: 1,
            answer_tokens: 0,
            is_last: true,
        };
        let shown = if self.show_thinking {
            thought.reasoning_tokens.as_slice()
        } else {
            &[]
        };
        // A big body repeats the element with the mark, which must not be the one that opens the array.
        let opens = models::big_body_mebibytes(&self.model).map(|_| text((String::new(), 0)));
        pacing::group_tokens(shown, TOKENS_PER_ELEMENT)
            .map(thinking)
            .chain(opens)
            .chain(pacing::group_tokens(&thought.text_tokens, TOKENS_PER_ELEMENT).map(text))
            .chain(thought.tool_calls.iter().map(call))
            .chain(std::iter::once(end))
            .collect()
    }

    fn function_call_json(&self, call: &GeneratedCall, thought: &GeneratedAnswer) -> Value {
        let function = json!({"name": call.name, "args": call.input});
        let signature = (!thought.reasoning_tokens.is_empty()).then(|| json!(self.signature));
        sparse_object([
            ("functionCall", Some(function)),
            ("thoughtSignature", signature),
        ])
    }

    /// Whether the prompt was blocked: then there is no candidate.
    fn is_blocked(&self) -> bool {
        self.answers.iter().any(|thought| thought.refused)
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

    /// The response object around `candidates`, which have `said` tokens in all.
    fn response_json(&self, candidates: Vec<Value>, said: u64) -> Value {
        let GeneratedUsage {
            prompt_tokens: prompt,
            reasoning_tokens: reasoning,
            ..
        } = self.usage;
        let cached = Some(self.usage.cached_tokens()).filter(|cached| *cached > 0);
        let total = prompt.saturating_add(said).saturating_add(reasoning);
        let usage = sparse_object([
            ("promptTokenCount", Some(json!(prompt))),
            (
                "cachedContentTokenCount",
                cached.map(|cached| json!(cached)),
            ),
            ("candidatesTokenCount", Some(json!(said))),
            ("totalTokenCount", Some(json!(total))),
            (
                "promptTokensDetails",
                Some(json!([{"modality": "TEXT", "tokenCount": prompt}])),
            ),
            (
                "thoughtsTokenCount",
                (reasoning > 0).then(|| json!(reasoning)),
            ),
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

/// The piece of a candidate in one element.
struct ContentPiece {
    part: Value,
    /// The number of its tokens.
    tokens: usize,
    /// The number of tokens that count as the candidate's.
    answer_tokens: u64,
    /// Whether it is the last piece.
    is_last: bool,
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
fn finish_reason(thought: &GeneratedAnswer) -> &'static str {
    match thought.finish {
        FinishCause::Stop | FinishCause::StopSequence(_) | FinishCause::ToolCalls => "STOP",
        FinishCause::Length => "MAX_TOKENS",
        FinishCause::Filtered => "SAFETY",
    }
}

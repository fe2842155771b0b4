//! The message object (<https://docs.claude.com/en/api/messages>): its blocks, stop reason and token counts.

use serde_json::{Value, json};

use crate::demo::context::DemoContext;
use crate::demo::generation::{self, FinishCause, GeneratedAnswer, GeneratedCall};
use crate::demo::json_values::{merge_objects, sparse_object};
use crate::demo::model_request::ModelRequest;
use crate::demo::usage::GeneratedUsage;
use crate::demo::{ids, models};

/// A message, source of a whole reply and of a stream.
#[derive(Clone, Debug)]
pub(super) struct AnthropicMessage {
    id: String,
    model: String,
    pub(super) blocks: Vec<ContentBlock>,
    /// `stop_reason`, `stop_sequence` and `stop_details`.
    pub(super) stop_fields: Value,
    pub(super) usage: GeneratedUsage,
    cache_use: CacheUse,
    pub(super) context: DemoContext,
}

/// One block of a message's content.
#[derive(Clone, Debug)]
pub(super) enum ContentBlock {
    Thinking {
        tokens: Vec<String>,
        signature: String,
    },
    Text(Vec<String>),
    ToolUse(GeneratedCall),
}

/// How the prompt cache is used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum CacheUse {
    Unused,
    Written,
    Read,
}

impl AnthropicMessage {
    /// Generates the message for `question`, which was read from `body`.
    pub(super) fn generate(body: &Value, question: &ModelRequest, context: DemoContext) -> Self {
        let (answer, usage) = generation::generate_one(question, context);
        let seed = context.answer_seed();
        Self {
            id: ids::alphanumeric_id("msg_01", seed, 22),
            model: models::served_model(&question.model).to_owned(),
            stop_fields: stop_json(&answer),
            cache_use: CacheUse::from_request(body, context),
            blocks: content_blocks(answer, seed),
            usage,
            context,
        }
    }

    /// The message object, with or without the values that are known only at its end.
    pub(super) fn to_json(&self, whole: bool) -> Value {
        let blocks = self.blocks.iter().filter(|_| whole);
        let start = json!({
            "model": self.model,
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "content": blocks.map(ContentBlock::to_json).collect::<Value>(),
        });
        let begun = json!({"stop_reason": null, "stop_sequence": null, "stop_details": null});
        let stop = if whole { &self.stop_fields } else { &begun };
        let (_, written, _) = self.input_tokens();
        let creation =
            json!({"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0});
        let usage = self.usage_json(whole, Some(creation), Some(json!("standard")));
        merge_objects(merge_objects(start, stop.clone()), json!({"usage": usage}))
    }

    /// The usage at the end of a stream.
    pub(super) fn final_usage_json(&self) -> Value {
        self.usage_json(true, None, None)
    }

    fn usage_json(&self, whole: bool, creation: Option<Value>, tier: Option<Value>) -> Value {
        let (fresh, written, read) = self.input_tokens();
        let tokens = if whole {
            self.usage.completion_tokens
        } else {
            1
        };
        let thinking = self.usage.reasoning_tokens;
        let details = (whole && thinking > 0).then(|| json!({"thinking_tokens": thinking}));
        sparse_object([
            ("input_tokens", Some(json!(fresh))),
            ("cache_creation_input_tokens", Some(json!(written))),
            ("cache_read_input_tokens", Some(json!(read))),
            ("cache_creation", creation),
            ("output_tokens", Some(json!(tokens))),
            ("output_tokens_details", details),
            ("service_tier", tier),
        ])
    }

    /// The tokens of the prompt that are uncached, written to the cache, and read from it. Their sum is the prompt.
    fn input_tokens(&self) -> (u64, u64, u64) {
        let (all, cached) = (self.usage.prompt_tokens, self.usage.cached_tokens());
        match self.cache_use {
            CacheUse::Unused => (all, 0, 0),
            CacheUse::Written => (all.saturating_sub(cached), cached, 0),
            CacheUse::Read => (all.saturating_sub(cached), 0, cached),
        }
    }
}

impl CacheUse {
    /// How a request uses the cache, if `cache_control` asks for it: the first request to a server writes it,
    /// later ones read it (<https://docs.claude.com/en/docs/build-with-claude/prompt-caching>).
    fn from_request(body: &Value, context: DemoContext) -> Self {
        let is_marked = |key: &str| body[key].to_string().contains("\"cache_control\":{");
        let inside = ["system", "messages", "tools"].into_iter().any(is_marked);
        match inside || body.get("cache_control").is_some() {
            false => Self::Unused,
            true if context.request_number <= 1 => Self::Written,
            true => Self::Read,
        }
    }
}

impl ContentBlock {
    /// The JSON of the whole content block.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Thinking { tokens, signature } => {
                json!({"type": "thinking", "thinking": tokens.concat(), "signature": signature})
            }
            Self::Text(tokens) => json!({"type": "text", "text": tokens.concat()}),
            Self::ToolUse(call) => tool_use_json(call, &call.input),
        }
    }

    /// The JSON of a content block at its start, without content.
    pub(super) fn begun_json(&self) -> Value {
        match self {
            Self::Thinking { .. } => json!({"type": "thinking", "thinking": "", "signature": ""}),
            Self::Text(_) => json!({"type": "text", "text": ""}),
            Self::ToolUse(call) => tool_use_json(call, &json!({})),
        }
    }
}

fn tool_use_json(call: &GeneratedCall, input: &Value) -> Value {
    json!({"type": "tool_use", "id": call.make_id("toolu_01", 22), "name": call.name, "input": input})
}

fn content_blocks(answer: GeneratedAnswer, seed: u64) -> Vec<ContentBlock> {
    let mut blocks = Vec::new();
    if !answer.reasoning_tokens.is_empty() {
        blocks.push(ContentBlock::Thinking {
            tokens: answer.reasoning_tokens,
            signature: format!("{}==", ids::alphanumeric_id("EpkK", seed, 94)),
        });
    }
    // A refusal has no text: only the stop reason names it.
    if !answer.text_tokens.is_empty() && !answer.refused {
        blocks.push(ContentBlock::Text(answer.text_tokens));
    }
    blocks.extend(answer.tool_calls.into_iter().map(ContentBlock::ToolUse));
    blocks
}

fn stop_json(answer: &GeneratedAnswer) -> Value {
    let refusal = json!({
        "type": "refusal",
        "category": null,
        "explanation": "This demo model refuses every request.",
    });
    let reason = match &answer.finish {
        _ if answer.refused => "refusal",
        FinishCause::Filtered => "refusal",
        FinishCause::Stop => "end_turn",
        FinishCause::StopSequence(_) => "stop_sequence",
        FinishCause::Length => "max_tokens",
        FinishCause::ToolCalls => "tool_use",
    };
    let sequence = match &answer.finish {
        FinishCause::StopSequence(sequence) if !answer.refused => Some(sequence),
        _ => None,
    };
    let details = (reason == "refusal").then_some(refusal);
    json!({"stop_reason": reason, "stop_sequence": sequence, "stop_details": details})
}

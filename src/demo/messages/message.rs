//! The message object (<https://docs.claude.com/en/api/messages>): its blocks, stop reason and token counts.

use serde_json::{Map, Value, json};

use crate::demo::generation::{
    self, FinishCause, GeneratedAnswer, GeneratedCall, GenerationResult,
};
use crate::demo::model_request::ModelRequest;
use crate::demo::usage::GeneratedUsage;
use crate::demo::{DemoContext, ids, models};

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
    pub(super) fn generate(
        body: &Map<String, Value>,
        ask: &ModelRequest,
        seen: DemoContext,
    ) -> Self {
        let GenerationResult {
            answers: thoughts,
            usage,
        } = generation::generate(ask, seen);
        let thought = thoughts.into_iter().next().unwrap_or_default();
        let salt = generation::request_salt(seen);
        Self {
            id: ids::alphanumeric_id("msg_01", salt, 22),
            model: models::served_model(&ask.model).to_owned(),
            stop_fields: stop_json(&thought),
            cache_use: CacheUse::from_request(body, seen),
            blocks: content_blocks(thought, salt),
            usage,
        }
    }

    /// The message object, with or without the values that are known only at its end.
    pub(super) fn to_json(&self, whole: bool) -> Value {
        let content: Vec<Value> = self.blocks.iter().map(ContentBlock::to_json).collect();
        let mut object = json!({
            "model": self.model,
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "content": if whole { content } else { Vec::new() },
        });
        let begun = json!({"stop_reason": null, "stop_sequence": null, "stop_details": null});
        let stop = if whole { &self.stop_fields } else { &begun };
        if let (Value::Object(object), Value::Object(stop)) = (&mut object, stop) {
            object.extend(stop.clone());
            object.insert("usage".to_owned(), self.usage_json(whole));
        }
        object
    }

    fn usage_json(&self, whole: bool) -> Value {
        let (fresh, written, read) = self.input_tokens();
        let output = if whole {
            self.usage.completion_tokens
        } else {
            1
        };
        let mut usage = json!({
            "input_tokens": fresh,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
            "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
            "output_tokens": output,
        });
        if whole && self.usage.reasoning_tokens > 0 {
            usage["output_tokens_details"] =
                json!({"thinking_tokens": self.usage.reasoning_tokens});
        }
        usage["service_tier"] = json!("standard");
        usage
    }

    /// The usage at the end of a stream.
    pub(super) fn final_usage_json(&self) -> Value {
        let (fresh, written, read) = self.input_tokens();
        let mut usage = json!({
            "input_tokens": fresh,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
            "output_tokens": self.usage.completion_tokens,
        });
        if self.usage.reasoning_tokens > 0 {
            usage["output_tokens_details"] =
                json!({"thinking_tokens": self.usage.reasoning_tokens});
        }
        usage
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
    fn from_request(body: &Map<String, Value>, seen: DemoContext) -> Self {
        let inside = ["system", "messages", "tools"];
        let marked = |key: &&str| {
            let text = body.get(*key).map(Value::to_string).unwrap_or_default();
            text.contains("\"cache_control\":{")
        };
        match body.contains_key("cache_control") || inside.iter().any(marked) {
            false => Self::Unused,
            true if seen.request_number <= 1 => Self::Written,
            true => Self::Read,
        }
    }
}

impl ContentBlock {
    /// The whole block.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Thinking { tokens, signature } => {
                json!({"type": "thinking", "thinking": tokens.concat(), "signature": signature})
            }
            Self::Text(tokens) => json!({"type": "text", "text": tokens.concat()}),
            Self::ToolUse(call) => tool_use_json(call, &call.input),
        }
    }

    /// The block at its start, without content.
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

fn content_blocks(thought: GeneratedAnswer, salt: u64) -> Vec<ContentBlock> {
    let mut blocks = Vec::new();
    if !thought.reasoning_tokens.is_empty() {
        blocks.push(ContentBlock::Thinking {
            tokens: thought.reasoning_tokens,
            signature: format!("{}==", ids::alphanumeric_id("EpkK", salt, 94)),
        });
    }
    // A refusal has no text: only the stop reason names it.
    if !thought.text_tokens.is_empty() && !thought.refused {
        blocks.push(ContentBlock::Text(thought.text_tokens));
    }
    blocks.extend(thought.tool_calls.into_iter().map(ContentBlock::ToolUse));
    blocks
}

fn stop_json(thought: &GeneratedAnswer) -> Value {
    let refusal = json!({
        "type": "refusal",
        "category": null,
        "explanation": "This demo model refuses every request.",
    });
    let reason = match &thought.finish {
        _ if thought.refused => "refusal",
        FinishCause::Filtered => "refusal",
        FinishCause::Stop => "end_turn",
        FinishCause::StopSequence(_) => "stop_sequence",
        FinishCause::Length => "max_tokens",
        FinishCause::ToolCalls => "tool_use",
    };
    let sequence = match &thought.finish {
        FinishCause::StopSequence(sequence) if !thought.refused => Some(sequence),
        _ => None,
    };
    let details = (reason == "refusal").then_some(refusal);
    json!({"stop_reason": reason, "stop_sequence": sequence, "stop_details": details})
}

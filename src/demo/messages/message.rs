//! The message object (<https://docs.claude.com/en/api/messages>): its blocks, why it stopped, what it cost.

use serde_json::{Map, Value, json};

use crate::demo::ask::Ask;
use crate::demo::thought::{self, Answer, Call, Finish, Thought};
use crate::demo::usage::Usage;
use crate::demo::{Context, ids, models};

/// A message, for a plain reply and for a stream alike.
#[derive(Clone, Debug)]
pub(super) struct Message {
    id: String,
    model: String,
    pub(super) blocks: Vec<Block>,
    /// `stop_reason`, `stop_sequence` and `stop_details`.
    pub(super) stop: Value,
    pub(super) usage: Usage,
    cache: Cache,
}

/// One block of its content.
#[derive(Clone, Debug)]
pub(super) enum Block {
    Thinking {
        tokens: Vec<String>,
        signature: String,
    },
    Text(Vec<String>),
    Call(Call),
}

/// What a cache has to do with the prompt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Cache {
    None,
    Written,
    Read,
}

impl Message {
    pub(super) fn write(body: &Map<String, Value>, ask: &Ask, seen: Context) -> Self {
        let Answer { thoughts, usage } = thought::answer(ask, seen);
        let thought = thoughts.into_iter().next().unwrap_or_default();
        let salt = thought::salt(seen);
        Self {
            id: ids::id("msg_01", salt, 22),
            model: models::served(&ask.model).to_owned(),
            stop: stop(&thought),
            cache: Cache::of(body, seen),
            blocks: blocks(thought, salt),
            usage,
        }
    }

    /// The object, with or without what is known at its end only.
    pub(super) fn json(&self, whole: bool) -> Value {
        let content: Vec<Value> = self.blocks.iter().map(Block::json).collect();
        let mut object = json!({
            "model": self.model,
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "content": if whole { content } else { Vec::new() },
        });
        let begun = json!({"stop_reason": null, "stop_sequence": null, "stop_details": null});
        let stop = if whole { &self.stop } else { &begun };
        if let (Value::Object(object), Value::Object(stop)) = (&mut object, stop) {
            object.extend(stop.clone());
            object.insert("usage".to_owned(), self.usage(whole));
        }
        object
    }

    fn usage(&self, whole: bool) -> Value {
        let (fresh, written, read) = self.input();
        let output = if whole { self.usage.completion } else { 1 };
        let mut usage = json!({
            "input_tokens": fresh,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
            "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
            "output_tokens": output,
        });
        if whole && self.usage.reasoning > 0 {
            usage["output_tokens_details"] = json!({"thinking_tokens": self.usage.reasoning});
        }
        usage["service_tier"] = json!("standard");
        usage
    }

    /// The usage that a stream ends with.
    pub(super) fn final_usage(&self) -> Value {
        let (fresh, written, read) = self.input();
        let mut usage = json!({
            "input_tokens": fresh,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
            "output_tokens": self.usage.completion,
        });
        if self.usage.reasoning > 0 {
            usage["output_tokens_details"] = json!({"thinking_tokens": self.usage.reasoning});
        }
        usage
    }

    /// Tokens of the prompt: fresh, written to a cache, read from one. They add up to the prompt.
    fn input(&self) -> (u64, u64, u64) {
        let (all, cached) = (self.usage.prompt, self.usage.cached());
        match self.cache {
            Cache::None => (all, 0, 0),
            Cache::Written => (all.saturating_sub(cached), cached, 0),
            Cache::Read => (all.saturating_sub(cached), 0, cached),
        }
    }
}

impl Cache {
    /// A cache is used where `cache_control` asks for it: the first request of a server writes it, and
    /// later ones read it (<https://docs.claude.com/en/docs/build-with-claude/prompt-caching>).
    fn of(body: &Map<String, Value>, seen: Context) -> Self {
        let inside = ["system", "messages", "tools"];
        let marked = |key: &&str| {
            let text = body.get(*key).map(Value::to_string).unwrap_or_default();
            text.contains("\"cache_control\":{")
        };
        match body.contains_key("cache_control") || inside.iter().any(marked) {
            false => Self::None,
            true if seen.seq <= 1 => Self::Written,
            true => Self::Read,
        }
    }
}

impl Block {
    /// The block, whole.
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Thinking { tokens, signature } => {
                json!({"type": "thinking", "thinking": tokens.concat(), "signature": signature})
            }
            Self::Text(tokens) => json!({"type": "text", "text": tokens.concat()}),
            Self::Call(call) => tool_use(call, &call.input),
        }
    }

    /// The block as it begins.
    pub(super) fn begun(&self) -> Value {
        match self {
            Self::Thinking { .. } => json!({"type": "thinking", "thinking": "", "signature": ""}),
            Self::Text(_) => json!({"type": "text", "text": ""}),
            Self::Call(call) => tool_use(call, &json!({})),
        }
    }
}

fn tool_use(call: &Call, input: &Value) -> Value {
    json!({"type": "tool_use", "id": call.id("toolu_01", 22), "name": call.name, "input": input})
}

fn blocks(thought: Thought, salt: u64) -> Vec<Block> {
    let mut blocks = Vec::new();
    if !thought.reasoning.is_empty() {
        blocks.push(Block::Thinking {
            tokens: thought.reasoning,
            signature: format!("{}==", ids::id("EpkK", salt, 94)),
        });
    }
    // A refusal says nothing: that it is one stands where the reason does.
    if !thought.text.is_empty() && !thought.refused {
        blocks.push(Block::Text(thought.text));
    }
    blocks.extend(thought.calls.into_iter().map(Block::Call));
    blocks
}

fn stop(thought: &Thought) -> Value {
    let refusal = json!({
        "type": "refusal",
        "category": null,
        "explanation": "This demo model refuses every request.",
    });
    let reason = match &thought.finish {
        _ if thought.refused => "refusal",
        Finish::Filtered => "refusal",
        Finish::Stop => "end_turn",
        Finish::Sequence(_) => "stop_sequence",
        Finish::Length => "max_tokens",
        Finish::Calls => "tool_use",
    };
    let sequence = match &thought.finish {
        Finish::Sequence(sequence) if !thought.refused => Some(sequence),
        _ => None,
    };
    let details = (reason == "refusal").then_some(refusal);
    json!({"stop_reason": reason, "stop_sequence": sequence, "stop_details": details})
}

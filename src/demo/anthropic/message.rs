//! The message object: its blocks, stop reason and token counts, whole and as named events
//! (<https://docs.claude.com/en/api/messages>, <https://docs.claude.com/en/docs/build-with-claude/streaming>).

use serde_json::{Value, json};

use super::rules::error_json;
use crate::demo::api_answer::ApiAnswer;
use crate::demo::api_error::ApiError;
use crate::demo::context::DemoContext;
use crate::demo::generation::{self, FinishCause, GeneratedAnswer, GeneratedCall};
use crate::demo::json_values::{merge_objects, sparse_object, text_at};
use crate::demo::model_request::ModelRequest;
use crate::demo::pacing::{self, PacedEvent};
use crate::demo::usage::GeneratedUsage;
use crate::demo::{ids, models};

/// A message, source of a whole reply and of a stream.
#[derive(Clone, Debug)]
pub(super) struct AnthropicMessage {
    id: String,
    model: String,
    blocks: Vec<ContentBlock>,
    /// `stop_reason`, `stop_sequence` and `stop_details`.
    stop_fields: Value,
    pub(super) usage: GeneratedUsage,
    /// The tokens of the prompt that are uncached, written to the cache, and read from it. Their sum is the prompt.
    input_tokens: [u64; 3],
    context: DemoContext,
}

/// One block of a message's content.
#[derive(Clone, Debug)]
enum ContentBlock {
    Thinking {
        tokens: Vec<String>,
        signature: String,
    },
    Text(Vec<String>),
    ToolUse(GeneratedCall),
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
            input_tokens: split_input_tokens(body, usage, context),
            blocks: content_blocks(answer, seed),
            usage,
            context,
        }
    }

    /// The message object, with or without the values that are known only at its end.
    fn to_json(&self, whole: bool) -> Value {
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
        let [_, written, _] = self.input_tokens;
        let creation =
            json!({"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0});
        let usage = self.usage_json(whole, Some(creation), Some(json!("standard")));
        merge_objects(merge_objects(start, stop.clone()), json!({"usage": usage}))
    }

    /// The usage at the end of a stream.
    fn final_usage_json(&self) -> Value {
        self.usage_json(true, None, None)
    }

    fn usage_json(&self, whole: bool, creation: Option<Value>, tier: Option<Value>) -> Value {
        let [fresh, written, read] = self.input_tokens;
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
}

/// The input tokens of a message: uncached, written to the cache, read from it. The cache is used if `cache_control`
/// asks for it: the first request to a server writes it, later ones read it
/// (<https://docs.claude.com/en/docs/build-with-claude/prompt-caching>).
fn split_input_tokens(body: &Value, usage: GeneratedUsage, context: DemoContext) -> [u64; 3] {
    let is_marked = |key: &str| body[key].to_string().contains("\"cache_control\":{");
    let inside = ["system", "messages", "tools"].into_iter().any(is_marked);
    let cached = usage.cached_tokens();
    let fresh = usage.prompt_tokens.saturating_sub(cached);
    match inside || body.get("cache_control").is_some() {
        false => [usage.prompt_tokens, 0, 0],
        true if context.request_number <= 1 => [fresh, cached, 0],
        true => [fresh, 0, cached],
    }
}

impl ContentBlock {
    /// The JSON of the whole content block.
    fn to_json(&self) -> Value {
        match self {
            Self::Thinking { tokens, signature } => {
                json!({"type": "thinking", "thinking": tokens.concat(), "signature": signature})
            }
            Self::Text(tokens) => json!({"type": "text", "text": tokens.concat()}),
            Self::ToolUse(call) => tool_use_json(call, &call.input),
        }
    }

    /// The JSON of a content block at its start, without content.
    fn begun_json(&self) -> Value {
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

/// Tokens in a delta: Anthropic sends several at once.
const TOKENS_PER_DELTA: usize = 3;

impl ApiAnswer for AnthropicMessage {
    fn body(&self) -> String {
        self.to_json(true).to_string()
    }

    fn events(&self) -> Vec<PacedEvent> {
        message_events(self)
    }

    fn failure_events(&self, error: &ApiError, _: usize) -> Vec<String> {
        let error = error_json(error, self.context);
        vec![format!("event: error\ndata: {error}\n\n")]
    }
}

fn message_events(message: &AnthropicMessage) -> Vec<PacedEvent> {
    let begun = json!({"type": "message_start", "message": message.to_json(false)});
    let mut events = vec![padded_event(&begun, 0)];
    let ping = || PacedEvent::new("event: ping\ndata: {\"type\": \"ping\"}\n\n".to_owned(), 0);
    for (index, block) in message.blocks.iter().enumerate() {
        let begun = json!({
            "type": "content_block_start",
            "index": index,
            "content_block": block.begun_json(),
        });
        events.push(padded_event(&begun, 1));
        if index == 0 {
            events.push(ping());
        }
        for (delta, tokens) in block_deltas(block) {
            let delta = json!({"type": "content_block_delta", "index": index, "delta": delta});
            events.push(padded_event(&delta, tokens));
        }
        events.push(padded_event(
            &json!({"type": "content_block_stop", "index": index}),
            0,
        ));
    }
    if message.blocks.is_empty() {
        events.push(ping());
    }
    let ended = json!({
        "type": "message_delta",
        "delta": message.stop_fields,
        "usage": message.final_usage_json(),
    });
    events.push(padded_event(&ended, 1));
    events.push(padded_event(&json!({"type": "message_stop"}), 0));
    events
}

/// The deltas of a block, each with its number of tokens.
fn block_deltas(block: &ContentBlock) -> Vec<(Value, usize)> {
    let deltas = |tokens: &[String], kind: &str, key: &str| -> Vec<(Value, usize)> {
        pacing::group_tokens(tokens, TOKENS_PER_DELTA)
            .map(|(text, count)| (json!({"type": kind, key: text}), count))
            .collect()
    };
    match block {
        ContentBlock::Thinking { tokens, signature } => {
            let mut deltas = deltas(tokens, "thinking_delta", "thinking");
            let signature = json!({"type": "signature_delta", "signature": signature});
            deltas.push((signature, 0));
            deltas
        }
        ContentBlock::Text(tokens) => deltas(tokens, "text_delta", "text"),
        ContentBlock::ToolUse(call) => {
            let (kind, key) = ("input_json_delta", "partial_json");
            let mut deltas = deltas(&call.argument_tokens, kind, key);
            deltas.insert(0, (json!({"type": kind, key: ""}), 0));
            deltas
        }
    }
}

/// An event as written to the wire. Spaces before the last brace pad its data, so that its
/// size reveals less about the text.
fn padded_event(data: &Value, tokens: usize) -> PacedEvent {
    let name = text_at(data, "type");
    let text = data.to_string();
    let spaces = usize::try_from(ids::hash_text(&text) % 16).unwrap_or(0);
    let text = text.strip_suffix('}').unwrap_or(&text);
    PacedEvent::new(
        format!("event: {name}\ndata: {text}{:spaces$}}}\n\n", ""),
        tokens,
    )
}

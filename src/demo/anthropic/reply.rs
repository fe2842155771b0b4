//! A message as a reply: whole, or as a stream of named events
//! (<https://docs.claude.com/en/docs/build-with-claude/streaming>).

use serde_json::{Value, json};

use super::message::{AnthropicMessage, ContentBlock};
use super::{error, head};
use crate::demo::api_answer::ApiAnswer;
use crate::demo::api_error::ApiError;
use crate::demo::context::DemoContext;
use crate::demo::head::{EVENTS_TYPE, JSON_TYPE, ReplyFields};
use crate::demo::ids;
use crate::demo::json_values::text_at;
use crate::demo::pacing::{self, PacedEvent};
use crate::demo::usage::GeneratedUsage;

/// Tokens in a delta: Anthropic sends several at once.
const TOKENS_PER_DELTA: usize = 3;

impl ApiAnswer for AnthropicMessage {
    fn usage(&self) -> GeneratedUsage {
        self.usage
    }

    fn head_fields(&self, streamed: bool, context: DemoContext) -> ReplyFields {
        let content_type = if streamed { EVENTS_TYPE } else { JSON_TYPE };
        head::head_fields(content_type, self.usage, context)
    }

    fn body(&self) -> String {
        self.to_json(true).to_string()
    }

    fn events(&self) -> Vec<PacedEvent> {
        message_events(self)
    }

    fn failure(&self) -> ApiError {
        error::overloaded()
    }

    fn failure_events(&self, _: usize) -> Vec<String> {
        let error = error::error_json(&self.failure(), self.context);
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

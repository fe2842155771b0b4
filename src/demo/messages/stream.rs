//! A message as a stream of named events (<https://docs.claude.com/en/docs/build-with-claude/streaming>).

use serde_json::{Value, json};

use super::head;
use super::message::{AnthropicMessage, ContentBlock};
use crate::demo::pacing::{self, PacedEvent};
use crate::demo::{DemoContext, ids};
use crate::serve::reply::ServerReply;

/// Tokens in a delta: Anthropic sends several at once.
const TOKENS_PER_DELTA: usize = 3;

/// The message as a stream with an event for each [`TOKENS_PER_DELTA`] tokens.
pub(super) fn stream_reply(message: &AnthropicMessage, seen: DemoContext) -> ServerReply {
    let fields = head::head_fields("text/event-stream; charset=utf-8", message.usage, seen);
    pacing::stream_reply(fields, message_events(message), seen)
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
    let texts = |tokens: &[String], kind: &str, key: &str| -> Vec<(Value, usize)> {
        pacing::group_tokens(tokens, TOKENS_PER_DELTA)
            .map(|(text, count)| (json!({"type": kind, key: text}), count))
            .collect()
    };
    match block {
        ContentBlock::Thinking { tokens, signature } => {
            let mut deltas = texts(tokens, "thinking_delta", "thinking");
            let signature = json!({"type": "signature_delta", "signature": signature});
            deltas.push((signature, 0));
            deltas
        }
        ContentBlock::Text(tokens) => texts(tokens, "text_delta", "text"),
        ContentBlock::ToolUse(call) => {
            let first = json!({"type": "input_json_delta", "partial_json": ""});
            let mut deltas = vec![(first, 0)];
            deltas.extend(texts(
                &call.argument_tokens,
                "input_json_delta",
                "partial_json",
            ));
            deltas
        }
    }
}

/// An event as written to the wire. Spaces before the last brace pad its data, so that its
/// size reveals less about the text.
fn padded_event(data: &Value, tokens: usize) -> PacedEvent {
    let name = data.get("type").and_then(Value::as_str).unwrap_or_default();
    let text = data.to_string();
    let spaces = usize::try_from(ids::hash_text(&text) % 16).unwrap_or(0);
    let text = text.strip_suffix('}').unwrap_or(&text);
    PacedEvent::new(
        format!("event: {name}\ndata: {text}{:spaces$}}}\n\n", ""),
        tokens,
    )
}

/// An error as an event.
pub(super) fn error_event(error: &Value) -> String {
    format!("event: error\ndata: {error}\n\n")
}

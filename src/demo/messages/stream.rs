//! A message as a stream of named events (<https://docs.claude.com/en/docs/build-with-claude/streaming>).

use serde_json::{Value, json};

use super::head;
use super::message::{Block, Message};
use crate::demo::flow::{self, Event};
use crate::demo::{Context, ids};
use crate::serve::reply::Reply;

/// How many tokens a delta brings.
const GROUP: usize = 3;

/// The message, an event for some tokens.
pub(super) fn reply(message: &Message, seen: Context) -> Reply {
    let fields = head::fields("text/event-stream; charset=utf-8", message.usage, seen);
    flow::streamed(fields, events(message), seen)
}

fn events(message: &Message) -> Vec<Event> {
    let begun = json!({"type": "message_start", "message": message.json(false)});
    let mut events = vec![event(&begun, 0)];
    let ping = || Event::new("event: ping\ndata: {\"type\": \"ping\"}\n\n".to_owned(), 0);
    for (index, block) in message.blocks.iter().enumerate() {
        let begun = json!({
            "type": "content_block_start",
            "index": index,
            "content_block": block.begun(),
        });
        events.push(event(&begun, 1));
        if index == 0 {
            events.push(ping());
        }
        for (delta, tokens) in deltas(block) {
            let delta = json!({"type": "content_block_delta", "index": index, "delta": delta});
            events.push(event(&delta, tokens));
        }
        events.push(event(
            &json!({"type": "content_block_stop", "index": index}),
            0,
        ));
    }
    if message.blocks.is_empty() {
        events.push(ping());
    }
    let ended = json!({
        "type": "message_delta",
        "delta": message.stop,
        "usage": message.final_usage(),
    });
    events.push(event(&ended, 1));
    events.push(event(&json!({"type": "message_stop"}), 0));
    events
}

/// The deltas of a block, each with the tokens that it brings.
fn deltas(block: &Block) -> Vec<(Value, usize)> {
    let texts = |tokens: &[String], kind: &str, key: &str| -> Vec<(Value, usize)> {
        flow::grouped(tokens, GROUP)
            .map(|(text, count)| (json!({"type": kind, key: text}), count))
            .collect()
    };
    match block {
        Block::Thinking { tokens, signature } => {
            let mut deltas = texts(tokens, "thinking_delta", "thinking");
            let signature = json!({"type": "signature_delta", "signature": signature});
            deltas.push((signature, 0));
            deltas
        }
        Block::Text(tokens) => texts(tokens, "text_delta", "text"),
        Block::Call(call) => {
            let first = json!({"type": "input_json_delta", "partial_json": ""});
            let mut deltas = vec![(first, 0)];
            deltas.extend(texts(&call.arguments, "input_json_delta", "partial_json"));
            deltas
        }
    }
}

/// An event as it crosses the wire: its data is filled up with spaces before the last brace, so that its
/// size tells less about the text.
fn event(data: &Value, tokens: usize) -> Event {
    let name = data.get("type").and_then(Value::as_str).unwrap_or_default();
    let text = data.to_string();
    let spaces = usize::try_from(ids::hash(&text) % 16).unwrap_or(0);
    let text = text.strip_suffix('}').unwrap_or(&text);
    Event::new(
        format!("event: {name}\ndata: {text}{:spaces$}}}\n\n", ""),
        tokens,
    )
}

/// An error as an event.
pub(super) fn failure(error: &Value) -> String {
    format!("event: error\ndata: {error}\n\n")
}

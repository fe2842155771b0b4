//! A completion as a stream of events
//! (<https://platform.openai.com/docs/api-reference/chat-streaming>).

use serde_json::{Map, Value, json};

use super::completion::{ChatCompletion, finish_reason, usage_object};
use super::object::logprobs_object;
use super::request::ChatCompletionRequest;
use crate::demo::DemoContext;
use crate::demo::generation::{GeneratedAnswer, GeneratedCall};
use crate::demo::openai::head;
use crate::demo::pacing::{self, PacedEvent};
use crate::serve::reply::ServerReply;

/// The completion as a stream with an event for each token.
pub(super) fn stream_reply(
    ask: &ChatCompletionRequest,
    completion: &ChatCompletion,
    seen: DemoContext,
) -> ServerReply {
    let mut events: Vec<PacedEvent> = completion_events(ask, completion)
        .iter()
        .map(|event| PacedEvent::new(event_text(event), 1))
        .collect();
    events.push(PacedEvent::new("data: [DONE]\n\n".to_owned(), 0));
    let tokens = completion.usage.total_tokens();
    let fields = head::head_fields("text/event-stream; charset=utf-8", seen, tokens);
    pacing::stream_reply(fields, events, seen)
}

/// An event as written to the wire.
pub(super) fn event_text(event: &Value) -> String {
    format!("data: {event}\n\n")
}

fn completion_events(ask: &ChatCompletionRequest, completion: &ChatCompletion) -> Vec<Value> {
    let each = completion.choices.iter();
    let deltas = each.map(|choice| choice_deltas(ask, choice)).collect();
    let mut events: Vec<Value> = pacing::interleave(deltas)
        .into_iter()
        .map(|(index, delta)| choice_chunk(ask, completion, index, delta))
        .collect();
    if ask.include_usage {
        let usage = usage_object(completion.usage);
        events.push(chunk_object(completion, json!([]), Some(usage)));
    }
    events
}

/// One step of a choice.
struct ChoiceDelta {
    delta: Value,
    logprobs: Value,
    finish_reason: Option<&'static str>,
}

impl ChoiceDelta {
    fn new(delta: Value) -> Self {
        Self {
            delta,
            logprobs: Value::Null,
            finish_reason: None,
        }
    }
}

fn choice_deltas(ask: &ChatCompletionRequest, choice: &GeneratedAnswer) -> Vec<ChoiceDelta> {
    let thinks = !choice.reasoning_tokens.is_empty();
    let mut deltas = vec![ChoiceDelta::new(role_delta(choice))];
    for piece in &choice.reasoning_tokens {
        deltas.push(ChoiceDelta::new(
            json!({"content": null, "reasoning_content": piece}),
        ));
    }
    for piece in &choice.text_tokens {
        let delta = match (choice.refused, thinks) {
            (true, _) => json!({"refusal": piece}),
            (false, true) => json!({"content": piece, "reasoning_content": null}),
            (false, false) => json!({"content": piece}),
        };
        deltas.push(ChoiceDelta {
            logprobs: logprobs_object(ask, choice.refused, std::slice::from_ref(piece)),
            ..ChoiceDelta::new(delta)
        });
    }
    for (index, call) in choice.tool_calls.iter().enumerate() {
        deltas.extend(call_deltas(index, call));
    }
    deltas.push(ChoiceDelta {
        finish_reason: Some(finish_reason(choice)),
        ..ChoiceDelta::new(if thinks {
            json!({"content": "", "reasoning_content": null})
        } else {
            json!({})
        })
    });
    deltas
}

/// The first delta, which names the role.
fn role_delta(choice: &GeneratedAnswer) -> Value {
    if !choice.reasoning_tokens.is_empty() {
        json!({"role": "assistant", "content": null, "reasoning_content": ""})
    } else if !choice.tool_calls.is_empty() {
        json!({"role": "assistant", "content": null})
    } else if choice.refused {
        json!({"role": "assistant", "content": null, "refusal": ""})
    } else {
        json!({"role": "assistant", "content": "", "refusal": null})
    }
}

/// The deltas of a tool call: its name once, then its arguments in pieces.
fn call_deltas(index: usize, call: &GeneratedCall) -> impl Iterator<Item = ChoiceDelta> {
    let function = json!({"name": call.name, "arguments": ""});
    let named = json!({"index": index, "id": call.make_id("call_", 24), "type": "function", "function": function});
    let pieces = call
        .argument_tokens
        .iter()
        .map(move |piece| json!({"index": index, "function": {"arguments": piece}}));
    std::iter::once(named)
        .chain(pieces)
        .map(|call| ChoiceDelta::new(json!({"tool_calls": [call]})))
}

/// A chunk with one choice.
fn choice_chunk(
    ask: &ChatCompletionRequest,
    completion: &ChatCompletion,
    index: usize,
    delta: ChoiceDelta,
) -> Value {
    let choice = json!({
        "index": index,
        "delta": delta.delta,
        "logprobs": delta.logprobs,
        "finish_reason": delta.finish_reason,
    });
    let usage = ask.include_usage.then_some(Value::Null);
    chunk_object(completion, json!([choice]), usage)
}

/// A chunk: the keys that all chunks share, with `choices` and `usage`.
fn chunk_object(completion: &ChatCompletion, choices: Value, usage: Option<Value>) -> Value {
    let mut chunk = Map::new();
    let mut put = |key: &str, value: Value| chunk.insert(key.to_owned(), value);
    put("id", json!(completion.id));
    put("object", json!("chat.completion.chunk"));
    put("created", json!(completion.created));
    put("model", json!(completion.model));
    put("service_tier", json!("default"));
    put("system_fingerprint", json!(completion.fingerprint));
    put("choices", choices);
    if let Some(usage) = usage {
        put("usage", usage);
    }
    Value::Object(chunk)
}

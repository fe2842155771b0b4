//! A completion as a stream of events
//! (<https://platform.openai.com/docs/api-reference/chat-streaming>).

use serde_json::{Map, Value, json};

use super::ask::ChatAsk;
use super::completion::{Completion, finish, usage};
use super::plain::logprobs;
use crate::demo::Context;
use crate::demo::flow::{self, Event};
use crate::demo::openai::head;
use crate::demo::thought::{Call, Thought};
use crate::serve::reply::Reply;

/// The completion, an event a token.
pub(super) fn reply(ask: &ChatAsk, completion: &Completion, seen: Context) -> Reply {
    let mut events: Vec<Event> = events(ask, completion)
        .iter()
        .map(|event| Event::new(line(event), 1))
        .collect();
    events.push(Event::new("data: [DONE]\n\n".to_owned(), 0));
    let tokens = completion.usage.total();
    let fields = head::fields("text/event-stream; charset=utf-8", seen, tokens);
    flow::streamed(fields, events, seen)
}

/// An event as it crosses the wire.
pub(super) fn line(event: &Value) -> String {
    format!("data: {event}\n\n")
}

fn events(ask: &ChatAsk, completion: &Completion) -> Vec<Value> {
    let each = completion.choices.iter();
    let deltas = each.map(|choice| choice_deltas(ask, choice)).collect();
    let mut events: Vec<Value> = flow::in_turns(deltas)
        .into_iter()
        .map(|(index, delta)| chunk(ask, completion, index, delta))
        .collect();
    if ask.include_usage {
        let usage = usage(completion.usage);
        events.push(envelope(completion, json!([]), Some(usage)));
    }
    events
}

/// One step of a choice.
struct Delta {
    delta: Value,
    logprobs: Value,
    finish: Option<&'static str>,
}

impl Delta {
    fn of(delta: Value) -> Self {
        Self {
            delta,
            logprobs: Value::Null,
            finish: None,
        }
    }
}

fn choice_deltas(ask: &ChatAsk, choice: &Thought) -> Vec<Delta> {
    let thinks = !choice.reasoning.is_empty();
    let mut deltas = vec![Delta::of(first(choice))];
    for piece in &choice.reasoning {
        deltas.push(Delta::of(
            json!({"content": null, "reasoning_content": piece}),
        ));
    }
    for piece in &choice.text {
        let delta = match (choice.refused, thinks) {
            (true, _) => json!({"refusal": piece}),
            (false, true) => json!({"content": piece, "reasoning_content": null}),
            (false, false) => json!({"content": piece}),
        };
        deltas.push(Delta {
            logprobs: logprobs(ask, choice.refused, std::slice::from_ref(piece)),
            ..Delta::of(delta)
        });
    }
    for (index, call) in choice.calls.iter().enumerate() {
        deltas.extend(call_deltas(index, call));
    }
    deltas.push(Delta {
        finish: Some(finish(choice)),
        ..Delta::of(if thinks {
            json!({"content": "", "reasoning_content": null})
        } else {
            json!({})
        })
    });
    deltas
}

/// The delta that names the role.
fn first(choice: &Thought) -> Value {
    if !choice.reasoning.is_empty() {
        json!({"role": "assistant", "content": null, "reasoning_content": ""})
    } else if !choice.calls.is_empty() {
        json!({"role": "assistant", "content": null})
    } else if choice.refused {
        json!({"role": "assistant", "content": null, "refusal": ""})
    } else {
        json!({"role": "assistant", "content": "", "refusal": null})
    }
}

/// A call: its name once, then its arguments in pieces.
fn call_deltas(index: usize, call: &Call) -> impl Iterator<Item = Delta> {
    let function = json!({"name": call.name, "arguments": ""});
    let named = json!({"index": index, "id": call.id("call_", 24), "type": "function", "function": function});
    let pieces = call
        .arguments
        .iter()
        .map(move |piece| json!({"index": index, "function": {"arguments": piece}}));
    std::iter::once(named)
        .chain(pieces)
        .map(|call| Delta::of(json!({"tool_calls": [call]})))
}

/// A chunk with one choice.
fn chunk(ask: &ChatAsk, completion: &Completion, index: usize, delta: Delta) -> Value {
    let choice = json!({
        "index": index,
        "delta": delta.delta,
        "logprobs": delta.logprobs,
        "finish_reason": delta.finish,
    });
    let usage = ask.include_usage.then_some(Value::Null);
    envelope(completion, json!([choice]), usage)
}

/// What all chunks share.
fn envelope(completion: &Completion, choices: Value, usage: Option<Value>) -> Value {
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

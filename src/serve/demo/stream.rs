//! A completion as a stream of events
//! (<https://platform.openai.com/docs/api-reference/chat-streaming>).

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::completion::{Call, Choice, Completion};
use super::plain::logprobs;
use super::{Context, head};
use crate::serve::reply::{Body, Reply, Step};

/// The completion, an event a token.
pub(super) fn reply(ask: &Ask, completion: &Completion, seen: Context) -> Reply {
    let events = events(ask, completion);
    // The first event comes with the head.
    let pauses = std::iter::once(Duration::ZERO).chain(std::iter::repeat(seen.pace));
    let steps: Vec<Step> = events
        .iter()
        .zip(pauses)
        .map(|(event, pause)| Step::bytes(pause, line(event)))
        .chain(std::iter::once(Step::bytes(Duration::ZERO, DONE)))
        .collect();
    let tokens = completion.usage.total();
    Reply {
        status: 200,
        fields: head::fields("text/event-stream; charset=utf-8", seen, tokens),
        body: Body::Events(Box::new(steps.into_iter())),
        delay: seen.pace.saturating_mul(8),
        close: false,
    }
}

/// What ends a stream that is whole.
pub(super) const DONE: &str = "data: [DONE]\n\n";

/// An event as it crosses the wire.
pub(super) fn line(event: &Value) -> String {
    format!("data: {event}\n\n")
}

fn events(ask: &Ask, completion: &Completion) -> Vec<Value> {
    let each = completion.choices.iter().enumerate();
    let mut deltas: Vec<_> = each
        .map(|(index, choice)| {
            choice_deltas(ask, choice)
                .into_iter()
                .map(move |delta| (index, delta))
        })
        .collect();
    let mut events = Vec::new();
    // The choices are generated side by side, so their chunks take turns.
    loop {
        let before = events.len();
        for choice in &mut deltas {
            let next = choice.next();
            events.extend(next.map(|(index, delta)| chunk(ask, completion, index, delta)));
        }
        if events.len() == before {
            break;
        }
    }
    if ask.include_usage {
        let usage = completion.usage.json();
        events.push(envelope(completion, json!([]), Some(usage)));
    }
    events
}

/// One step of a choice.
pub(super) struct Delta {
    pub(super) delta: Value,
    pub(super) logprobs: Value,
    pub(super) finish: Option<&'static str>,
}

impl Delta {
    pub(super) fn of(delta: Value) -> Self {
        Self {
            delta,
            logprobs: Value::Null,
            finish: None,
        }
    }
}

fn choice_deltas(ask: &Ask, choice: &Choice) -> Vec<Delta> {
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
        finish: Some(choice.finish),
        ..Delta::of(if thinks {
            json!({"content": "", "reasoning_content": null})
        } else {
            json!({})
        })
    });
    deltas
}

/// The delta that names the role.
fn first(choice: &Choice) -> Value {
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
    let named = json!({"index": index, "id": call.id, "type": "function", "function": function});
    let pieces = call
        .arguments
        .iter()
        .map(move |piece| json!({"index": index, "function": {"arguments": piece}}));
    std::iter::once(named)
        .chain(pieces)
        .map(|call| Delta::of(json!({"tool_calls": [call]})))
}

/// A chunk with one choice.
pub(super) fn chunk(ask: &Ask, completion: &Completion, index: usize, delta: Delta) -> Value {
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
pub(super) fn envelope(completion: &Completion, choices: Value, usage: Option<Value>) -> Value {
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

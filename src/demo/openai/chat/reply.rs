//! A completion as a reply: whole, or as a stream of events
//! (<https://platform.openai.com/docs/api-reference/chat-streaming>).

use serde_json::{Value, json};

use super::completion::{ChatCompletion, finish_reason};
use crate::demo::api_answer::ApiAnswer;
use crate::demo::api_error::ApiError;
use crate::demo::context::DemoContext;
use crate::demo::generation::{GeneratedAnswer, GeneratedCall};
use crate::demo::head::{EVENTS_TYPE, JSON_TYPE, ReplyFields};
use crate::demo::openai::{error, head};
use crate::demo::pacing::{self, PacedEvent};
use crate::demo::usage::GeneratedUsage;

impl ApiAnswer for ChatCompletion {
    fn usage(&self) -> GeneratedUsage {
        self.usage
    }

    fn head_fields(&self, streamed: bool, context: DemoContext) -> ReplyFields {
        let content_type = if streamed { EVENTS_TYPE } else { JSON_TYPE };
        head::head_fields(content_type, self.usage.total_tokens(), context)
    }

    fn body(&self) -> String {
        head::pretty_json(&self.to_json())
    }

    fn events(&self) -> Vec<PacedEvent> {
        let choices = self.choices.iter().enumerate();
        let steps = choices.map(|(index, choice)| choice_steps(self, index, choice));
        let usage = self.include_usage.then_some(Value::Null);
        let mut events: Vec<PacedEvent> = pacing::interleave(steps.collect())
            .into_iter()
            .map(|choice| chunk_event(self, &json!([choice]), usage.as_ref()))
            .collect();
        if self.include_usage {
            events.push(chunk_event(self, &json!([]), Some(&self.usage_object())));
        }
        events.push(PacedEvent::new("data: [DONE]\n\n".to_owned(), 0));
        events
    }

    fn failure(&self) -> ApiError {
        error::server_error(500)
    }

    fn failure_events(&self, _: usize) -> Vec<String> {
        vec![event_text(&error::error_json(&self.failure()))]
    }
}

fn event_text(event: &Value) -> String {
    format!("data: {event}\n\n")
}

/// An event with a chunk: the keys that all chunks share, with `choices` and `usage`.
fn chunk_event(completion: &ChatCompletion, choices: &Value, usage: Option<&Value>) -> PacedEvent {
    let mut chunk = json!({
        "id": completion.id,
        "object": "chat.completion.chunk",
        "created": completion.created,
        "model": completion.model,
        "service_tier": "default",
        "system_fingerprint": completion.fingerprint,
        "choices": choices,
    });
    if let Some(usage) = usage {
        chunk["usage"] = usage.clone();
    }
    PacedEvent::new(event_text(&chunk), 1)
}

/// The steps of a choice, as the chunks of a stream have them.
fn choice_steps(completion: &ChatCompletion, index: usize, choice: &GeneratedAnswer) -> Vec<Value> {
    let thinks = !choice.reasoning_tokens.is_empty();
    let step = |delta: Value, logprobs: Value, finish_reason: Option<&str>| {
        json!({
            "index": index,
            "delta": delta,
            "logprobs": logprobs,
            "finish_reason": finish_reason,
        })
    };
    let plain = |delta: Value| step(delta, Value::Null, None);
    let mut steps = vec![plain(role_delta(choice))];
    for piece in &choice.reasoning_tokens {
        steps.push(plain(json!({"content": null, "reasoning_content": piece})));
    }
    for piece in &choice.text_tokens {
        let delta = match (choice.refused, thinks) {
            (true, _) => json!({"refusal": piece}),
            (false, true) => json!({"content": piece, "reasoning_content": null}),
            (false, false) => json!({"content": piece}),
        };
        let tokens = std::slice::from_ref(piece);
        let logprobs = completion.logprobs_object(choice.refused, tokens);
        steps.push(step(delta, logprobs, None));
    }
    for (index, call) in choice.tool_calls.iter().enumerate() {
        steps.extend(call_deltas(index, call).map(plain));
    }
    let last = match thinks {
        true => json!({"content": "", "reasoning_content": null}),
        false => json!({}),
    };
    steps.push(step(last, Value::Null, Some(finish_reason(choice))));
    steps
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
fn call_deltas(index: usize, call: &GeneratedCall) -> impl Iterator<Item = Value> {
    let function = json!({"name": call.name, "arguments": ""});
    let named = json!({"index": index, "id": call.make_id("call_", 24), "type": "function", "function": function});
    let piece = move |piece| json!({"index": index, "function": {"arguments": piece}});
    let pieces = call.argument_tokens.iter().map(piece);
    std::iter::once(named)
        .chain(pieces)
        .map(|call| json!({"tool_calls": [call]}))
}

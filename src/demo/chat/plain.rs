//! A completion as one JSON object (<https://platform.openai.com/docs/api-reference/chat/object>).

use serde_json::{Map, Value, json};

use super::ask::ChatAsk;
use super::completion::{Completion, finish, usage};
use crate::demo::openai::head;
use crate::demo::thought::{Call, Thought};
use crate::demo::{Context, flow, ids};
use crate::serve::reply::Reply;

/// The completion in one piece, after a while that grows with it.
pub(super) fn reply(ask: &ChatAsk, completion: &Completion, seen: Context) -> Reply {
    let cost = completion.usage;
    let fields = head::fields("application/json", seen, cost.total());
    let body = head::pretty(&object(ask, completion));
    flow::whole(fields, body, cost.completion, seen)
}

fn object(ask: &ChatAsk, completion: &Completion) -> Value {
    let choices: Vec<Value> = completion
        .choices
        .iter()
        .enumerate()
        .map(|(index, choice)| one(ask, index, choice))
        .collect();
    json!({
        "id": completion.id,
        "object": "chat.completion",
        "created": completion.created,
        "model": completion.model,
        "choices": choices,
        "usage": usage(completion.usage),
        "service_tier": "default",
        "system_fingerprint": completion.fingerprint,
    })
}

fn one(ask: &ChatAsk, index: usize, choice: &Thought) -> Value {
    json!({
        "index": index,
        "message": message(choice),
        "logprobs": logprobs(ask, choice.refused, &choice.text),
        "finish_reason": finish(choice),
    })
}

fn message(choice: &Thought) -> Value {
    let text = choice.text.concat();
    let (content, refusal) = match (choice.refused, choice.calls.is_empty()) {
        (true, _) => (Value::Null, Value::String(text)),
        (false, false) => (Value::Null, Value::Null),
        (false, true) => (Value::String(text), Value::Null),
    };
    let mut message = Map::new();
    let mut put = |key: &str, value: Value| message.insert(key.to_owned(), value);
    put("role", json!("assistant"));
    put("content", content);
    if !choice.reasoning.is_empty() {
        put("reasoning_content", json!(choice.reasoning.concat()));
    }
    if !choice.calls.is_empty() {
        put("tool_calls", choice.calls.iter().map(call).collect());
    }
    put("refusal", refusal);
    put("annotations", json!([]));
    Value::Object(message)
}

fn call(call: &Call) -> Value {
    json!({
        "id": call.id("call_", 24),
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments.concat()},
    })
}

/// The log probabilities of `tokens`; null where they were not asked for.
pub(super) fn logprobs(ask: &ChatAsk, refused: bool, tokens: &[String]) -> Value {
    if !ask.logprobs || tokens.is_empty() {
        return Value::Null;
    }
    let list: Vec<Value> = tokens.iter().map(|token| logprob(ask, token)).collect();
    if refused {
        json!({"content": null, "refusal": list})
    } else {
        json!({"content": list, "refusal": null})
    }
}

fn logprob(ask: &ChatAsk, token: &str) -> Value {
    const OTHERS: [&str; 4] = [" the", " a", ".", " it"];
    let (own, bytes) = (likelihood(token, 0), token.as_bytes());
    let top: Vec<Value> = (0..ask.top_logprobs)
        .map(|rank| {
            let other = usize::try_from(rank % 4).ok().and_then(|at| OTHERS.get(at));
            match other {
                // The token itself was the likeliest one.
                Some(other) if rank > 0 => {
                    let text = other.repeat(usize::try_from(rank.div_ceil(4)).unwrap_or(1));
                    entry(&text, likelihood(token, rank), text.as_bytes())
                }
                _ if rank > 0 => entry(" ", likelihood(token, rank), b" "),
                _ => entry(token, own, bytes),
            }
        })
        .collect();
    let mut entry = entry(token, own, bytes);
    if let Some(object) = entry.as_object_mut() {
        object.insert("top_logprobs".to_owned(), Value::Array(top));
    }
    entry
}

fn entry(token: &str, logprob: f64, bytes: &[u8]) -> Value {
    json!({"token": token, "logprob": logprob, "bytes": bytes})
}

/// Between 0 and -1 for the likeliest, and less by one for each further rank.
fn likelihood(token: &str, rank: u64) -> f64 {
    let thousandth = u32::try_from(ids::mix(ids::hash(token)) % 1000).unwrap_or(0);
    let rank = u32::try_from(rank).unwrap_or(0);
    -(f64::from(thousandth) / 1000.0) - f64::from(rank)
}

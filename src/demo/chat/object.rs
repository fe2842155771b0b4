//! A completion as one JSON object (<https://platform.openai.com/docs/api-reference/chat/object>).

use serde_json::{Map, Value, json};

use super::completion::{ChatCompletion, finish_reason, usage_object};
use super::request::ChatCompletionRequest;
use crate::demo::generation::{GeneratedAnswer, GeneratedCall};
use crate::demo::openai::head;
use crate::demo::{DemoContext, ids, pacing};
use crate::serve::reply::ServerReply;

/// The completion as a whole reply.
pub(super) fn whole_reply(
    ask: &ChatCompletionRequest,
    completion: &ChatCompletion,
    seen: DemoContext,
) -> ServerReply {
    let cost = completion.usage;
    let fields = head::head_fields("application/json", seen, cost.total_tokens());
    let body = head::pretty_json(&completion_object(ask, completion));
    pacing::whole_reply(fields, body, cost.completion_tokens, seen)
}

fn completion_object(ask: &ChatCompletionRequest, completion: &ChatCompletion) -> Value {
    let choices: Vec<Value> = completion
        .choices
        .iter()
        .enumerate()
        .map(|(index, choice)| choice_object(ask, index, choice))
        .collect();
    json!({
        "id": completion.id,
        "object": "chat.completion",
        "created": completion.created,
        "model": completion.model,
        "choices": choices,
        "usage": usage_object(completion.usage),
        "service_tier": "default",
        "system_fingerprint": completion.fingerprint,
    })
}

fn choice_object(ask: &ChatCompletionRequest, index: usize, choice: &GeneratedAnswer) -> Value {
    json!({
        "index": index,
        "message": message_object(choice),
        "logprobs": logprobs_object(ask, choice.refused, &choice.text_tokens),
        "finish_reason": finish_reason(choice),
    })
}

fn message_object(choice: &GeneratedAnswer) -> Value {
    let text = choice.text_tokens.concat();
    let (content, refusal) = match (choice.refused, choice.tool_calls.is_empty()) {
        (true, _) => (Value::Null, Value::String(text)),
        (false, false) => (Value::Null, Value::Null),
        (false, true) => (Value::String(text), Value::Null),
    };
    let mut message = Map::new();
    let mut put = |key: &str, value: Value| message.insert(key.to_owned(), value);
    put("role", json!("assistant"));
    put("content", content);
    if !choice.reasoning_tokens.is_empty() {
        put("reasoning_content", json!(choice.reasoning_tokens.concat()));
    }
    if !choice.tool_calls.is_empty() {
        put(
            "tool_calls",
            choice.tool_calls.iter().map(tool_call_object).collect(),
        );
    }
    put("refusal", refusal);
    put("annotations", json!([]));
    Value::Object(message)
}

fn tool_call_object(call: &GeneratedCall) -> Value {
    json!({
        "id": call.make_id("call_", 24),
        "type": "function",
        "function": {"name": call.name, "arguments": call.argument_tokens.concat()},
    })
}

/// The log probabilities of `tokens`; null if the request did not ask for them.
pub(super) fn logprobs_object(
    ask: &ChatCompletionRequest,
    refused: bool,
    tokens: &[String],
) -> Value {
    if !ask.logprobs || tokens.is_empty() {
        return Value::Null;
    }
    let list: Vec<Value> = tokens
        .iter()
        .map(|token| token_logprob(ask, token))
        .collect();
    if refused {
        json!({"content": null, "refusal": list})
    } else {
        json!({"content": list, "refusal": null})
    }
}

fn token_logprob(ask: &ChatCompletionRequest, token: &str) -> Value {
    const OTHERS: [&str; 4] = [" the", " a", ".", " it"];
    let (own, bytes) = (fake_logprob(token, 0), token.as_bytes());
    let top: Vec<Value> = (0..ask.top_logprobs)
        .map(|rank| {
            let other = usize::try_from(rank % 4).ok().and_then(|at| OTHERS.get(at));
            match other {
                // The token itself is the likeliest one.
                Some(other) if rank > 0 => {
                    let text = other.repeat(usize::try_from(rank.div_ceil(4)).unwrap_or(1));
                    logprob_entry(&text, fake_logprob(token, rank), text.as_bytes())
                }
                _ if rank > 0 => logprob_entry(" ", fake_logprob(token, rank), b" "),
                _ => logprob_entry(token, own, bytes),
            }
        })
        .collect();
    let mut entry = logprob_entry(token, own, bytes);
    if let Some(object) = entry.as_object_mut() {
        object.insert("top_logprobs".to_owned(), Value::Array(top));
    }
    entry
}

fn logprob_entry(token: &str, logprob: f64, bytes: &[u8]) -> Value {
    json!({"token": token, "logprob": logprob, "bytes": bytes})
}

/// A log probability: between 0 and -1 for the likeliest token, and 1 less for each further rank.
fn fake_logprob(token: &str, rank: u64) -> f64 {
    let thousandth = u32::try_from(ids::mix_bits(ids::hash_text(token)) % 1000).unwrap_or(0);
    let rank = u32::try_from(rank).unwrap_or(0);
    -(f64::from(thousandth) / 1000.0) - f64::from(rank)
}

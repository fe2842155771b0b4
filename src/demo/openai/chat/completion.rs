//! A completion, whole and as the chunks of a stream: choices, finish reasons, log probabilities, token counts
//! (<https://platform.openai.com/docs/api-reference/chat/object>,
//! <https://platform.openai.com/docs/api-reference/chat-streaming>).

use serde_json::{Value, json};

use crate::demo::api_answer::ApiAnswer;
use crate::demo::api_error::ApiError;
use crate::demo::context::DemoContext;
use crate::demo::generation::{
    self, FinishCause, GeneratedAnswer, GeneratedCall, GenerationResult,
};
use crate::demo::json_values::sparse_object;
use crate::demo::model_request::ModelRequest;
use crate::demo::openai::rules::{error_json, pretty_json};
use crate::demo::pacing::{self, PacedEvent};
use crate::demo::usage::GeneratedUsage;
use crate::demo::{ids, models};

/// A completion, source of a whole reply and of a stream.
#[derive(Clone, Debug)]
pub(super) struct ChatCompletion {
    id: String,
    created: i64,
    model: String,
    fingerprint: String,
    choices: Vec<GeneratedAnswer>,
    pub(super) usage: GeneratedUsage,
    /// Whether a stream ends with the token counts.
    include_usage: bool,
    logprobs: bool,
    /// The number of likely tokens beside each token.
    top_logprobs: u32,
}

impl ChatCompletion {
    /// Generates the completion for `question`, which was read from `body`.
    pub(super) fn generate(body: &Value, question: &ModelRequest, context: DemoContext) -> Self {
        let GenerationResult { answers, usage } = generation::generate(question, context);
        let model = models::served_model(&question.model).to_owned();
        let seed = question.seed.map_or(0, i64::cast_unsigned);
        let seed = ids::hash_text(&model) ^ ids::mix_bits(seed);
        let top_logprobs = body["top_logprobs"].as_u64().unwrap_or(0);
        Self {
            id: ids::alphanumeric_id("chatcmpl-demo", context.answer_seed(), 25),
            created: context.created_secs,
            fingerprint: ids::hex_id("fp_", seed, 10),
            model,
            choices: answers,
            usage,
            include_usage: body["stream_options"]["include_usage"] == true,
            logprobs: body["logprobs"] == true,
            top_logprobs: u32::try_from(top_logprobs).unwrap_or(0),
        }
    }

    /// The completion object.
    fn to_json(&self) -> Value {
        let choice = |(index, choice): (usize, &GeneratedAnswer)| {
            json!({
                "index": index,
                "message": message_object(choice),
                "logprobs": self.logprobs_object(choice.refused, &choice.text_tokens),
                "finish_reason": finish_reason(choice),
            })
        };
        json!({
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": self.choices.iter().enumerate().map(choice).collect::<Value>(),
            "usage": self.usage_object(),
            "service_tier": "default",
            "system_fingerprint": self.fingerprint,
        })
    }

    /// The `usage` object.
    fn usage_object(&self) -> Value {
        let usage = self.usage;
        json!({
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.total_tokens(),
            "prompt_tokens_details": {"cached_tokens": usage.cached_tokens(), "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": usage.reasoning_tokens,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        })
    }

    /// The log probabilities of `tokens`; null if the request did not ask for them.
    fn logprobs_object(&self, refused: bool, tokens: &[String]) -> Value {
        if !self.logprobs || tokens.is_empty() {
            return Value::Null;
        }
        let list: Value = tokens.iter().map(|token| self.token_entry(token)).collect();
        if refused {
            json!({"content": null, "refusal": list})
        } else {
            json!({"content": list, "refusal": null})
        }
    }

    /// A token with its log probability and those of the likely tokens, of which it is the first.
    fn token_entry(&self, token: &str) -> Value {
        const OTHERS: [&str; 4] = [" the", " a", ".", " it"];
        let other_entry = |(other, rank): (&&str, u32)| match rank {
            0 => logprob_entry(token, fake_logprob(token, 0)),
            rank => {
                // No other token is listed twice.
                let text = other.repeat(rank.div_ceil(4) as usize);
                logprob_entry(&text, fake_logprob(token, rank))
            }
        };
        let others = OTHERS.iter().cycle().zip(0..self.top_logprobs);
        let mut entry = logprob_entry(token, fake_logprob(token, 0));
        entry["top_logprobs"] = others.map(other_entry).collect();
        entry
    }
}

/// The `finish_reason` of an answer.
fn finish_reason(choice: &GeneratedAnswer) -> &'static str {
    match choice.finish {
        FinishCause::Stop | FinishCause::StopSequence(_) => "stop",
        FinishCause::Length => "length",
        FinishCause::ToolCalls => "tool_calls",
        FinishCause::Filtered => "content_filter",
    }
}

fn message_object(choice: &GeneratedAnswer) -> Value {
    let text = Some(json!(choice.text_tokens.concat())).filter(|_| choice.tool_calls.is_empty());
    let (content, refusal) = match choice.refused {
        true => (None, text),
        false => (text, None),
    };
    let reasoning = &choice.reasoning_tokens;
    let reasoning = (!reasoning.is_empty()).then(|| json!(reasoning.concat()));
    let calls = choice.tool_calls.iter().map(tool_call_object);
    let calls = (!choice.tool_calls.is_empty()).then(|| calls.collect());
    sparse_object([
        ("role", Some(json!("assistant"))),
        ("content", Some(json!(content))),
        ("reasoning_content", reasoning),
        ("tool_calls", calls),
        ("refusal", Some(json!(refusal))),
        ("annotations", Some(json!([]))),
    ])
}

fn tool_call_object(call: &GeneratedCall) -> Value {
    json!({
        "id": call.make_id("call_", 24),
        "type": "function",
        "function": {"name": call.name, "arguments": call.argument_tokens.concat()},
    })
}

fn logprob_entry(token: &str, logprob: f64) -> Value {
    json!({"token": token, "logprob": logprob, "bytes": token.as_bytes()})
}

/// A log probability: between 0 and -1 for the likeliest token, and 1 less for each further rank.
fn fake_logprob(token: &str, rank: u32) -> f64 {
    let thousandth = u32::try_from(ids::mix_bits(ids::hash_text(token)) % 1000).unwrap_or(0);
    -(f64::from(thousandth) / 1000.0) - f64::from(rank)
}

impl ApiAnswer for ChatCompletion {
    fn body(&self) -> String {
        pretty_json(&self.to_json())
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

    fn failure_events(&self, error: &ApiError, _: usize) -> Vec<String> {
        vec![event_text(&error_json(error))]
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

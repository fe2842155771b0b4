//! The chat object: one object, or a line for each token and a last one with token counts and times
//! (<https://docs.ollama.com/api/chat>, durations in nanoseconds: <https://docs.ollama.com/api/usage>).

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::head;
use crate::demo::generation::{
    self, FinishCause, GeneratedAnswer, GeneratedCall, GenerationResult,
};
use crate::demo::model_request::ModelRequest;
use crate::demo::pacing::{self, PacedEvent};
use crate::demo::usage::GeneratedUsage;
use crate::demo::{DemoContext, timestamps};
use crate::serve::reply::ServerReply;

/// A chat, source of a whole reply and of a stream.
#[derive(Clone, Debug)]
pub(super) struct OllamaChat {
    model: String,
    answer: GeneratedAnswer,
    usage: GeneratedUsage,
    seen: DemoContext,
}

/// The time to load a model, and to read a token of a prompt: plausible values of a small local model.
const LOAD_TIME: Duration = Duration::from_nanos(41_295_167);
const PROMPT_TOKEN_TIME: Duration = Duration::from_nanos(145_403);

impl OllamaChat {
    pub(super) fn generate(ask: &ModelRequest, seen: DemoContext) -> Self {
        let GenerationResult {
            answers: thoughts,
            usage,
        } = generation::generate(ask, seen);
        Self {
            model: ask.model.clone(),
            answer: thoughts.into_iter().next().unwrap_or_default(),
            usage,
            seen,
        }
    }

    /// The answer as a whole reply.
    pub(super) fn whole_reply(&self) -> ServerReply {
        let thought = &self.answer;
        let mut message = message_object(
            &thought.text_tokens.concat(),
            &thought.reasoning_tokens.concat(),
        );
        if !thought.tool_calls.is_empty() {
            let calls = thought.tool_calls.iter().enumerate();
            message["tool_calls"] = calls
                .map(|(index, call)| tool_call_object(index, call))
                .collect();
        }
        let fields = head::head_fields(head::JSON_TYPE, self.seen);
        let object = self.last_object(&message, self.usage.completion_tokens);
        pacing::whole_reply(
            fields,
            object.to_string(),
            self.usage.completion_tokens,
            self.seen,
        )
    }

    /// The answer as a stream of lines.
    pub(super) fn stream_reply(&self) -> ServerReply {
        let mut made = 0_u64;
        let mut events: Vec<PacedEvent> = self
            .line_messages()
            .into_iter()
            .map(|(message, tokens)| {
                made = made.saturating_add(tokens as u64);
                let line = chat_object(&self.model, &self.created_at(made), &message, false);
                PacedEvent::new(format!("{}\n", Value::Object(line)), tokens)
            })
            .collect();
        let last = self.last_object(&message_object("", ""), made.saturating_add(1));
        events.push(PacedEvent::new(format!("{last}\n"), 1));
        pacing::stream_reply(
            head::head_fields(head::NDJSON_TYPE, self.seen),
            events,
            self.seen,
        )
    }

    /// The messages of the lines, each with its number of tokens.
    fn line_messages(&self) -> Vec<(Value, usize)> {
        let thought = &self.answer;
        let thinking = thought
            .reasoning_tokens
            .iter()
            .map(|token| (message_object("", token), 1));
        let text = thought
            .text_tokens
            .iter()
            .map(|token| (message_object(token, ""), 1));
        let calls = thought.tool_calls.iter().enumerate().map(|(index, call)| {
            let mut message = message_object("", "");
            message["tool_calls"] = json!([tool_call_object(index, call)]);
            (message, call.argument_tokens.len())
        });
        thinking.chain(text).chain(calls).collect()
    }

    /// The last object, with token counts and times. Zeros are left out.
    fn last_object(&self, message: &Value, made: u64) -> Value {
        let mut object = chat_object(&self.model, &self.created_at(made), message, true);
        let reason = match self.answer.finish {
            FinishCause::Length => "length",
            FinishCause::Stop
            | FinishCause::StopSequence(_)
            | FinishCause::ToolCalls
            | FinishCause::Filtered => "stop",
        };
        object.insert("done_reason".to_owned(), json!(reason));
        let times = |time: Duration, count: u64| {
            time.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
        };
        let reading = times(PROMPT_TOKEN_TIME, self.usage.prompt_tokens);
        let making = times(self.seen.pace, self.usage.completion_tokens);
        let all = LOAD_TIME.saturating_add(reading).saturating_add(making);
        for (name, number) in [
            ("total_duration", all.as_nanos()),
            ("load_duration", LOAD_TIME.as_nanos()),
            ("prompt_eval_count", self.usage.prompt_tokens.into()),
            ("prompt_eval_duration", reading.as_nanos()),
            ("eval_count", self.usage.completion_tokens.into()),
            ("eval_duration", making.as_nanos()),
        ] {
            if number > 0 {
                let number = u64::try_from(number).unwrap_or(u64::MAX);
                object.insert(name.to_owned(), json!(number));
            }
        }
        Value::Object(object)
    }

    /// The time at which `made` tokens were made.
    fn created_at(&self, made: u64) -> String {
        let made = u32::try_from(made).unwrap_or(u32::MAX);
        let after = pacing::first_token_delay(self.seen);
        let after = after.saturating_add(self.seen.pace.saturating_mul(made));
        timestamps::rfc3339_time(self.seen.created_secs, after, 6)
    }
}

/// The reply to a chat without messages, which only loads or unloads a model.
pub(super) fn load_reply(model: &str, reason: &str, seen: DemoContext) -> ServerReply {
    let moment = timestamps::rfc3339_time(seen.created_secs, Duration::ZERO, 6);
    let mut object = chat_object(model, &moment, &message_object("", ""), true);
    object.insert("done_reason".to_owned(), json!(reason));
    let fields = head::head_fields(head::JSON_TYPE, seen);
    ServerReply::whole(200, fields, Value::Object(object).to_string())
}

/// The first keys of all objects.
fn chat_object(model: &str, moment: &str, message: &Value, done: bool) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("model".to_owned(), json!(model));
    object.insert("created_at".to_owned(), json!(moment));
    object.insert("message".to_owned(), message.clone());
    object.insert("done".to_owned(), json!(done));
    object
}

fn message_object(text: &str, thinking: &str) -> Value {
    let mut message = json!({"role": "assistant", "content": text});
    if !thinking.is_empty() {
        message["thinking"] = json!(thinking);
    }
    message
}

fn tool_call_object(index: usize, call: &GeneratedCall) -> Value {
    let function = json!({"index": index, "name": call.name, "arguments": call.input});
    json!({"id": call.make_id("call_", 8), "function": function})
}

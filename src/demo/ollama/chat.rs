//! The chat object: one object, or a line for each token and a last one with token counts and times
//! (<https://docs.ollama.com/api/chat>, durations in nanoseconds: <https://docs.ollama.com/api/usage>).

use std::time::Duration;

use serde_json::{Value, json};

use super::rules::{JSON_TYPE, error_json, head_fields};
use crate::demo::api_answer::ApiAnswer;
use crate::demo::api_error::ApiError;
use crate::demo::context::DemoContext;
use crate::demo::generation::{self, FinishCause, GeneratedAnswer, GeneratedCall};
use crate::demo::model_request::ModelRequest;
use crate::demo::pacing::{self, PacedEvent};
use crate::demo::timestamps::rfc3339_time;
use crate::demo::usage::GeneratedUsage;
use crate::serve::reply::ServerReply;

/// A chat, source of a whole reply and of a stream.
#[derive(Clone, Debug)]
pub(super) struct OllamaChat {
    model: String,
    answer: GeneratedAnswer,
    pub(super) usage: GeneratedUsage,
    context: DemoContext,
}

/// The reported times to load a model and to read one token of a prompt: invented, of the size that a small local
/// model has.
const LOAD_TIME: Duration = Duration::from_nanos(41_295_167);
const PROMPT_TOKEN_TIME: Duration = Duration::from_nanos(145_403);

impl ApiAnswer for OllamaChat {
    fn body(&self) -> String {
        let answer = &self.answer;
        let (text, thinking) = (
            answer.text_tokens.concat(),
            answer.reasoning_tokens.concat(),
        );
        let mut message = message_object(&text, &thinking);
        if !answer.tool_calls.is_empty() {
            let calls = answer.tool_calls.iter().enumerate();
            message["tool_calls"] = calls.map(tool_call_object).collect();
        }
        self.last_object(message, self.usage.completion_tokens)
            .to_string()
    }

    fn events(&self) -> Vec<PacedEvent> {
        let mut made = 0_u64;
        let messages = self.line_messages().into_iter();
        let mut events: Vec<PacedEvent> = messages
            .map(|(message, tokens)| {
                made = made.saturating_add(tokens as u64);
                let line = chat_object(&self.model, self.created_at(made), message, false);
                PacedEvent::new(format!("{line}\n"), tokens)
            })
            .collect();
        let last = self.last_object(message_object("", ""), made.saturating_add(1));
        events.push(PacedEvent::new(format!("{last}\n"), 1));
        events
    }

    fn failure_events(&self, error: &ApiError, _: usize) -> Vec<String> {
        vec![format!("{}\n", error_json(error))]
    }
}

impl OllamaChat {
    pub(super) fn generate(question: &ModelRequest, context: DemoContext) -> Self {
        let (answer, usage) = generation::generate_one(question, context);
        Self {
            model: question.model.clone(),
            answer,
            usage,
            context,
        }
    }

    /// The messages of the lines, each with its number of tokens.
    fn line_messages(&self) -> Vec<(Value, usize)> {
        let answer = &self.answer;
        let thinking = answer.reasoning_tokens.iter();
        let thinking = thinking.map(|token| (message_object("", token), 1));
        let text = answer.text_tokens.iter();
        let text = text.map(|token| (message_object(token, ""), 1));
        let calls = answer.tool_calls.iter().enumerate().map(|(index, call)| {
            let mut message = message_object("", "");
            message["tool_calls"] = json!([tool_call_object((index, call))]);
            (message, call.argument_tokens.len())
        });
        thinking.chain(text).chain(calls).collect()
    }

    /// The last object, with token counts and times, when `made` tokens were made. Zeros are left out.
    fn last_object(&self, message: Value, made: u64) -> Value {
        let mut object = chat_object(&self.model, self.created_at(made), message, true);
        object["done_reason"] = match self.answer.finish {
            FinishCause::Length => json!("length"),
            _ => json!("stop"),
        };
        let prompt_tokens = u32::try_from(self.usage.prompt_tokens).unwrap_or(u32::MAX);
        let reading = PROMPT_TOKEN_TIME.saturating_mul(prompt_tokens);
        let making = self.context.pauses(self.usage.completion_tokens);
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
                object[name] = json!(u64::try_from(number).unwrap_or(u64::MAX));
            }
        }
        object
    }

    /// The time at which `made` tokens were made.
    fn created_at(&self, made: u64) -> String {
        let after = pacing::first_token_delay(self.context);
        let after = after.saturating_add(self.context.pauses(made));
        rfc3339_time(self.context.created_secs, after, 6)
    }
}

/// The reply to a chat without messages, which only loads or unloads a model.
pub(super) fn load_reply(model: &str, reason: &str, context: DemoContext) -> ServerReply {
    let created = rfc3339_time(context.created_secs, Duration::ZERO, 6);
    let mut object = chat_object(model, created, message_object("", ""), true);
    object["done_reason"] = json!(reason);
    ServerReply::whole(200, head_fields(JSON_TYPE, context), object.to_string())
}

/// The first keys of all objects.
fn chat_object(model: &str, created: String, message: Value, done: bool) -> Value {
    json!({"model": model, "created_at": created, "message": message, "done": done})
}

fn message_object(text: &str, thinking: &str) -> Value {
    let mut message = json!({"role": "assistant", "content": text});
    if !thinking.is_empty() {
        message["thinking"] = json!(thinking);
    }
    message
}

fn tool_call_object((index, call): (usize, &GeneratedCall)) -> Value {
    let function = json!({"index": index, "name": call.name, "arguments": call.input});
    json!({"id": call.make_id("call_", 8), "function": function})
}

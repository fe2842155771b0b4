//! The answer of a chat: one object, or a line for each token and a last one with the costs
//! (<https://docs.ollama.com/api/chat>, durations in nanoseconds: <https://docs.ollama.com/api/usage>).

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::head;
use crate::demo::ask::Ask;
use crate::demo::flow::{self, Event};
use crate::demo::thought::{self, Answer, Call, Finish, Thought};
use crate::demo::usage::Usage;
use crate::demo::{Context, when};
use crate::serve::reply::Reply;

/// A chat, for a plain reply and for a stream alike.
#[derive(Clone, Debug)]
pub(super) struct Chat {
    model: String,
    thought: Thought,
    usage: Usage,
    seen: Context,
}

/// What it takes to have a model ready, and to read a token of a prompt.
const LOAD: Duration = Duration::from_nanos(41_295_167);
const READ: Duration = Duration::from_nanos(145_403);

impl Chat {
    pub(super) fn write(ask: &Ask, seen: Context) -> Self {
        let Answer { thoughts, usage } = thought::answer(ask, seen);
        Self {
            model: ask.model.clone(),
            thought: thoughts.into_iter().next().unwrap_or_default(),
            usage,
            seen,
        }
    }

    /// The answer in one piece.
    pub(super) fn plain(&self) -> Reply {
        let thought = &self.thought;
        let mut message = message(&thought.text.concat(), &thought.reasoning.concat());
        if !thought.calls.is_empty() {
            let calls = thought.calls.iter().enumerate();
            message["tool_calls"] = calls.map(|(index, call)| tool_call(index, call)).collect();
        }
        let fields = head::fields(head::JSON, self.seen);
        let object = self.last(&message, self.usage.completion);
        flow::whole(fields, object.to_string(), self.usage.completion, self.seen)
    }

    /// The answer as lines.
    pub(super) fn stream(&self) -> Reply {
        let mut made = 0_u64;
        let mut events: Vec<Event> = self
            .messages()
            .into_iter()
            .map(|(message, tokens)| {
                made = made.saturating_add(tokens as u64);
                let line = object(&self.model, &self.moment(made), &message, false);
                Event::new(format!("{}\n", Value::Object(line)), tokens)
            })
            .collect();
        let last = self.last(&message("", ""), made.saturating_add(1));
        events.push(Event::new(format!("{last}\n"), 1));
        flow::streamed(head::fields(head::LINES, self.seen), events, self.seen)
    }

    /// The messages of the lines, each with the tokens that it brings.
    fn messages(&self) -> Vec<(Value, usize)> {
        let thought = &self.thought;
        let thinking = thought
            .reasoning
            .iter()
            .map(|token| (message("", token), 1));
        let text = thought.text.iter().map(|token| (message(token, ""), 1));
        let calls = thought.calls.iter().enumerate().map(|(index, call)| {
            let mut message = message("", "");
            message["tool_calls"] = json!([tool_call(index, call)]);
            (message, call.arguments.len())
        });
        thinking.chain(text).chain(calls).collect()
    }

    /// The object that ends it, with what it cost. What is zero is left out.
    fn last(&self, message: &Value, made: u64) -> Value {
        let mut object = object(&self.model, &self.moment(made), message, true);
        let reason = match self.thought.finish {
            Finish::Length => "length",
            Finish::Stop | Finish::Sequence(_) | Finish::Calls | Finish::Filtered => "stop",
        };
        object.insert("done_reason".to_owned(), json!(reason));
        let times = |time: Duration, count: u64| {
            time.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
        };
        let reading = times(READ, self.usage.prompt);
        let making = times(self.seen.pace, self.usage.completion);
        let all = LOAD.saturating_add(reading).saturating_add(making);
        for (name, number) in [
            ("total_duration", all.as_nanos()),
            ("load_duration", LOAD.as_nanos()),
            ("prompt_eval_count", self.usage.prompt.into()),
            ("prompt_eval_duration", reading.as_nanos()),
            ("eval_count", self.usage.completion.into()),
            ("eval_duration", making.as_nanos()),
        ] {
            if number > 0 {
                let number = u64::try_from(number).unwrap_or(u64::MAX);
                object.insert(name.to_owned(), json!(number));
            }
        }
        Value::Object(object)
    }

    /// When so many tokens were made.
    fn moment(&self, made: u64) -> String {
        let made = u32::try_from(made).unwrap_or(u32::MAX);
        let after = flow::before_first(self.seen);
        let after = after.saturating_add(self.seen.pace.saturating_mul(made));
        when::instant(self.seen.created_secs, after, 6)
    }
}

/// The answer to a chat without messages: the model is loaded, or unloaded, and that is all.
pub(super) fn loaded(model: &str, reason: &str, seen: Context) -> Reply {
    let moment = when::instant(seen.created_secs, Duration::ZERO, 6);
    let mut object = object(model, &moment, &message("", ""), true);
    object.insert("done_reason".to_owned(), json!(reason));
    let fields = head::fields(head::JSON, seen);
    Reply::plain(200, fields, Value::Object(object).to_string())
}

/// What all objects begin with.
fn object(model: &str, moment: &str, message: &Value, done: bool) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("model".to_owned(), json!(model));
    object.insert("created_at".to_owned(), json!(moment));
    object.insert("message".to_owned(), message.clone());
    object.insert("done".to_owned(), json!(done));
    object
}

fn message(text: &str, thinking: &str) -> Value {
    let mut message = json!({"role": "assistant", "content": text});
    if !thinking.is_empty() {
        message["thinking"] = json!(thinking);
    }
    message
}

fn tool_call(index: usize, call: &Call) -> Value {
    let function = json!({"index": index, "name": call.name, "arguments": call.input});
    json!({"id": call.id("call_", 8), "function": function})
}

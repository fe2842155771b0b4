//! The response object, in its states
//! (<https://platform.openai.com/docs/api-reference/responses/object>).

use serde_json::{Map, Value, json};

use super::ask::effort;
use super::item::Item;
use crate::demo::ask::Ask;
use crate::demo::openai::problem::Problem;
use crate::demo::thought::{self, Answer, Finish, Thought};
use crate::demo::usage::Usage;
use crate::demo::{Context, ids, models};

/// A response, for a plain reply and for a stream alike.
#[derive(Debug)]
pub(super) struct Response<'a> {
    body: &'a Map<String, Value>,
    id: String,
    model: String,
    created: i64,
    completed: i64,
    finish: Finish,
    pub(super) items: Vec<Item>,
    pub(super) usage: Usage,
}

/// How far a response is.
#[derive(Clone, Copy, Debug)]
pub(super) enum State<'a> {
    InProgress,
    /// Over: complete, or cut.
    Ended,
    /// Over, by the server's fault.
    Failed(&'a Problem),
}

impl<'a> Response<'a> {
    pub(super) fn write(body: &'a Map<String, Value>, ask: &Ask, seen: Context) -> Self {
        let Answer { thoughts, usage } = thought::answer(ask, seen);
        let thought = thoughts.into_iter().next().unwrap_or_default();
        let salt = thought::salt(seen);
        let tokens = u32::try_from(usage.completion).unwrap_or(u32::MAX);
        let seconds = seen.pace.saturating_mul(tokens).as_secs();
        Self {
            body,
            id: ids::hex("resp_", salt, 48),
            model: models::served(&ask.model).to_owned(),
            created: seen.created_secs,
            completed: seen.created_secs.saturating_add_unsigned(seconds),
            finish: thought.finish.clone(),
            items: items(body, ask, &thought, salt),
            usage,
        }
    }

    /// Why it is cut, if it is.
    pub(super) fn cut(&self) -> Option<&'static str> {
        match self.finish {
            Finish::Length => Some("max_output_tokens"),
            Finish::Filtered => Some("content_filter"),
            Finish::Stop | Finish::Sequence(_) | Finish::Calls => None,
        }
    }

    /// The status of the response, and of its last item, once it is over.
    pub(super) fn status(&self) -> &'static str {
        self.cut().map_or("completed", |_| "incomplete")
    }

    /// The object.
    pub(super) fn json(&self, state: State<'_>) -> Value {
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
        put("id", json!(self.id));
        put("object", json!("response"));
        put("created_at", json!(self.created));
        let ended = matches!(state, State::Ended);
        let status = match state {
            State::InProgress => "in_progress",
            State::Ended => self.status(),
            State::Failed(_) => "failed",
        };
        put("status", json!(status));
        put("background", json!(false));
        let completed = (status == "completed").then_some(self.completed);
        put("completed_at", json!(completed));
        let error = match state {
            State::Failed(problem) => json!({"code": problem.kind, "message": problem.message}),
            State::InProgress | State::Ended => Value::Null,
        };
        put("error", error);
        let cut = self.cut().filter(|_| ended);
        put(
            "incomplete_details",
            json!(cut.map(|reason| json!({"reason": reason}))),
        );
        put("instructions", self.echo("instructions", Value::Null));
        put(
            "max_output_tokens",
            self.echo("max_output_tokens", Value::Null),
        );
        put("max_tool_calls", self.echo("max_tool_calls", Value::Null));
        put("model", json!(self.model));
        let output = self.items.iter().map(|item| item.json(self.status()));
        put("output", if ended { output.collect() } else { json!([]) });
        let tier = if ended { "default" } else { "auto" };
        self.settings(&mut object, tier, ended);
        Value::Object(object)
    }

    /// What the request said, or what holds where it did not, and the usage.
    fn settings(&self, object: &mut Map<String, Value>, tier: &str, ended: bool) {
        let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
        for (key, otherwise) in [
            ("parallel_tool_calls", json!(true)),
            ("previous_response_id", Value::Null),
            ("prompt_cache_key", Value::Null),
        ] {
            put(key, self.echo(key, otherwise));
        }
        put("reasoning", self.reasoning());
        put(
            "safety_identifier",
            self.echo("safety_identifier", Value::Null),
        );
        put("service_tier", json!(tier));
        for (key, otherwise) in [("store", json!(true)), ("temperature", json!(1.0))] {
            put(key, self.echo(key, otherwise));
        }
        put("text", self.text());
        for (key, otherwise) in [
            ("tool_choice", json!("auto")),
            ("tools", json!([])),
            ("top_logprobs", json!(0)),
            ("top_p", json!(1.0)),
            ("truncation", json!("disabled")),
        ] {
            put(key, self.echo(key, otherwise));
        }
        put(
            "usage",
            if ended {
                usage(self.usage)
            } else {
                Value::Null
            },
        );
        put("user", self.echo("user", Value::Null));
        put("metadata", self.echo("metadata", json!({})));
    }

    /// What the request said, or `otherwise`.
    fn echo(&self, key: &str, otherwise: Value) -> Value {
        let said = self.body.get(key).filter(|value| !value.is_null());
        said.cloned().unwrap_or(otherwise)
    }

    fn reasoning(&self) -> Value {
        let thinks = models::thinks(&self.model, None);
        let effort = effort(self.body).or(thinks.then_some("medium"));
        json!({"effort": effort, "summary": summary(self.body)})
    }

    fn text(&self) -> Value {
        let said = |key: &str| {
            self.body
                .get("text")
                .and_then(|text| text.get(key))
                .cloned()
        };
        json!({
            "format": said("format").unwrap_or_else(|| json!({"type": "text"})),
            "verbosity": said("verbosity").unwrap_or_else(|| json!("medium")),
        })
    }
}

/// How the thinking is to be told, where that is asked for.
fn summary(body: &Map<String, Value>) -> Option<&Value> {
    body.get("reasoning")?
        .get("summary")
        .filter(|summary| !summary.is_null())
}

fn items(body: &Map<String, Value>, ask: &Ask, thought: &Thought, salt: u64) -> Vec<Item> {
    let mut items = Vec::new();
    let id = |prefix: &str, index: u64| ids::hex(prefix, ids::mix(salt ^ index), 48);
    if ask.thinks {
        let shown = summary(body).is_some() || ask.model == "demo-reasoning";
        let wanted = body
            .get("include")
            .map(Value::to_string)
            .unwrap_or_default();
        let sealed = wanted.contains("reasoning.encrypted_content");
        let seal = ids::id("gAAAAA", salt, 60);
        items.push(Item::Reasoning {
            id: id("rs_", 1),
            summary: if shown {
                thought.reasoning.clone()
            } else {
                Vec::new()
            },
            weight: thought.reasoning.len(),
            sealed: sealed.then_some(format!("{seal}==")),
        });
    }
    let silent = thought.text.is_empty() && thought.finish == Finish::Length;
    if thought.calls.is_empty() && !silent {
        items.push(Item::Message {
            id: id("msg_", 2),
            text: thought.text.clone(),
            refused: thought.refused,
        });
    }
    let calls = thought.calls.iter().cloned();
    items.extend(calls.zip(3..).map(|(call, index)| Item::Call {
        id: id("fc_", index),
        call,
    }));
    items
}

fn usage(usage: Usage) -> Value {
    json!({
        "input_tokens": usage.prompt,
        "input_tokens_details": {"cached_tokens": usage.cached(), "cache_write_tokens": 0},
        "output_tokens": usage.completion,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total(),
    })
}

//! The response object, in its states
//! (<https://platform.openai.com/docs/api-reference/responses/object>).

use serde_json::{Map, Value, json};

use super::item::OutputItem;
use super::request::reasoning_effort;
use crate::demo::generation::{self, FinishCause, GeneratedAnswer, GenerationResult};
use crate::demo::model_request::ModelRequest;
use crate::demo::openai::error::OpenAiError;
use crate::demo::usage::GeneratedUsage;
use crate::demo::{DemoContext, ids, models};

/// A response, source of a whole reply and of a stream.
#[derive(Debug)]
pub(super) struct ResponseObject<'a> {
    body: &'a Map<String, Value>,
    id: String,
    model: String,
    created: i64,
    completed: i64,
    finish: FinishCause,
    pub(super) items: Vec<OutputItem>,
    pub(super) usage: GeneratedUsage,
}

/// The state of a response.
#[derive(Clone, Copy, Debug)]
pub(super) enum ResponseState<'a> {
    InProgress,
    /// Finished: complete or incomplete.
    Ended,
    /// Failed by a fault of the server.
    Failed(&'a OpenAiError),
}

impl<'a> ResponseObject<'a> {
    pub(super) fn generate(
        body: &'a Map<String, Value>,
        ask: &ModelRequest,
        seen: DemoContext,
    ) -> Self {
        let GenerationResult {
            answers: thoughts,
            usage,
        } = generation::generate(ask, seen);
        let thought = thoughts.into_iter().next().unwrap_or_default();
        let salt = generation::request_salt(seen);
        let tokens = u32::try_from(usage.completion_tokens).unwrap_or(u32::MAX);
        let seconds = seen.pace.saturating_mul(tokens).as_secs();
        Self {
            body,
            id: ids::hex_id("resp_", salt, 48),
            model: models::served_model(&ask.model).to_owned(),
            created: seen.created_secs,
            completed: seen.created_secs.saturating_add_unsigned(seconds),
            finish: thought.finish.clone(),
            items: output_items(body, ask, &thought, salt),
            usage,
        }
    }

    /// Why the response is incomplete, if it is.
    pub(super) fn incomplete_reason(&self) -> Option<&'static str> {
        match self.finish {
            FinishCause::Length => Some("max_output_tokens"),
            FinishCause::Filtered => Some("content_filter"),
            FinishCause::Stop | FinishCause::StopSequence(_) | FinishCause::ToolCalls => None,
        }
    }

    /// The status of the finished response and of its last item.
    pub(super) fn status(&self) -> &'static str {
        self.incomplete_reason()
            .map_or("completed", |_| "incomplete")
    }

    /// The response object.
    pub(super) fn to_json(&self, state: ResponseState<'_>) -> Value {
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
        put("id", json!(self.id));
        put("object", json!("response"));
        put("created_at", json!(self.created));
        let ended = matches!(state, ResponseState::Ended);
        let status = match state {
            ResponseState::InProgress => "in_progress",
            ResponseState::Ended => self.status(),
            ResponseState::Failed(_) => "failed",
        };
        put("status", json!(status));
        put("background", json!(false));
        let completed = (status == "completed").then_some(self.completed);
        put("completed_at", json!(completed));
        let error = match state {
            ResponseState::Failed(problem) => {
                json!({"code": problem.error_type, "message": problem.message})
            }
            ResponseState::InProgress | ResponseState::Ended => Value::Null,
        };
        put("error", error);
        let cut = self.incomplete_reason().filter(|_| ended);
        put(
            "incomplete_details",
            json!(cut.map(|reason| json!({"reason": reason}))),
        );
        put(
            "instructions",
            self.echo_parameter("instructions", Value::Null),
        );
        put(
            "max_output_tokens",
            self.echo_parameter("max_output_tokens", Value::Null),
        );
        put(
            "max_tool_calls",
            self.echo_parameter("max_tool_calls", Value::Null),
        );
        put("model", json!(self.model));
        let output = self.items.iter().map(|item| item.to_json(self.status()));
        put("output", if ended { output.collect() } else { json!([]) });
        let tier = if ended { "default" } else { "auto" };
        self.put_settings(&mut object, tier, ended);
        Value::Object(object)
    }

    /// The parameters of the request or their defaults, and the usage.
    fn put_settings(&self, object: &mut Map<String, Value>, tier: &str, ended: bool) {
        let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
        for (key, otherwise) in [
            ("parallel_tool_calls", json!(true)),
            ("previous_response_id", Value::Null),
            ("prompt_cache_key", Value::Null),
        ] {
            put(key, self.echo_parameter(key, otherwise));
        }
        put("reasoning", self.reasoning_object());
        put(
            "safety_identifier",
            self.echo_parameter("safety_identifier", Value::Null),
        );
        put("service_tier", json!(tier));
        for (key, otherwise) in [("store", json!(true)), ("temperature", json!(1.0))] {
            put(key, self.echo_parameter(key, otherwise));
        }
        put("text", self.text_object());
        for (key, otherwise) in [
            ("tool_choice", json!("auto")),
            ("tools", json!([])),
            ("top_logprobs", json!(0)),
            ("top_p", json!(1.0)),
            ("truncation", json!("disabled")),
        ] {
            put(key, self.echo_parameter(key, otherwise));
        }
        put(
            "usage",
            if ended {
                usage_object(self.usage)
            } else {
                Value::Null
            },
        );
        put("user", self.echo_parameter("user", Value::Null));
        put("metadata", self.echo_parameter("metadata", json!({})));
    }

    /// The value of a parameter in the request, or `otherwise`.
    fn echo_parameter(&self, key: &str, otherwise: Value) -> Value {
        let said = self.body.get(key).filter(|value| !value.is_null());
        said.cloned().unwrap_or(otherwise)
    }

    fn reasoning_object(&self) -> Value {
        let thinks = models::thinks_first(&self.model, None);
        let effort = reasoning_effort(self.body).or(thinks.then_some("medium"));
        json!({"effort": effort, "summary": summary_setting(self.body)})
    }

    fn text_object(&self) -> Value {
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

/// The reasoning summary that the request asks for.
fn summary_setting(body: &Map<String, Value>) -> Option<&Value> {
    body.get("reasoning")?
        .get("summary")
        .filter(|summary| !summary.is_null())
}

fn output_items(
    body: &Map<String, Value>,
    ask: &ModelRequest,
    thought: &GeneratedAnswer,
    salt: u64,
) -> Vec<OutputItem> {
    let mut items = Vec::new();
    let id = |prefix: &str, index: u64| ids::hex_id(prefix, ids::mix_bits(salt ^ index), 48);
    if ask.thinks_first {
        let shown = summary_setting(body).is_some() || ask.model == "demo-reasoning";
        let wanted = body
            .get("include")
            .map(Value::to_string)
            .unwrap_or_default();
        let sealed = wanted.contains("reasoning.encrypted_content");
        let seal = ids::alphanumeric_id("gAAAAA", salt, 60);
        items.push(OutputItem::Reasoning {
            id: id("rs_", 1),
            summary: if shown {
                thought.reasoning_tokens.clone()
            } else {
                Vec::new()
            },
            token_count: thought.reasoning_tokens.len(),
            encrypted: sealed.then_some(format!("{seal}==")),
        });
    }
    let silent = thought.text_tokens.is_empty() && thought.finish == FinishCause::Length;
    if thought.tool_calls.is_empty() && !silent {
        items.push(OutputItem::Message {
            id: id("msg_", 2),
            text: thought.text_tokens.clone(),
            refused: thought.refused,
        });
    }
    let calls = thought.tool_calls.iter().cloned();
    items.extend(calls.zip(3..).map(|(call, index)| OutputItem::Call {
        id: id("fc_", index),
        call,
    }));
    items
}

fn usage_object(usage: GeneratedUsage) -> Value {
    json!({
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens(), "cache_write_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens(),
    })
}

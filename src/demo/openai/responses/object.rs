//! The response object, in its states, and the items of its output: reasoning, a message, tool calls
//! (<https://platform.openai.com/docs/api-reference/responses/object>).

use serde_json::{Value, json};

use super::request::reasoning_effort;
use crate::demo::api_error::ApiError;
use crate::demo::context::DemoContext;
use crate::demo::generation::{self, FinishCause, GeneratedAnswer, GeneratedCall};
use crate::demo::json_values::{non_null, sparse_object};
use crate::demo::model_request::ModelRequest;
use crate::demo::openai::rules::RULES;
use crate::demo::usage::GeneratedUsage;
use crate::demo::{ids, models};

/// A response, source of a whole reply and of a stream.
#[derive(Debug)]
pub(super) struct ResponseObject<'a> {
    /// The body of the request, whose parameters the response repeats.
    pub(super) body: &'a Value,
    id: String,
    model: String,
    created: i64,
    completed: i64,
    finish: FinishCause,
    pub(super) items: Vec<OutputItem>,
    pub(super) usage: GeneratedUsage,
}

/// The state of a Responses object: in progress, completed, incomplete, failed.
#[derive(Clone, Copy, Debug)]
pub(super) enum ResponseState<'a> {
    InProgress,
    /// Finished: complete or incomplete.
    Ended,
    /// Failed by a fault of the server.
    Failed(&'a ApiError),
}

impl<'a> ResponseObject<'a> {
    pub(super) fn generate(body: &'a Value, question: &ModelRequest, context: DemoContext) -> Self {
        let (answer, usage) = generation::generate_one(question, context);
        let seed = context.answer_seed();
        let seconds = context.pauses(usage.completion_tokens).as_secs();
        Self {
            body,
            id: ids::hex_id("resp_", seed, 48),
            model: models::served_model(&question.model).to_owned(),
            created: context.created_secs,
            completed: context.created_secs.saturating_add_unsigned(seconds),
            finish: answer.finish.clone(),
            items: output_items(body, question, answer, seed),
            usage,
        }
    }

    /// Why the response is incomplete, if it is.
    fn incomplete_reason(&self) -> Option<&'static str> {
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

    /// The response object. It repeats the parameters of the request, or their defaults.
    pub(super) fn to_json(&self, state: ResponseState<'_>) -> Value {
        let ended = matches!(state, ResponseState::Ended);
        let (status, error) = match state {
            ResponseState::InProgress => ("in_progress", Value::Null),
            ResponseState::Ended => (self.status(), Value::Null),
            ResponseState::Failed(error) => {
                let error = json!({"code": error.error_type, "message": error.message});
                ("failed", error)
            }
        };
        let incomplete = self.incomplete_reason().filter(|_| ended);
        let items = self.items.iter().filter(|_| ended);
        // The parameters have their defaults here.
        let mut object = json!({
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "background": false,
            "completed_at": (status == "completed").then_some(self.completed),
            "error": error,
            "incomplete_details": incomplete.map(|reason| json!({"reason": reason})),
            "instructions": null,
            "max_output_tokens": null,
            "max_tool_calls": null,
            "model": self.model,
            "output": items.map(|item| item.to_json(self.status())).collect::<Value>(),
            "parallel_tool_calls": true,
            "previous_response_id": null,
            "prompt_cache_key": null,
            "reasoning": self.reasoning_object(),
            "safety_identifier": null,
            "service_tier": if ended { "default" } else { "auto" },
            "store": true,
            "temperature": 1.0,
            "text": self.text_object(),
            "tool_choice": "auto",
            "tools": [],
            "top_logprobs": 0,
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": ended.then(|| usage_object(self.usage)),
            "user": null,
            "metadata": {},
        });
        for key in RULES.names("repeated_parameters") {
            if let Some(given) = non_null(self.body, key) {
                object[key] = given.clone();
            }
        }
        object
    }

    fn reasoning_object(&self) -> Value {
        let thinks = models::thinks_first(&self.model, None);
        let effort = reasoning_effort(self.body).or(thinks.then_some("medium"));
        json!({"effort": effort, "summary": self.body["reasoning"]["summary"]})
    }

    fn text_object(&self) -> Value {
        let setting = |key: &str, default: Value| {
            let given = self.body["text"].get(key);
            given.cloned().unwrap_or(default)
        };
        json!({
            "format": setting("format", json!({"type": "text"})),
            "verbosity": setting("verbosity", json!("medium")),
        })
    }
}

fn output_items(
    body: &Value,
    question: &ModelRequest,
    answer: GeneratedAnswer,
    seed: u64,
) -> Vec<OutputItem> {
    let item = |prefix: &str, index: u64, content: OutputItemContent| {
        let id = ids::hex_id(prefix, ids::mix_bits(seed ^ index), 48);
        OutputItem { id, content }
    };
    let silent = answer.text_tokens.is_empty() && answer.finish == FinishCause::Length;
    let has_message = answer.tool_calls.is_empty() && !silent;
    let mut items = Vec::new();
    if question.thinks_first {
        let asks_for_summary = !body["reasoning"]["summary"].is_null();
        let shown = asks_for_summary || question.model == "demo-reasoning";
        let token_count = answer.reasoning_tokens.len();
        let include = body["include"].to_string();
        let seal = || format!("{}==", ids::alphanumeric_id("gAAAAA", seed, 60));
        let reasoning = OutputItemContent::Reasoning {
            summary: Some(answer.reasoning_tokens)
                .filter(|_| shown)
                .unwrap_or_default(),
            token_count,
            encrypted: include.contains("reasoning.encrypted_content").then(seal),
        };
        items.push(item("rs_", 1, reasoning));
    }
    if has_message {
        let (text, refused) = (answer.text_tokens, answer.refused);
        items.push(item(
            "msg_",
            2,
            OutputItemContent::Message { text, refused },
        ));
    }
    let calls = answer.tool_calls.into_iter().zip(3..);
    items.extend(calls.map(|(call, index)| item("fc_", index, OutputItemContent::Call(call))));
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

/// One output item of the Responses API.
#[derive(Clone, Debug)]
pub(super) struct OutputItem {
    pub(super) id: String,
    pub(super) content: OutputItemContent,
}

/// The content of an output item of the Responses API: a message, reasoning, or a function call.
#[derive(Clone, Debug)]
pub(super) enum OutputItemContent {
    Reasoning {
        /// The tokens of the reasoning summary; empty if reasoning stays hidden.
        summary: Vec<String>,
        /// The number of reasoning tokens.
        token_count: usize,
        /// The encrypted reasoning, for the client to send back.
        encrypted: Option<String>,
    },
    Message {
        text: Vec<String>,
        refused: bool,
    },
    Call(GeneratedCall),
}

/// The status of an item that has no content yet.
pub(super) const IN_PROGRESS: &str = "in_progress";

impl OutputItem {
    /// The item in this status; `IN_PROGRESS` leaves out its content.
    pub(super) fn to_json(&self, status: &str) -> Value {
        let begun = status == IN_PROGRESS;
        let parts = |part: Value| if begun { json!([]) } else { json!([part]) };
        match &self.content {
            OutputItemContent::Reasoning {
                summary, encrypted, ..
            } => {
                let summary = match summary.is_empty() {
                    true => json!([]),
                    false => parts(summary_part(&summary.concat())),
                };
                let sealed = |sealed: &String| json!(if begun { "" } else { sealed });
                sparse_object([
                    ("id", Some(json!(self.id))),
                    ("type", Some(json!("reasoning"))),
                    ("summary", Some(summary)),
                    ("encrypted_content", encrypted.as_ref().map(sealed)),
                ])
            }
            OutputItemContent::Message { text, refused } => json!({
                "id": self.id,
                "type": "message",
                "status": status,
                "content": parts(content_part(&text.concat(), *refused)),
                "role": "assistant",
            }),
            OutputItemContent::Call(call) => json!({
                "id": self.id,
                "type": "function_call",
                // A call is never cut.
                "status": if begun { status } else { "completed" },
                "arguments": if begun { String::new() } else { call.argument_tokens.concat() },
                "call_id": call.make_id("call_", 24),
                "name": call.name,
            }),
        }
    }
}

/// The JSON of a content part of a message.
pub(super) fn content_part(text: &str, refused: bool) -> Value {
    if refused {
        json!({"type": "refusal", "refusal": text})
    } else {
        json!({"type": "output_text", "annotations": [], "logprobs": [], "text": text})
    }
}

/// A part of the reasoning summary.
pub(super) fn summary_part(text: &str) -> Value {
    json!({"type": "summary_text", "text": text})
}

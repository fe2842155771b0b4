//! Reads a request for a completion (<https://platform.openai.com/docs/api-reference/chat/create>) from JSON that
//! `check` has accepted.

use serde_json::{Map, Value};

use crate::demo::model_request::{
    AnswerFormat, ChatTurn, DeclaredTool, ModelRequest, ToolChoice, TurnRole,
};
use crate::demo::model_request::{array_items, declared_tool, flag_at, stop_sequences, text_at};

/// A model request with the options that only Chat Completions has.
#[derive(Clone, Debug)]
pub(super) struct ChatCompletionRequest {
    pub(super) model_request: ModelRequest,
    pub(super) include_usage: bool,
    pub(super) logprobs: bool,
    pub(super) top_logprobs: u64,
}

/// The model request in `body`.
pub(super) fn read_request(body: &Map<String, Value>) -> ChatCompletionRequest {
    let include_usage = body.get("stream_options");
    let include_usage = include_usage.and_then(|options| options.get("include_usage"));
    ChatCompletionRequest {
        model_request: read_model_request(body),
        include_usage: include_usage.and_then(Value::as_bool).unwrap_or(false),
        logprobs: flag_at(body, "logprobs"),
        top_logprobs: body
            .get("top_logprobs")
            .and_then(Value::as_u64)
            .unwrap_or(0),
    }
}

fn read_model_request(body: &Map<String, Value>) -> ModelRequest {
    let number = |key: &str| body.get(key).and_then(Value::as_u64);
    let model = body.get("model").and_then(Value::as_str);
    let turns = array_items(body.get("messages")).map(read_turn).collect();
    let mut ask = ModelRequest::new(model.unwrap_or_default(), turns, body.get("tools"));
    ask.stream = flag_at(body, "stream");
    ask.answer_count = number("n").unwrap_or(1);
    ask.max_tokens = number("max_completion_tokens").or_else(|| number("max_tokens"));
    ask.stop_sequences = stop_sequences(body.get("stop"));
    ask.format = read_format(body.get("response_format"));
    ask.seed = body.get("seed").and_then(Value::as_i64);
    let parallel = body.get("parallel_tool_calls").and_then(Value::as_bool);
    let wanted = read_tool_choice(body.get("tool_choice"));
    ask.choose_tools(declared_tools(body), wanted, parallel != Some(false));
    ask.thinks_first = ask.model == "demo-reasoning" && ask.tools_to_call.is_empty();
    ask
}

fn read_turn(message: &Value) -> ChatTurn {
    ChatTurn::from_content(
        TurnRole::from_name(text_at(message, "role")),
        message.get("content"),
    )
}

fn read_format(value: Option<&Value>) -> AnswerFormat {
    let kind = value.and_then(|value| value.get("type"));
    match kind.and_then(Value::as_str) {
        Some("json_object") => AnswerFormat::JsonObject,
        Some("json_schema") => {
            let schema = value.and_then(|value| value.pointer("/json_schema/schema"));
            AnswerFormat::JsonSchema(schema.cloned().unwrap_or(Value::Bool(true)))
        }
        _ => AnswerFormat::Text,
    }
}

/// The functions declared in `tools`.
pub(super) fn declared_tools(body: &Map<String, Value>) -> Vec<DeclaredTool> {
    let function = |value: &Value| {
        let function = value.get("function")?;
        declared_tool(function.get("name"), function.get("parameters"))
    };
    array_items(body.get("tools"))
        .filter_map(function)
        .collect()
}

fn read_tool_choice(choice: Option<&Value>) -> ToolChoice<'_> {
    match choice {
        Some(Value::String(choice)) if choice == "none" => ToolChoice::Never,
        Some(choice) => match choice.pointer("/function/name").and_then(Value::as_str) {
            Some(name) => ToolChoice::Named(name),
            None => ToolChoice::Auto,
        },
        None => ToolChoice::Auto,
    }
}

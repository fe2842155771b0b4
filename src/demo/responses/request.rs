//! Reads a request for a response (<https://platform.openai.com/docs/api-reference/responses/create>) from JSON that
//! `check` has accepted.

use serde_json::{Map, Value};

use crate::demo::model_request::{
    AnswerFormat, ChatTurn, DeclaredTool, ModelRequest, ToolChoice, TurnRole,
};
use crate::demo::model_request::{array_items, declared_tool, flag_at, text_at};
use crate::demo::models;

/// The model request in `body`.
pub(super) fn read_request(body: &Map<String, Value>) -> ModelRequest {
    let string = |key: &str| body.get(key).and_then(Value::as_str);
    let model = string("model").unwrap_or_default();
    let mut ask = ModelRequest::new(model, read_turns(body.get("input")), body.get("tools"))
        .with_system_prompt(string("instructions").map(str::to_owned));
    ask.stream = flag_at(body, "stream");
    ask.max_tokens = body.get("max_output_tokens").and_then(Value::as_u64);
    ask.format = read_format(body.get("text").and_then(|text| text.get("format")));
    ask.thinks_first = models::thinks_first(model, reasoning_effort(body));
    let parallel = body.get("parallel_tool_calls").and_then(Value::as_bool);
    let wanted = read_tool_choice(body.get("tool_choice"));
    ask.choose_tools(declared_tools(body), wanted, parallel != Some(false));
    ask
}

/// The reasoning effort, if the request states it.
pub(super) fn reasoning_effort(body: &Map<String, Value>) -> Option<&str> {
    body.get("reasoning")?.get("effort")?.as_str()
}

fn read_turns(input: Option<&Value>) -> Vec<ChatTurn> {
    match input {
        Some(Value::Array(items)) => items.iter().map(read_turn).collect(),
        input => vec![ChatTurn::from_content(TurnRole::User, input)],
    }
}

/// The turn of an input item: a message, a tool call or its result.
fn read_turn(item: &Value) -> ChatTurn {
    match text_at(item, "type") {
        "" | "message" => ChatTurn::from_content(
            TurnRole::from_name(text_at(item, "role")),
            item.get("content"),
        ),
        "function_call_output" => ChatTurn::from_content(TurnRole::Tool, item.get("output")),
        _ => ChatTurn::from_content(TurnRole::Other, None),
    }
}

fn read_format(value: Option<&Value>) -> AnswerFormat {
    match value.map(|value| (text_at(value, "type"), value.get("schema"))) {
        Some(("json_object", _)) => AnswerFormat::JsonObject,
        Some(("json_schema", schema)) => {
            AnswerFormat::JsonSchema(schema.cloned().unwrap_or(Value::Bool(true)))
        }
        _ => AnswerFormat::Text,
    }
}

/// The functions declared in `tools`, without the tools that OpenAI hosts.
pub(super) fn declared_tools(body: &Map<String, Value>) -> Vec<DeclaredTool> {
    let functions =
        array_items(body.get("tools")).filter(|tool| text_at(tool, "type") == "function");
    functions
        .filter_map(|one| declared_tool(one.get("name"), one.get("parameters")))
        .collect()
}

fn read_tool_choice(choice: Option<&Value>) -> ToolChoice<'_> {
    let named = choice.and_then(|choice| choice.get("name"));
    match (
        choice.and_then(Value::as_str),
        named.and_then(Value::as_str),
    ) {
        (Some("none"), _) => ToolChoice::Never,
        (_, Some(name)) => ToolChoice::Named(name),
        _ => ToolChoice::Auto,
    }
}

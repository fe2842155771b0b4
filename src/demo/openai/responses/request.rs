//! Reads a request for a response (<https://platform.openai.com/docs/api-reference/responses/create>) from JSON that
//! `check` has accepted.

use serde_json::Value;

use crate::demo::json_values::{array_items, text_at};
use crate::demo::model_request::{
    AnswerFormat, ChatTurn, DeclaredTool, ModelRequest, ToolChoice, TurnRole,
};
use crate::demo::models;

/// The model request in `body`.
pub(super) fn read_request(body: &Value) -> ModelRequest {
    let model = text_at(body, "model");
    let mut question = ModelRequest::new(model, read_turns(&body["input"]), body.get("tools"))
        .with_system_prompt(body["instructions"].as_str().map(str::to_owned));
    question.stream = body["stream"] == true;
    question.max_tokens = body["max_output_tokens"].as_u64();
    let format = &body["text"]["format"];
    question.format = AnswerFormat::from_name(text_at(format, "type"), format.get("schema"));
    question.thinks_first = models::thinks_first(model, reasoning_effort(body));
    let choice = &body["tool_choice"];
    let choice = ToolChoice::new(choice == "none", choice["name"].as_str());
    let parallel = body["parallel_tool_calls"] != false;
    question.choose_tools(declared_tools(body), choice, parallel);
    question
}

/// The reasoning effort, if the request states it.
pub(super) fn reasoning_effort(body: &Value) -> Option<&str> {
    body["reasoning"]["effort"].as_str()
}

fn read_turns(input: &Value) -> Vec<ChatTurn> {
    match input {
        Value::Array(items) => items.iter().map(read_turn).collect(),
        input => vec![ChatTurn::new(TurnRole::User, input)],
    }
}

/// The turn of an input item: a message, a tool call or its result.
fn read_turn(item: &Value) -> ChatTurn {
    match text_at(item, "type") {
        "" | "message" => ChatTurn::from_message(item),
        "function_call_output" => ChatTurn::new(TurnRole::Tool, &item["output"]),
        _ => ChatTurn::new(TurnRole::Other, &Value::Null),
    }
}

/// The functions declared in `tools`, without the tools that OpenAI hosts.
pub(super) fn declared_tools(body: &Value) -> Vec<DeclaredTool> {
    array_items(&body["tools"])
        .filter(|tool| tool["type"] == "function")
        .filter_map(|tool| DeclaredTool::read(&tool["name"], &tool["parameters"]))
        .collect()
}

//! Reads a request for a message (<https://docs.claude.com/en/api/messages>) from JSON that `check` has accepted.

use serde_json::Value;

use crate::demo::json_values::{array_items, content_parts, text_at};
use crate::demo::model_request::{
    AnswerFormat, ChatTurn, DeclaredTool, ModelRequest, ToolChoice, stop_sequences,
};

/// The model request in `body`.
pub(super) fn read_request(body: &Value) -> ModelRequest {
    let turns = array_items(&body["messages"]).map(read_turn).collect();
    let system = Some(content_parts(&body["system"]).0).filter(|system| !system.is_empty());
    let mut question = ModelRequest::new(text_at(body, "model"), turns, body.get("tools"))
        .with_system_prompt(system);
    question.stream = body["stream"] == true;
    question.max_tokens = body["max_tokens"].as_u64();
    question.stop_sequences = stop_sequences(&body["stop_sequences"]);
    question.format = match body["output_config"]["format"].get("schema") {
        Some(schema) => AnswerFormat::JsonSchema(schema.clone()),
        None => AnswerFormat::Text,
    };
    // Any type of thinking but `disabled`.
    let thinking = body.get("thinking");
    let asks_to_think = thinking.is_some_and(|thinking| thinking["type"] != "disabled");
    question.thinks_first = question.model == "demo-reasoning" || asks_to_think;
    let choice = &body["tool_choice"];
    let parallel = choice["disable_parallel_tool_use"] != true;
    let kind = text_at(choice, "type");
    let name = (kind == "tool").then(|| text_at(choice, "name"));
    let choice = ToolChoice::new(kind == "none", name);
    question.choose_tools(declared_tools(body), choice, parallel);
    question
}

/// The turn of a message; one with tool results is a turn of the tool.
fn read_turn(message: &Value) -> ChatTurn {
    let results: Vec<String> = array_items(&message["content"])
        .filter(|block| block["type"] == "tool_result")
        .map(|block| content_parts(&block["content"]).0)
        .collect();
    match results.is_empty() {
        true => ChatTurn::from_message(message),
        false => ChatTurn::tool_results(&results),
    }
}

/// The functions declared in `tools`, without the tools that Anthropic hosts.
pub(super) fn declared_tools(body: &Value) -> Vec<DeclaredTool> {
    array_items(&body["tools"])
        .filter_map(|tool| DeclaredTool::read(&tool["name"], tool.get("input_schema")?))
        .collect()
}

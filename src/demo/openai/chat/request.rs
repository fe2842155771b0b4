//! Reads a request for a completion (<https://platform.openai.com/docs/api-reference/chat/create>) from JSON that
//! `check` has accepted.

use serde_json::Value;

use crate::demo::json_values::{array_items, text_at};
use crate::demo::model_request::{
    AnswerFormat, ChatTurn, DeclaredTool, ModelRequest, ToolChoice, stop_sequences,
};

/// The model request in `body`.
pub(super) fn read_request(body: &Value) -> ModelRequest {
    let number = |key: &str| body[key].as_u64();
    let turns = array_items(&body["messages"]).map(ChatTurn::from_message);
    let turns = turns.collect();
    let mut question = ModelRequest::new(text_at(body, "model"), turns, body.get("tools"));
    question.stream = body["stream"] == true;
    question.answer_count = number("n").unwrap_or(1);
    question.max_tokens = number("max_completion_tokens").or_else(|| number("max_tokens"));
    question.stop_sequences = stop_sequences(&body["stop"]);
    let format = &body["response_format"];
    question.format =
        AnswerFormat::from_name(text_at(format, "type"), format["json_schema"].get("schema"));
    question.seed = body["seed"].as_i64();
    let choice = &body["tool_choice"];
    let choice = ToolChoice::new(choice == "none", choice["function"]["name"].as_str());
    let tools = DeclaredTool::nested_in(&body["tools"]);
    question.choose_tools(tools, choice, body["parallel_tool_calls"] != false);
    question.thinks_first = question.model == "demo-reasoning" && question.tools_to_call.is_empty();
    question
}

//! Reads a request for a chat (<https://docs.ollama.com/api/chat>) from JSON that `check` has accepted.

use serde_json::Value;

use crate::demo::json_values::{array_items, text_at};
use crate::demo::model_request::{
    AnswerFormat, ChatTurn, DeclaredTool, ModelRequest, ToolChoice, stop_sequences,
};

/// The model request in `body`.
pub(super) fn read_request(body: &Value) -> ModelRequest {
    let turns = array_items(&body["messages"]).map(read_turn).collect();
    let mut question = ModelRequest::new(text_at(body, "model"), turns, body.get("tools"));
    let options = &body["options"];
    // A chat is streamed by default.
    question.stream = body["stream"] != false;
    // -1 and -2 mean no limit.
    question.max_tokens = options["num_predict"].as_u64();
    question.stop_sequences = stop_sequences(&options["stop"]);
    question.seed = options["seed"].as_i64();
    question.format = match &body["format"] {
        Value::String(name) if name == "json" => AnswerFormat::JsonObject,
        schema @ Value::Object(_) => AnswerFormat::JsonSchema(schema.clone()),
        _ => AnswerFormat::Text,
    };
    question.thinks_first = match &body["think"] {
        Value::Null => question.model == "demo-reasoning",
        think => think != false,
    };
    let tools = DeclaredTool::nested_in(&body["tools"]);
    question.choose_tools(tools, ToolChoice::Auto, true);
    question
}

fn read_turn(message: &Value) -> ChatTurn {
    ChatTurn {
        non_text_parts: array_items(&message["images"]).count(),
        ..ChatTurn::from_message(message)
    }
}

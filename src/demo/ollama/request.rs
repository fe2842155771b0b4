//! Checks and reads a request for a chat (<https://docs.ollama.com/api/chat>). Ollama ignores unknown keys.

use serde_json::Value;

use super::rules::RULES;
use crate::demo::api_error::ApiResult;
use crate::demo::json_values::{array_items, text_at};
use crate::demo::model_request::{
    AnswerFormat, ChatTurn, DeclaredTool, ModelRequest, ToolChoice, stop_sequences,
};
use crate::demo::rules::ParameterType::{self, Boolean, List, Object};

const PARAMETERS: &[(&str, ParameterType)] =
    &[("messages", List), ("stream", Boolean), ("options", Object)];

/// Checks all parameters but the model.
pub(super) fn check_parameters(body: &Value) -> ApiResult {
    RULES.check_table(body, PARAMETERS)?;
    let refuse = |name: &str, value: &Value| {
        let value = value.to_string();
        Err(RULES.error(name, &[("value", &value)]))
    };
    match &body["format"] {
        Value::Null | Value::Object(_) => {}
        Value::String(kind) if kind.is_empty() || kind == "json" => {}
        other => return refuse("bad_format", other),
    }
    match &body["think"] {
        Value::Null | Value::Bool(_) => Ok(()),
        Value::String(level) if ["high", "medium", "low", "max"].contains(&level.as_str()) => {
            Ok(())
        }
        other => refuse("bad_think", other),
    }
}

/// The model request in a body that was checked.
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

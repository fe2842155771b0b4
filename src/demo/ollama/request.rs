//! Reads a request for a chat (<https://docs.ollama.com/api/chat>) from JSON that `check` has accepted.

use serde_json::{Map, Value};

use crate::demo::model_request::{AnswerFormat, ChatTurn, DeclaredTool, ModelRequest, TurnRole};
use crate::demo::model_request::{ToolChoice, array_items, declared_tool, stop_sequences, text_at};

/// The model request in `body`.
pub(super) fn read_request(body: &Map<String, Value>) -> ModelRequest {
    let model = body.get("model").and_then(Value::as_str);
    let turns = array_items(body.get("messages")).map(read_turn).collect();
    let mut ask = ModelRequest::new(model.unwrap_or_default(), turns, body.get("tools"));
    let option = |name: &str| body.get("options").and_then(|options| options.get(name));
    // A chat is streamed by default.
    ask.stream = body.get("stream").and_then(Value::as_bool).unwrap_or(true);
    // -1 and -2 mean no limit.
    ask.max_tokens = option("num_predict").and_then(Value::as_u64);
    ask.stop_sequences = stop_sequences(option("stop"));
    ask.seed = option("seed").and_then(Value::as_i64);
    ask.format = read_format(body.get("format"));
    ask.thinks_first = match body.get("think") {
        None | Some(Value::Null) => ask.model == "demo-reasoning",
        Some(think) => *think != Value::Bool(false),
    };
    ask.choose_tools(declared_tools(body), ToolChoice::Auto, true);
    ask
}

fn read_turn(message: &Value) -> ChatTurn {
    let images = array_items(message.get("images")).count();
    let turn = ChatTurn::from_content(
        TurnRole::from_name(text_at(message, "role")),
        message.get("content"),
    );
    ChatTurn {
        non_text_parts: images,
        ..turn
    }
}

fn read_format(value: Option<&Value>) -> AnswerFormat {
    match value {
        Some(Value::String(kind)) if kind == "json" => AnswerFormat::JsonObject,
        Some(schema @ Value::Object(_)) => AnswerFormat::JsonSchema(schema.clone()),
        _ => AnswerFormat::Text,
    }
}

fn declared_tools(body: &Map<String, Value>) -> Vec<DeclaredTool> {
    let function = |value: &Value| {
        let function = value.get("function")?;
        declared_tool(function.get("name"), function.get("parameters"))
    };
    array_items(body.get("tools"))
        .filter_map(function)
        .collect()
}

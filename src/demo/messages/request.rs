//! Reads a request for a message (<https://docs.claude.com/en/api/messages>) from JSON that `check` has accepted.

use serde_json::{Map, Value};

use crate::demo::model_request::{
    AnswerFormat, ChatTurn, DeclaredTool, ModelRequest, ToolChoice, TurnRole,
};
use crate::demo::model_request::{
    array_items, content_parts, declared_tool, flag_at, stop_sequences, text_at,
};

/// The model request in `body`.
pub(super) fn read_request(body: &Map<String, Value>) -> ModelRequest {
    let model = body.get("model").and_then(Value::as_str);
    let turns = array_items(body.get("messages")).map(read_turn).collect();
    let system = body.get("system").map(|system| content_parts(system).0);
    let mut ask = ModelRequest::new(model.unwrap_or_default(), turns, body.get("tools"))
        .with_system_prompt(system.filter(|system| !system.is_empty()));
    ask.stream = flag_at(body, "stream");
    ask.max_tokens = body.get("max_tokens").and_then(Value::as_u64);
    ask.stop_sequences = stop_sequences(body.get("stop_sequences"));
    ask.format = read_format(body);
    ask.thinks_first = ask.model == "demo-reasoning" || asks_for_thinking(body);
    let choice = body.get("tool_choice");
    let single = choice.and_then(|choice| choice.get("disable_parallel_tool_use"));
    let parallel = single.and_then(Value::as_bool) != Some(true);
    ask.choose_tools(declared_tools(body), read_tool_choice(choice), parallel);
    ask
}

/// Whether the request asks for thinking: any type but `disabled`.
fn asks_for_thinking(body: &Map<String, Value>) -> bool {
    let kind = body
        .get("thinking")
        .map(|thinking| text_at(thinking, "type"));
    kind.is_some_and(|kind| kind != "disabled")
}

/// The turn of a message; one with tool results is a turn of the tool.
fn read_turn(message: &Value) -> ChatTurn {
    let content = message.get("content");
    let results: Vec<&Value> = array_items(content)
        .filter(|block| text_at(block, "type") == "tool_result")
        .collect();
    if results.is_empty() {
        return ChatTurn::from_content(TurnRole::from_name(text_at(message, "role")), content);
    }
    let texts = results.iter().filter_map(|block| block.get("content"));
    let texts: Vec<String> = texts.map(|content| content_parts(content).0).collect();
    ChatTurn {
        role: TurnRole::Tool,
        text: texts.join("\n"),
        non_text_parts: 0,
    }
}

fn read_format(body: &Map<String, Value>) -> AnswerFormat {
    let format = body
        .get("output_config")
        .and_then(|config| config.get("format"));
    match format.and_then(|format| format.get("schema")) {
        Some(schema) => AnswerFormat::JsonSchema(schema.clone()),
        None => AnswerFormat::Text,
    }
}

/// The functions declared in `tools`, without the tools that Anthropic hosts.
pub(super) fn declared_tools(body: &Map<String, Value>) -> Vec<DeclaredTool> {
    let own = array_items(body.get("tools")).filter(|tool| tool.get("input_schema").is_some());
    own.filter_map(|one| declared_tool(one.get("name"), one.get("input_schema")))
        .collect()
}

fn read_tool_choice(choice: Option<&Value>) -> ToolChoice<'_> {
    match choice.map(|choice| (text_at(choice, "type"), text_at(choice, "name"))) {
        Some(("none", _)) => ToolChoice::Never,
        Some(("tool", name)) => ToolChoice::Named(name),
        _ => ToolChoice::Auto,
    }
}

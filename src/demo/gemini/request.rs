//! Reads a request for content (<https://ai.google.dev/api/generate-content>) from JSON that `check` has accepted.
//! Every key may be spelled in camel case or with underscores.

use serde_json::Value;

use super::rules::RULES;
use crate::demo::json_values::{array_items, content_parts, text_at};
use crate::demo::model_request::{
    AnswerFormat, ChatTurn, DeclaredTool, ModelRequest, ToolChoice, TurnRole, stop_sequences,
};

/// The model request in `body`.
pub(super) fn read_request(model: &str, body: &Value, stream: bool) -> ModelRequest {
    let config = value_at(body, "generationConfig");
    let number = |key: &str| value_at(config, key).as_u64();
    let turns = array_items(&body["contents"]).map(read_turn).collect();
    let system = content_parts(&value_at(body, "systemInstruction")["parts"]).0;
    let mut question = ModelRequest::new(model, turns, body.get("tools"))
        .with_system_prompt(Some(system).filter(|text| !text.is_empty()));
    question.stream = stream;
    question.answer_count = number("candidateCount").unwrap_or(1);
    question.max_tokens = number("maxOutputTokens");
    question.stop_sequences = stop_sequences(value_at(config, "stopSequences"));
    question.seed = value_at(config, "seed").as_i64();
    question.format = read_format(config);
    let thinking = value_at(config, "thinkingConfig");
    let thinks = !thinking.is_null() && value_at(thinking, "thinkingBudget").as_i64() != Some(0);
    question.thinks_first = model == "demo-reasoning" || thinks;
    choose_tools(&mut question, body);
    question
}

/// Whether the answer shows its reasoning.
pub(super) fn shows_thinking(model: &str, body: &Value) -> bool {
    let thinking = value_at(value_at(body, "generationConfig"), "thinkingConfig");
    let shown = value_at(thinking, "includeThoughts").as_bool();
    shown.unwrap_or(model == "demo-reasoning")
}

/// The value at `key`, in camel case or with underscores, unless it is null.
fn find<'a>(object: &'a Value, key: &str) -> Option<&'a Value> {
    RULES.find(object, key)
}

/// The value at `key`, in camel case or with underscores; null if there is none.
pub(super) fn value_at<'a>(object: &'a Value, key: &str) -> &'a Value {
    find(object, key).unwrap_or(&Value::Null)
}

/// The turn of a content; one with function results is a turn of the tool.
fn read_turn(content: &Value) -> ChatTurn {
    let results: Vec<String> = array_items(&content["parts"])
        .filter_map(|part| find(part, "functionResponse")?.get("response"))
        .map(result_text)
        .collect();
    if !results.is_empty() {
        return ChatTurn::tool_results(&results);
    }
    let role = match text_at(content, "role") {
        "" => TurnRole::User,
        role => TurnRole::from_name(role),
    };
    ChatTurn::new(role, &content["parts"])
}

/// The result of a function: its `result` or `output`, or the whole object.
fn result_text(response: &Value) -> String {
    let inner = response.get("result").or_else(|| response.get("output"));
    match inner.unwrap_or(response) {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

fn read_format(config: &Value) -> AnswerFormat {
    if value_at(config, "responseMimeType") != "application/json" {
        return AnswerFormat::Text;
    }
    let schema = find(config, "responseJsonSchema").or_else(|| find(config, "responseSchema"));
    match schema {
        Some(schema) => AnswerFormat::JsonSchema(lowercase_types(schema)),
        None => AnswerFormat::JsonObject,
    }
}

/// The schema with types spelled as in JSON Schema: `string` for `STRING`.
fn lowercase_types(schema: &Value) -> Value {
    let entry = |(key, value): (&String, &Value)| match value {
        Value::String(kind) if key == "type" => (key.clone(), kind.to_ascii_lowercase().into()),
        value => (key.clone(), lowercase_types(value)),
    };
    match schema {
        Value::Object(object) => object.iter().map(entry).collect(),
        Value::Array(values) => values.iter().map(lowercase_types).collect(),
        value => value.clone(),
    }
}

/// The functions declared in `tools`, without the tools that Google hosts.
pub(super) fn declared_tools(body: &Value) -> Vec<DeclaredTool> {
    let function = |function: &Value| {
        let schema = find(function, "parametersJsonSchema").unwrap_or(&function["parameters"]);
        DeclaredTool::read(&function["name"], &lowercase_types(schema))
    };
    array_items(&body["tools"])
        .flat_map(|tool| array_items(value_at(tool, "functionDeclarations")))
        .filter_map(function)
        .collect()
}

fn choose_tools(question: &mut ModelRequest, body: &Value) {
    let config = value_at(value_at(body, "toolConfig"), "functionCallingConfig");
    let allowed = value_at(config, "allowedFunctionNames");
    let mut tools = declared_tools(body);
    if array_items(allowed).next().is_some() {
        tools.retain(|tool| array_items(allowed).any(|name| *name == tool.name));
    }
    let never = text_at(config, "mode").eq_ignore_ascii_case("NONE");
    question.choose_tools(tools, ToolChoice::new(never, None), true);
}

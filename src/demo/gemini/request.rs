//! Reads a request for content (<https://ai.google.dev/api/generate-content>) from JSON that `check` has accepted.
//! Every key may be spelled in camel case or with underscores.

use serde_json::{Map, Value};

use crate::demo::model_request::{
    AnswerFormat, ChatTurn, DeclaredTool, ModelRequest, ToolChoice, TurnRole,
};
use crate::demo::model_request::{
    array_items, content_parts, declared_tool, stop_sequences, text_at,
};

/// A model request with the options that only this API has.
#[derive(Clone, Debug)]
pub(super) struct GeminiRequest {
    pub(super) model_request: ModelRequest,
    /// Whether the answer shows its reasoning.
    pub(super) show_thinking: bool,
}

/// The model request in `body`.
pub(super) fn read_request(model: &str, body: &Value) -> GeminiRequest {
    let config = non_null(body, "generationConfig").unwrap_or(&Value::Null);
    let number = |key: &str| non_null(config, key).and_then(Value::as_u64);
    let turns = array_items(body.get("contents")).map(read_turn).collect();
    let mut ask = ModelRequest::new(model, turns, body.get("tools"))
        .with_system_prompt(system_instruction(body));
    ask.answer_count = number("candidateCount").unwrap_or(1);
    ask.max_tokens = number("maxOutputTokens");
    ask.stop_sequences = stop_sequences(non_null(config, "stopSequences"));
    ask.seed = non_null(config, "seed").and_then(Value::as_i64);
    ask.format = read_format(config);
    let thinking = non_null(config, "thinkingConfig");
    let within = |key: &str| thinking.and_then(|thinking| non_null(thinking, key));
    let budget = within("thinkingBudget").and_then(Value::as_i64);
    let always_thinks = model == "demo-reasoning";
    ask.thinks_first = always_thinks || (thinking.is_some() && budget != Some(0));
    choose_tools(&mut ask, body);
    let shown = within("includeThoughts").and_then(Value::as_bool);
    GeminiRequest {
        show_thinking: shown.unwrap_or(always_thinks),
        model_request: ask,
    }
}

/// The value at `key`, in camel case or with underscores, unless it is null.
pub(super) fn non_null<'a>(object: &'a Value, key: &str) -> Option<&'a Value> {
    let found = object.get(key).or_else(|| object.get(to_snake_case(key)));
    found.filter(|value| !value.is_null())
}

/// A camel-case name with underscores instead.
pub(super) fn to_snake_case(key: &str) -> String {
    let mut snake = String::new();
    for char in key.chars() {
        if char.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(char.to_ascii_lowercase());
    }
    snake
}

fn system_instruction(body: &Value) -> Option<String> {
    let parts_of = non_null(body, "systemInstruction")?.get("parts")?;
    Some(content_parts(parts_of).0).filter(|text| !text.is_empty())
}

/// The turn of a content; one with function results is a turn of the tool.
fn read_turn(content: &Value) -> ChatTurn {
    let results: Vec<String> = array_items(content.get("parts"))
        .filter_map(|part| non_null(part, "functionResponse")?.get("response"))
        .map(result_text)
        .collect();
    if !results.is_empty() {
        return ChatTurn {
            role: TurnRole::Tool,
            text: results.join("\n"),
            non_text_parts: 0,
        };
    }
    let role = match text_at(content, "role") {
        "" => TurnRole::User,
        role => TurnRole::from_name(role),
    };
    ChatTurn::from_content(role, content.get("parts"))
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
    let kind = non_null(config, "responseMimeType").and_then(Value::as_str);
    let schema =
        non_null(config, "responseJsonSchema").or_else(|| non_null(config, "responseSchema"));
    match (kind, schema) {
        (Some("application/json"), Some(schema)) => {
            AnswerFormat::JsonSchema(lowercase_types(schema))
        }
        (Some("application/json"), None) => AnswerFormat::JsonObject,
        _ => AnswerFormat::Text,
    }
}

/// The schema with types spelled as in JSON Schema: `string` for `STRING`.
fn lowercase_types(schema: &Value) -> Value {
    let entry = |(key, value): (&String, &Value)| match value {
        Value::String(kind) if key == "type" => {
            (key.clone(), Value::String(kind.to_ascii_lowercase()))
        }
        value => (key.clone(), lowercase_types(value)),
    };
    match schema {
        Value::Object(object) => Value::Object(object.iter().map(entry).collect::<Map<_, _>>()),
        Value::Array(values) => values.iter().map(lowercase_types).collect(),
        value => value.clone(),
    }
}

/// The functions declared in `tools`, without the tools that Google hosts.
pub(super) fn declared_tools(body: &Value) -> Vec<DeclaredTool> {
    let declared = array_items(body.get("tools")).flat_map(|tool| {
        let functions = non_null(tool, "functionDeclarations");
        array_items(functions)
    });
    let function = |function: &Value| {
        let schema =
            non_null(function, "parametersJsonSchema").or_else(|| function.get("parameters"));
        declared_tool(function.get("name"), schema.map(lowercase_types).as_ref())
    };
    declared.filter_map(function).collect()
}

fn choose_tools(ask: &mut ModelRequest, body: &Value) {
    let config =
        non_null(body, "toolConfig").and_then(|tool| non_null(tool, "functionCallingConfig"));
    let mode = config.map_or("", |config| text_at(config, "mode"));
    let allowed = config.and_then(|config| non_null(config, "allowedFunctionNames"));
    let mut tools = declared_tools(body);
    if array_items(allowed).next().is_some() {
        tools.retain(|tool| array_items(allowed).any(|name| *name == tool.name));
    }
    let wanted = match mode.to_ascii_uppercase().as_str() {
        "NONE" => ToolChoice::Never,
        _ => ToolChoice::Auto,
    };
    ask.choose_tools(tools, wanted, true);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_both_spellings() {
        assert_eq!(to_snake_case("maxOutputTokens"), "max_output_tokens");
        assert_eq!(to_snake_case("topK"), "top_k");
        let object = serde_json::json!({"top_k": 5, "topP": null});
        assert_eq!(non_null(&object, "topK"), Some(&Value::from(5)));
        assert_eq!(non_null(&object, "topP"), None);
    }
}

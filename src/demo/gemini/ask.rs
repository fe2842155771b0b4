//! What a generation asks for (<https://ai.google.dev/api/generate-content>): read from JSON that `check`
//! has let pass. Every key may be spelled in camel case or with underscores.

use serde_json::{Map, Value};

use crate::demo::ask::{Ask, Format, Role, Tool, Turn, Wanted};
use crate::demo::ask::{items, parts, stops, text, tool};

/// An ask, and what only this API has.
#[derive(Clone, Debug)]
pub(super) struct GeminiAsk {
    pub(super) ask: Ask,
    /// Whether the thinking is shown.
    pub(super) shown: bool,
}

/// Reads it.
pub(super) fn read(model: &str, body: &Value) -> GeminiAsk {
    let config = given(body, "generationConfig").unwrap_or(&Value::Null);
    let number = |key: &str| given(config, key).and_then(Value::as_u64);
    let turns = items(body.get("contents")).map(turn).collect();
    let mut ask = Ask::new(model, turns, body.get("tools")).instructed(instruction(body));
    ask.n = number("candidateCount").unwrap_or(1);
    ask.limit = number("maxOutputTokens");
    ask.stop = stops(given(config, "stopSequences"));
    ask.seed = given(config, "seed").and_then(Value::as_i64);
    ask.format = format(config);
    let thinking = given(config, "thinkingConfig");
    let within = |key: &str| thinking.and_then(|thinking| given(thinking, key));
    let budget = within("thinkingBudget").and_then(Value::as_i64);
    let told = model == "demo-reasoning";
    ask.thinks = told || (thinking.is_some() && budget != Some(0));
    choose(&mut ask, body);
    let shown = within("includeThoughts").and_then(Value::as_bool);
    GeminiAsk {
        shown: shown.unwrap_or(told),
        ask,
    }
}

/// What is at `key`, in camel case or with underscores, and not null.
pub(super) fn given<'a>(object: &'a Value, key: &str) -> Option<&'a Value> {
    let found = object.get(key).or_else(|| object.get(snake(key)));
    found.filter(|value| !value.is_null())
}

/// A name of camel case with underscores.
pub(super) fn snake(key: &str) -> String {
    let mut snake = String::new();
    for char in key.chars() {
        if char.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(char.to_ascii_lowercase());
    }
    snake
}

fn instruction(body: &Value) -> Option<String> {
    let parts_of = given(body, "systemInstruction")?.get("parts")?;
    Some(parts(parts_of).0).filter(|text| !text.is_empty())
}

/// A content; with the result of a function in it, that function speaks.
fn turn(content: &Value) -> Turn {
    let results: Vec<String> = items(content.get("parts"))
        .filter_map(|part| given(part, "functionResponse")?.get("response"))
        .map(result)
        .collect();
    if !results.is_empty() {
        return Turn {
            role: Role::Tool,
            text: results.join("\n"),
            other_parts: 0,
        };
    }
    let role = match text(content, "role") {
        "" => Role::User,
        role => Role::named(role),
    };
    Turn::read(role, content.get("parts"))
}

/// What a function gave back: its `result` or `output`, or the object as it is.
fn result(response: &Value) -> String {
    let inner = response.get("result").or_else(|| response.get("output"));
    match inner.unwrap_or(response) {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

fn format(config: &Value) -> Format {
    let kind = given(config, "responseMimeType").and_then(Value::as_str);
    let schema = given(config, "responseJsonSchema").or_else(|| given(config, "responseSchema"));
    match (kind, schema) {
        (Some("application/json"), Some(schema)) => Format::Schema(lowered(schema)),
        (Some("application/json"), None) => Format::Object,
        _ => Format::Text,
    }
}

/// A schema whose types are spelled as JSON Schema has them: `string` for `STRING`.
fn lowered(schema: &Value) -> Value {
    let entry = |(key, value): (&String, &Value)| match value {
        Value::String(kind) if key == "type" => {
            (key.clone(), Value::String(kind.to_ascii_lowercase()))
        }
        value => (key.clone(), lowered(value)),
    };
    match schema {
        Value::Object(object) => Value::Object(object.iter().map(entry).collect::<Map<_, _>>()),
        Value::Array(values) => values.iter().map(lowered).collect(),
        value => value.clone(),
    }
}

/// The functions that `tools` declares; tools that Google hosts are not among them.
pub(super) fn tools(body: &Value) -> Vec<Tool> {
    let declared = items(body.get("tools")).flat_map(|tool| {
        let functions = given(tool, "functionDeclarations");
        items(functions)
    });
    let function = |function: &Value| {
        let schema = given(function, "parametersJsonSchema").or_else(|| function.get("parameters"));
        tool(function.get("name"), schema.map(lowered).as_ref())
    };
    declared.filter_map(function).collect()
}

fn choose(ask: &mut Ask, body: &Value) {
    let config = given(body, "toolConfig").and_then(|tool| given(tool, "functionCallingConfig"));
    let mode = config.map_or("", |config| text(config, "mode"));
    let allowed = config.and_then(|config| given(config, "allowedFunctionNames"));
    let mut tools = tools(body);
    if items(allowed).next().is_some() {
        tools.retain(|tool| items(allowed).any(|name| *name == tool.name));
    }
    let wanted = match mode.to_ascii_uppercase().as_str() {
        "NONE" => Wanted::Never,
        _ => Wanted::Any,
    };
    ask.choose(tools, wanted, true);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_underscores() {
        assert_eq!(snake("maxOutputTokens"), "max_output_tokens");
        assert_eq!(snake("topK"), "top_k");
        let object = serde_json::json!({"top_k": 5, "topP": null});
        assert_eq!(given(&object, "topK"), Some(&Value::from(5)));
        assert_eq!(given(&object, "topP"), None);
    }
}

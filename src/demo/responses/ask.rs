//! What a response asks for (<https://platform.openai.com/docs/api-reference/responses/create>): read from
//! JSON that `check` has let pass.

use serde_json::{Map, Value};

use crate::demo::ask::{Ask, Format, Role, Tool, Turn, Wanted};
use crate::demo::ask::{flag, items, text, tool};
use crate::demo::models;

/// Reads it.
pub(super) fn read(body: &Map<String, Value>) -> Ask {
    let string = |key: &str| body.get(key).and_then(Value::as_str);
    let model = string("model").unwrap_or_default();
    let mut ask = Ask::new(model, turns(body.get("input")), body.get("tools"))
        .instructed(string("instructions").map(str::to_owned));
    ask.stream = flag(body, "stream");
    ask.limit = body.get("max_output_tokens").and_then(Value::as_u64);
    ask.format = format(body.get("text").and_then(|text| text.get("format")));
    ask.thinks = models::thinks(model, effort(body));
    let parallel = body.get("parallel_tool_calls").and_then(Value::as_bool);
    let wanted = wanted(body.get("tool_choice"));
    ask.choose(tools(body), wanted, parallel != Some(false));
    ask
}

/// How hard the model is to think, where that is said.
pub(super) fn effort(body: &Map<String, Value>) -> Option<&str> {
    body.get("reasoning")?.get("effort")?.as_str()
}

fn turns(input: Option<&Value>) -> Vec<Turn> {
    match input {
        Some(Value::Array(items)) => items.iter().map(turn).collect(),
        input => vec![Turn::read(Role::User, input)],
    }
}

/// An item of the input: a message, or what a tool was asked or gave back.
fn turn(item: &Value) -> Turn {
    match text(item, "type") {
        "" | "message" => Turn::read(Role::named(text(item, "role")), item.get("content")),
        "function_call_output" => Turn::read(Role::Tool, item.get("output")),
        _ => Turn::read(Role::Other, None),
    }
}

fn format(value: Option<&Value>) -> Format {
    match value.map(|value| (text(value, "type"), value.get("schema"))) {
        Some(("json_object", _)) => Format::Object,
        Some(("json_schema", schema)) => {
            Format::Schema(schema.cloned().unwrap_or(Value::Bool(true)))
        }
        _ => Format::Text,
    }
}

/// The functions that `tools` declares; tools that OpenAI hosts are not among them.
pub(super) fn tools(body: &Map<String, Value>) -> Vec<Tool> {
    let functions = items(body.get("tools")).filter(|tool| text(tool, "type") == "function");
    functions
        .filter_map(|one| tool(one.get("name"), one.get("parameters")))
        .collect()
}

fn wanted(choice: Option<&Value>) -> Wanted<'_> {
    let named = choice.and_then(|choice| choice.get("name"));
    match (
        choice.and_then(Value::as_str),
        named.and_then(Value::as_str),
    ) {
        (Some("none"), _) => Wanted::Never,
        (_, Some(name)) => Wanted::Named(name),
        _ => Wanted::Any,
    }
}

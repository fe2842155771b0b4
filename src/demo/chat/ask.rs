//! What a chat completion asks for (<https://platform.openai.com/docs/api-reference/chat/create>): read
//! from JSON that `check` has let pass.

use serde_json::{Map, Value};

use crate::demo::ask::{Ask, Format, Role, Tool, Turn, Wanted};
use crate::demo::ask::{flag, items, stops, text, tool};

/// An ask, and what only Chat Completions has.
#[derive(Clone, Debug)]
pub(super) struct ChatAsk {
    pub(super) ask: Ask,
    pub(super) include_usage: bool,
    pub(super) logprobs: bool,
    pub(super) top_logprobs: u64,
}

/// Reads it.
pub(super) fn read(body: &Map<String, Value>) -> ChatAsk {
    let include_usage = body.get("stream_options");
    let include_usage = include_usage.and_then(|options| options.get("include_usage"));
    ChatAsk {
        ask: ask(body),
        include_usage: include_usage.and_then(Value::as_bool).unwrap_or(false),
        logprobs: flag(body, "logprobs"),
        top_logprobs: body
            .get("top_logprobs")
            .and_then(Value::as_u64)
            .unwrap_or(0),
    }
}

fn ask(body: &Map<String, Value>) -> Ask {
    let number = |key: &str| body.get(key).and_then(Value::as_u64);
    let model = body.get("model").and_then(Value::as_str);
    let turns = items(body.get("messages")).map(turn).collect();
    let mut ask = Ask::new(model.unwrap_or_default(), turns, body.get("tools"));
    ask.stream = flag(body, "stream");
    ask.n = number("n").unwrap_or(1);
    ask.limit = number("max_completion_tokens").or_else(|| number("max_tokens"));
    ask.stop = stops(body.get("stop"));
    ask.format = format(body.get("response_format"));
    ask.seed = body.get("seed").and_then(Value::as_i64);
    let parallel = body.get("parallel_tool_calls").and_then(Value::as_bool);
    let wanted = wanted(body.get("tool_choice"));
    ask.choose(tools(body), wanted, parallel != Some(false));
    ask.thinks = ask.model == "demo-reasoning" && ask.calls.is_empty();
    ask
}

fn turn(message: &Value) -> Turn {
    Turn::read(Role::named(text(message, "role")), message.get("content"))
}

fn format(value: Option<&Value>) -> Format {
    let kind = value.and_then(|value| value.get("type"));
    match kind.and_then(Value::as_str) {
        Some("json_object") => Format::Object,
        Some("json_schema") => {
            let schema = value.and_then(|value| value.pointer("/json_schema/schema"));
            Format::Schema(schema.cloned().unwrap_or(Value::Bool(true)))
        }
        _ => Format::Text,
    }
}

/// The functions that `tools` declares.
pub(super) fn tools(body: &Map<String, Value>) -> Vec<Tool> {
    let function = |value: &Value| {
        let function = value.get("function")?;
        tool(function.get("name"), function.get("parameters"))
    };
    items(body.get("tools")).filter_map(function).collect()
}

fn wanted(choice: Option<&Value>) -> Wanted<'_> {
    match choice {
        Some(Value::String(choice)) if choice == "none" => Wanted::Never,
        Some(choice) => match choice.pointer("/function/name").and_then(Value::as_str) {
            Some(name) => Wanted::Named(name),
            None => Wanted::Any,
        },
        None => Wanted::Any,
    }
}

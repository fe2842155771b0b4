//! What a chat asks for (<https://docs.ollama.com/api/chat>): read from JSON that `check` has let pass.

use serde_json::{Map, Value};

use crate::demo::ask::{Ask, Format, Role, Tool, Turn};
use crate::demo::ask::{Wanted, items, stops, text, tool};

/// Reads it.
pub(super) fn read(body: &Map<String, Value>) -> Ask {
    let model = body.get("model").and_then(Value::as_str);
    let turns = items(body.get("messages")).map(turn).collect();
    let mut ask = Ask::new(model.unwrap_or_default(), turns, body.get("tools"));
    let option = |name: &str| body.get("options").and_then(|options| options.get(name));
    // A stream is what one gets who does not say.
    ask.stream = body.get("stream").and_then(Value::as_bool).unwrap_or(true);
    // -1 and -2 are no limit.
    ask.limit = option("num_predict").and_then(Value::as_u64);
    ask.stop = stops(option("stop"));
    ask.seed = option("seed").and_then(Value::as_i64);
    ask.format = format(body.get("format"));
    ask.thinks = match body.get("think") {
        None | Some(Value::Null) => ask.model == "demo-reasoning",
        Some(think) => *think != Value::Bool(false),
    };
    ask.choose(tools(body), Wanted::Any, true);
    ask
}

fn turn(message: &Value) -> Turn {
    let images = items(message.get("images")).count();
    let turn = Turn::read(Role::named(text(message, "role")), message.get("content"));
    Turn {
        other_parts: images,
        ..turn
    }
}

fn format(value: Option<&Value>) -> Format {
    match value {
        Some(Value::String(kind)) if kind == "json" => Format::Object,
        Some(schema @ Value::Object(_)) => Format::Schema(schema.clone()),
        _ => Format::Text,
    }
}

fn tools(body: &Map<String, Value>) -> Vec<Tool> {
    let function = |value: &Value| {
        let function = value.get("function")?;
        tool(function.get("name"), function.get("parameters"))
    };
    items(body.get("tools")).filter_map(function).collect()
}

//! What a message asks for (<https://docs.claude.com/en/api/messages>): read from JSON that `check` has
//! let pass.

use serde_json::{Map, Value};

use crate::demo::ask::{Ask, Format, Role, Tool, Turn, Wanted};
use crate::demo::ask::{flag, items, parts, stops, text, tool};

/// Reads it.
pub(super) fn read(body: &Map<String, Value>) -> Ask {
    let model = body.get("model").and_then(Value::as_str);
    let turns = items(body.get("messages")).map(turn).collect();
    let system = body.get("system").map(|system| parts(system).0);
    let mut ask = Ask::new(model.unwrap_or_default(), turns, body.get("tools"))
        .instructed(system.filter(|system| !system.is_empty()));
    ask.stream = flag(body, "stream");
    ask.limit = body.get("max_tokens").and_then(Value::as_u64);
    ask.stop = stops(body.get("stop_sequences"));
    ask.format = format(body);
    ask.thinks = ask.model == "demo-reasoning" || thinking(body);
    let choice = body.get("tool_choice");
    let single = choice.and_then(|choice| choice.get("disable_parallel_tool_use"));
    let parallel = single.and_then(Value::as_bool) != Some(true);
    ask.choose(tools(body), wanted(choice), parallel);
    ask
}

/// Whether thinking is asked for: any kind of it but `disabled`.
fn thinking(body: &Map<String, Value>) -> bool {
    let kind = body.get("thinking").map(|thinking| text(thinking, "type"));
    kind.is_some_and(|kind| kind != "disabled")
}

/// A message; with the result of a tool in it, that tool speaks.
fn turn(message: &Value) -> Turn {
    let content = message.get("content");
    let results: Vec<&Value> = items(content)
        .filter(|block| text(block, "type") == "tool_result")
        .collect();
    if results.is_empty() {
        return Turn::read(Role::named(text(message, "role")), content);
    }
    let texts = results.iter().filter_map(|block| block.get("content"));
    let texts: Vec<String> = texts.map(|content| parts(content).0).collect();
    Turn {
        role: Role::Tool,
        text: texts.join("\n"),
        other_parts: 0,
    }
}

fn format(body: &Map<String, Value>) -> Format {
    let format = body
        .get("output_config")
        .and_then(|config| config.get("format"));
    match format.and_then(|format| format.get("schema")) {
        Some(schema) => Format::Schema(schema.clone()),
        None => Format::Text,
    }
}

/// The functions that `tools` declares; tools that Anthropic hosts are not among them.
pub(super) fn tools(body: &Map<String, Value>) -> Vec<Tool> {
    let own = items(body.get("tools")).filter(|tool| tool.get("input_schema").is_some());
    own.filter_map(|one| tool(one.get("name"), one.get("input_schema")))
        .collect()
}

fn wanted(choice: Option<&Value>) -> Wanted<'_> {
    match choice.map(|choice| (text(choice, "type"), text(choice, "name"))) {
        Some(("none", _)) => Wanted::Never,
        Some(("tool", name)) => Wanted::Named(name),
        _ => Wanted::Any,
    }
}

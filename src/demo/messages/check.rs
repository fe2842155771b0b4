//! Whether a message can be made, and if not, why, in the words of Anthropic's API
//! (<https://docs.claude.com/en/api/messages>).

use serde_json::{Map, Value};

use super::ask;
use super::problem::Problem;
use crate::demo::ask::{Ask, items, text};
use crate::serve::request::Request;

type Body = Map<String, Value>;
type Checked = Result<(), Problem>;

/// The version of the API from which on sampling parameters are refused.
const NO_SAMPLING: &str = "2026-10-21";

/// What the head must say: which version of the API is meant.
pub(super) fn version(request: &Request) -> Result<&str, Problem> {
    const KNOWN: [&str; 3] = ["2023-01-01", "2023-06-01", NO_SAMPLING];
    match request.field("anthropic-version") {
        None => Err(Problem::invalid("anthropic-version: header is required")),
        Some(version) if KNOWN.contains(&version) => Ok(version),
        Some(version) => Err(Problem::invalid(format!(
            "anthropic-version: \"{version}\" is not a valid version. Please consult our documentation at \
             https://docs.claude.com/en/api/versioning"
        ))),
    }
}

/// The body as a JSON object.
pub(super) fn json(body: &[u8]) -> Result<Body, Problem> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(Problem::invalid("Input should be a valid dictionary")),
        Err(error) => Err(Problem::invalid(format!(
            "The request body is not valid JSON: {error}"
        ))),
    }
}

/// The model that is asked for.
pub(super) fn model(body: &Body) -> Result<&str, Problem> {
    match body.get("model") {
        None => Err(missing("model")),
        Some(Value::String(model)) if model.is_empty() => Err(Problem::invalid(
            "model: String should have at least 1 character",
        )),
        Some(Value::String(model)) => Ok(model),
        Some(_) => Err(wrong("model", "string")),
    }
}

/// Everything else, in the order in which people meet it.
pub(super) fn parameters(body: &Body, version: &str) -> Checked {
    max_tokens(body)?;
    messages(body)?;
    extra(body)?;
    sampling(body, version)?;
    match body.get("system") {
        None | Some(Value::String(_) | Value::Array(_)) => {}
        Some(_) => return Err(wrong("system", "string")),
    }
    for name in ["stop_sequences", "tools"] {
        if body.get(name).is_some_and(|value| !value.is_array()) {
            return Err(wrong(name, "list"));
        }
    }
    if body.get("stream").is_some_and(|value| !value.is_boolean()) {
        return Err(wrong("stream", "boolean"));
    }
    thinking(body)?;
    tools(body)
}

fn max_tokens(body: &Body) -> Checked {
    match body.get("max_tokens") {
        None => Err(missing("max_tokens")),
        Some(value) if value.is_u64() => Ok(()),
        Some(value) if value.is_i64() => Err(Problem::invalid(
            "max_tokens: Input should be greater than or equal to 0",
        )),
        Some(_) => Err(wrong("max_tokens", "integer")),
    }
}

fn messages(body: &Body) -> Checked {
    let messages = match body.get("messages") {
        None => return Err(missing("messages")),
        Some(Value::Array(messages)) => messages,
        Some(_) => return Err(wrong("messages", "list")),
    };
    if messages.is_empty() {
        return Err(Problem::invalid(
            "messages: at least one message is required",
        ));
    }
    let mut called = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        turn(&format!("messages.{index}"), message, &called)?;
        called = blocks(message, "tool_use", "id").collect();
    }
    Ok(())
}

/// Checks one message; `called` are the ids of the calls before it.
fn turn(at: &str, message: &Value, called: &[&str]) -> Checked {
    match message.get("role").map(Value::as_str) {
        None => return Err(missing(&format!("{at}.role"))),
        Some(Some("user" | "assistant")) => {}
        Some(Some("system")) => {
            return Err(Problem::invalid(
                "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` \
                 parameter, not \"system\" as an input message role.",
            ));
        }
        Some(_) => {
            let message = format!("{at}.role: Input should be 'user' or 'assistant'");
            return Err(Problem::invalid(message));
        }
    }
    match message.get("content") {
        None => return Err(missing(&format!("{at}.content"))),
        Some(Value::String(_) | Value::Array(_)) => {}
        Some(_) => return Err(wrong(&format!("{at}.content"), "list")),
    }
    let untyped = |block: &Value| block.get("type").is_none();
    if let Some(index) = items(message.get("content")).position(untyped) {
        return Err(missing(&format!("{at}.content.{index}.type")));
    }
    let mut answered = blocks(message, "tool_result", "tool_use_id");
    match answered.find(|id| !called.contains(id)) {
        None => Ok(()),
        Some(id) => Err(Problem::invalid(format!(
            "{at}.content.0: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each \
             `tool_result` block must have a corresponding `tool_use` block in the previous message."
        ))),
    }
}

/// What the blocks of a kind have at `key`.
fn blocks<'a>(message: &'a Value, kind: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    items(message.get("content"))
        .filter(move |block| text(block, "type") == kind)
        .map(move |block| text(block, key))
}

/// Names that other APIs have.
fn extra(body: &Body) -> Checked {
    const OTHERS: [&str; 14] = [
        "max_completion_tokens",
        "max_output_tokens",
        "n",
        "stop",
        "seed",
        "input",
        "instructions",
        "contents",
        "options",
        "response_format",
        "reasoning_effort",
        "frequency_penalty",
        "presence_penalty",
        "stream_options",
    ];
    match OTHERS.into_iter().find(|name| body.contains_key(*name)) {
        None => Ok(()),
        Some(name) => Err(not_permitted(name)),
    }
}

fn sampling(body: &Body, version: &str) -> Checked {
    for name in ["temperature", "top_p", "top_k"] {
        let Some(value) = body.get(name) else {
            continue;
        };
        if version == NO_SAMPLING {
            return Err(not_permitted(name));
        }
        let most = if name == "top_k" { f64::MAX } else { 1.0 };
        match value.as_f64() {
            None => return Err(wrong(name, "number")),
            Some(number) if number < 0.0 => {
                let message = format!("{name}: Input should be greater than or equal to 0");
                return Err(Problem::invalid(message));
            }
            Some(number) if number > most => {
                let message = format!("{name}: Input should be less than or equal to 1");
                return Err(Problem::invalid(message));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn thinking(body: &Body) -> Checked {
    const KINDS: [&str; 4] = ["enabled", "adaptive", "between_tools", "disabled"];
    let Some(thinking) = body.get("thinking") else {
        return Ok(());
    };
    let kind = text(thinking, "type");
    if !KINDS.contains(&kind) {
        let message = format!(
            "thinking: Input tag '{kind}' found using 'type' does not match any of the expected tags: \
             'disabled', 'enabled'"
        );
        return Err(Problem::invalid(message));
    }
    if kind != "enabled" {
        return Ok(());
    }
    match thinking.get("budget_tokens").map(Value::as_u64) {
        None => Err(missing("thinking.enabled.budget_tokens")),
        Some(None) => Err(wrong("thinking.enabled.budget_tokens", "integer")),
        Some(Some(..1024)) => Err(Problem::invalid(
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        )),
        Some(budget) if budget >= body.get("max_tokens").and_then(Value::as_u64) => {
            Err(Problem::invalid(
                "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our \
                 documentation at \
                 https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size",
            ))
        }
        Some(Some(_)) => Ok(()),
    }
}

fn tools(body: &Body) -> Checked {
    for (index, tool) in items(body.get("tools")).enumerate() {
        if tool.get("name").is_none() {
            return Err(missing(&format!("tools.{index}.custom.name")));
        }
        if tool.get("type").is_none() && tool.get("input_schema").is_none() {
            return Err(missing(&format!("tools.{index}.custom.input_schema")));
        }
    }
    let Some(choice) = body.get("tool_choice") else {
        return Ok(());
    };
    let (kind, name) = (text(choice, "type"), text(choice, "name"));
    if !["auto", "any", "tool", "none"].contains(&kind) {
        let message = format!(
            "tool_choice: Input tag '{kind}' found using 'type' does not match any of the expected tags: \
             'auto', 'any', 'tool', 'none'"
        );
        return Err(Problem::invalid(message));
    }
    if !body.contains_key("tools") {
        return Err(Problem::invalid(
            "tool_choice may only be specified while providing tools",
        ));
    }
    if kind == "tool" && !ask::tools(body).iter().any(|tool| tool.name == name) {
        let message = format!("Tool '{name}' not found in provided tools");
        return Err(Problem::invalid(message));
    }
    Ok(())
}

/// Whether the prompt fits into the context.
pub(super) fn length(ask: &Ask) -> Checked {
    const CONTEXT: u64 = 200_000;
    match ask.prompt_tokens {
        ..=CONTEXT => Ok(()),
        tokens => Err(Problem::invalid(format!(
            "prompt is too long: {tokens} tokens > {CONTEXT} maximum"
        ))),
    }
}

fn missing(name: &str) -> Problem {
    Problem::invalid(format!("{name}: Field required"))
}

fn wrong(name: &str, expected: &str) -> Problem {
    Problem::invalid(format!("{name}: Input should be a valid {expected}"))
}

fn not_permitted(name: &str) -> Problem {
    Problem::invalid(format!("{name}: Extra inputs are not permitted"))
}

//! Checks a request for a message; errors have the words of Anthropic's API
//! (<https://docs.claude.com/en/api/messages>).

use serde_json::{Map, Value};

use super::error::AnthropicError;
use super::request;
use crate::demo::model_request::{ModelRequest, array_items, text_at};
use crate::serve::request::ServerRequest;

type AnthropicBody = Map<String, Value>;
type AnthropicCheck = Result<(), AnthropicError>;

/// The first version of the API that refuses sampling parameters.
const NO_SAMPLING_VERSION: &str = "2026-10-21";

/// The version of the API, which the head must name.
pub(super) fn api_version(request: &ServerRequest) -> Result<&str, AnthropicError> {
    const KNOWN: [&str; 3] = ["2023-01-01", "2023-06-01", NO_SAMPLING_VERSION];
    match request.field("anthropic-version") {
        None => Err(AnthropicError::invalid(
            "anthropic-version: header is required",
        )),
        Some(version) if KNOWN.contains(&version) => Ok(version),
        Some(version) => Err(AnthropicError::invalid(format!(
            "anthropic-version: \"{version}\" is not a valid version. Please consult our documentation at \
             https://docs.claude.com/en/api/versioning"
        ))),
    }
}

/// The body as a JSON object.
pub(super) fn parse_body(body: &[u8]) -> Result<AnthropicBody, AnthropicError> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(AnthropicError::invalid(
            "Input should be a valid dictionary",
        )),
        Err(error) => Err(AnthropicError::invalid(format!(
            "The request body is not valid JSON: {error}"
        ))),
    }
}

/// The model in the request.
pub(super) fn required_model(body: &AnthropicBody) -> Result<&str, AnthropicError> {
    match body.get("model") {
        None => Err(missing_field("model")),
        Some(Value::String(model)) if model.is_empty() => Err(AnthropicError::invalid(
            "model: String should have at least 1 character",
        )),
        Some(Value::String(model)) => Ok(model),
        Some(_) => Err(wrong_type("model", "string")),
    }
}

/// Checks all parameters but the model, common mistakes first.
pub(super) fn check_parameters(body: &AnthropicBody, version: &str) -> AnthropicCheck {
    check_max_tokens(body)?;
    check_messages(body)?;
    check_extra_names(body)?;
    check_sampling(body, version)?;
    match body.get("system") {
        None | Some(Value::String(_) | Value::Array(_)) => {}
        Some(_) => return Err(wrong_type("system", "string")),
    }
    for name in ["stop_sequences", "tools"] {
        if body.get(name).is_some_and(|value| !value.is_array()) {
            return Err(wrong_type(name, "list"));
        }
    }
    if body.get("stream").is_some_and(|value| !value.is_boolean()) {
        return Err(wrong_type("stream", "boolean"));
    }
    check_thinking(body)?;
    check_tools(body)
}

fn check_max_tokens(body: &AnthropicBody) -> AnthropicCheck {
    match body.get("max_tokens") {
        None => Err(missing_field("max_tokens")),
        Some(value) if value.is_u64() => Ok(()),
        Some(value) if value.is_i64() => Err(AnthropicError::invalid(
            "max_tokens: Input should be greater than or equal to 0",
        )),
        Some(_) => Err(wrong_type("max_tokens", "integer")),
    }
}

fn check_messages(body: &AnthropicBody) -> AnthropicCheck {
    let messages = match body.get("messages") {
        None => return Err(missing_field("messages")),
        Some(Value::Array(messages)) => messages,
        Some(_) => return Err(wrong_type("messages", "list")),
    };
    if messages.is_empty() {
        return Err(AnthropicError::invalid(
            "messages: at least one message is required",
        ));
    }
    let mut called = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        check_message(&format!("messages.{index}"), message, &called)?;
        called = block_values(message, "tool_use", "id").collect();
    }
    Ok(())
}

/// Checks one message; `called` has the ids of the tool calls before it.
fn check_message(at: &str, message: &Value, called: &[&str]) -> AnthropicCheck {
    match message.get("role").map(Value::as_str) {
        None => return Err(missing_field(&format!("{at}.role"))),
        Some(Some("user" | "assistant")) => {}
        Some(Some("system")) => {
            return Err(AnthropicError::invalid(
                "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` \
                 parameter, not \"system\" as an input message role.",
            ));
        }
        Some(_) => {
            let message = format!("{at}.role: Input should be 'user' or 'assistant'");
            return Err(AnthropicError::invalid(message));
        }
    }
    match message.get("content") {
        None => return Err(missing_field(&format!("{at}.content"))),
        Some(Value::String(_) | Value::Array(_)) => {}
        Some(_) => return Err(wrong_type(&format!("{at}.content"), "list")),
    }
    let untyped = |block: &Value| block.get("type").is_none();
    if let Some(index) = array_items(message.get("content")).position(untyped) {
        return Err(missing_field(&format!("{at}.content.{index}.type")));
    }
    let mut answered = block_values(message, "tool_result", "tool_use_id");
    match answered.find(|id| !called.contains(id)) {
        None => Ok(()),
        Some(id) => Err(AnthropicError::invalid(format!(
            "{at}.content.0: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each \
             `tool_result` block must have a corresponding `tool_use` block in the previous message."
        ))),
    }
}

/// The texts at `key` of all blocks of a type.
fn block_values<'a>(
    message: &'a Value,
    kind: &'a str,
    key: &'a str,
) -> impl Iterator<Item = &'a str> {
    array_items(message.get("content"))
        .filter(move |block| text_at(block, "type") == kind)
        .map(move |block| text_at(block, key))
}

/// Refuses parameters of other APIs.
fn check_extra_names(body: &AnthropicBody) -> AnthropicCheck {
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

fn check_sampling(body: &AnthropicBody, version: &str) -> AnthropicCheck {
    for name in ["temperature", "top_p", "top_k"] {
        let Some(value) = body.get(name) else {
            continue;
        };
        if version == NO_SAMPLING_VERSION {
            return Err(not_permitted(name));
        }
        let most = if name == "top_k" { f64::MAX } else { 1.0 };
        match value.as_f64() {
            None => return Err(wrong_type(name, "number")),
            Some(number) if number < 0.0 => {
                let message = format!("{name}: Input should be greater than or equal to 0");
                return Err(AnthropicError::invalid(message));
            }
            Some(number) if number > most => {
                let message = format!("{name}: Input should be less than or equal to 1");
                return Err(AnthropicError::invalid(message));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn check_thinking(body: &AnthropicBody) -> AnthropicCheck {
    const KINDS: [&str; 4] = ["enabled", "adaptive", "between_tools", "disabled"];
    let Some(thinking) = body.get("thinking") else {
        return Ok(());
    };
    let kind = text_at(thinking, "type");
    if !KINDS.contains(&kind) {
        let message = format!(
            "thinking: Input tag '{kind}' found using 'type' does not match any of the expected tags: \
             'disabled', 'enabled'"
        );
        return Err(AnthropicError::invalid(message));
    }
    if kind != "enabled" {
        return Ok(());
    }
    match thinking.get("budget_tokens").map(Value::as_u64) {
        None => Err(missing_field("thinking.enabled.budget_tokens")),
        Some(None) => Err(wrong_type("thinking.enabled.budget_tokens", "integer")),
        Some(Some(..1024)) => Err(AnthropicError::invalid(
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        )),
        Some(budget) if budget >= body.get("max_tokens").and_then(Value::as_u64) => {
            Err(AnthropicError::invalid(
                "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our \
                 documentation at \
                 https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size",
            ))
        }
        Some(Some(_)) => Ok(()),
    }
}

fn check_tools(body: &AnthropicBody) -> AnthropicCheck {
    for (index, tool) in array_items(body.get("tools")).enumerate() {
        if tool.get("name").is_none() {
            return Err(missing_field(&format!("tools.{index}.custom.name")));
        }
        if tool.get("type").is_none() && tool.get("input_schema").is_none() {
            return Err(missing_field(&format!("tools.{index}.custom.input_schema")));
        }
    }
    let Some(choice) = body.get("tool_choice") else {
        return Ok(());
    };
    let (kind, name) = (text_at(choice, "type"), text_at(choice, "name"));
    if !["auto", "any", "tool", "none"].contains(&kind) {
        let message = format!(
            "tool_choice: Input tag '{kind}' found using 'type' does not match any of the expected tags: \
             'auto', 'any', 'tool', 'none'"
        );
        return Err(AnthropicError::invalid(message));
    }
    if !body.contains_key("tools") {
        return Err(AnthropicError::invalid(
            "tool_choice may only be specified while providing tools",
        ));
    }
    if kind == "tool"
        && !request::declared_tools(body)
            .iter()
            .any(|tool| tool.name == name)
    {
        let message = format!("Tool '{name}' not found in provided tools");
        return Err(AnthropicError::invalid(message));
    }
    Ok(())
}

/// Checks that the prompt fits into the context.
pub(super) fn check_length(ask: &ModelRequest) -> AnthropicCheck {
    const CONTEXT: u64 = 200_000;
    match ask.prompt_tokens {
        ..=CONTEXT => Ok(()),
        tokens => Err(AnthropicError::invalid(format!(
            "prompt is too long: {tokens} tokens > {CONTEXT} maximum"
        ))),
    }
}

fn missing_field(name: &str) -> AnthropicError {
    AnthropicError::invalid(format!("{name}: Field required"))
}

fn wrong_type(name: &str, expected: &str) -> AnthropicError {
    AnthropicError::invalid(format!("{name}: Input should be a valid {expected}"))
}

fn not_permitted(name: &str) -> AnthropicError {
    AnthropicError::invalid(format!("{name}: Extra inputs are not permitted"))
}

//! Checks a request for a message; errors have the words of Anthropic's API
//! (<https://docs.claude.com/en/api/messages>).

use serde_json::Value;

use super::error::invalid;
use super::request::declared_tools;
use crate::demo::api_error::{ApiError, ApiResult};
use crate::demo::json_values::{array_items, text_at};
use crate::demo::model_request::ModelRequest;
use crate::demo::parameters::ParameterType::{
    self, Boolean, Decimal, Integer, List, Object, Text, TextOrList,
};
use crate::demo::parameters::{ParameterRules, Violation};
use crate::serve::request::ServerRequest;

/// The rules of Anthropic's parameters: null is a value of a wrong type.
const RULES: ParameterRules = ParameterRules {
    find: |object, key| object.get(key),
    word: violation_error,
};

/// The first version of the API that refuses sampling parameters.
const NO_SAMPLING_VERSION: &str = "2026-10-21";

const SAMPLING: &[(&str, ParameterType)] = &[
    ("temperature", Decimal(0.0, 1.0)),
    ("top_p", Decimal(0.0, 1.0)),
    ("top_k", Decimal(0.0, f64::MAX)),
];

const PARAMETERS: &[(&str, ParameterType)] = &[
    ("system", TextOrList),
    ("stop_sequences", List),
    ("tools", List),
    ("stream", Boolean),
];

/// Parameters of other APIs.
const NOT_PERMITTED: [&str; 14] = [
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

/// The version of the API, which the head must name.
pub(super) fn api_version(request: &ServerRequest) -> ApiResult<&str> {
    const KNOWN: [&str; 3] = ["2023-01-01", "2023-06-01", NO_SAMPLING_VERSION];
    match request.field("anthropic-version") {
        None => Err(invalid("anthropic-version: header is required")),
        Some(version) if KNOWN.contains(&version) => Ok(version),
        Some(version) => Err(invalid(format!(
            "anthropic-version: \"{version}\" is not a valid version. Please consult our documentation at \
             https://docs.claude.com/en/api/versioning"
        ))),
    }
}

/// The body as a JSON object.
pub(super) fn parse_body(body: &[u8]) -> ApiResult<Value> {
    match serde_json::from_slice::<Value>(body) {
        Ok(body) if body.is_object() => Ok(body),
        Ok(_) => Err(invalid("Input should be a valid dictionary")),
        Err(error) => Err(invalid(format!(
            "The request body is not valid JSON: {error}"
        ))),
    }
}

/// Reads the model from the request, or returns the error for a missing one.
pub(super) fn required_model(body: &Value) -> ApiResult<&str> {
    let model = RULES.required("model", body.get("model"))?;
    RULES.check("model", model, Text)?;
    let model = model.as_str().filter(|model| !model.is_empty());
    model.ok_or_else(|| invalid("model: String should have at least 1 character"))
}

/// Checks all parameters but the model, common mistakes first.
pub(super) fn check_parameters(body: &Value, version: &str) -> ApiResult {
    let max_tokens = RULES.required("max_tokens", body.get("max_tokens"))?;
    RULES.check("max_tokens", max_tokens, Integer(0, i128::MAX))?;
    check_messages(body)?;
    refuse(body, &NOT_PERMITTED)?;
    if version == NO_SAMPLING_VERSION {
        refuse(body, &["temperature", "top_p", "top_k"])?;
    }
    RULES.check_table(body, SAMPLING)?;
    RULES.check_table(body, PARAMETERS)?;
    check_thinking(body)?;
    check_tools(body)?;
    check_tool_choice(body)
}

/// The error reply for parameters that the API refuses.
fn refuse(body: &Value, names: &[&str]) -> ApiResult {
    match names.iter().find(|name| body.get(name).is_some()) {
        None => Ok(()),
        Some(name) => Err(invalid(format!("{name}: Extra inputs are not permitted"))),
    }
}

fn check_messages(body: &Value) -> ApiResult {
    let messages = RULES.required("messages", body.get("messages"))?;
    RULES.check("messages", messages, List)?;
    if array_items(messages).next().is_none() {
        return Err(invalid("messages: at least one message is required"));
    }
    let mut called = Vec::new();
    for (index, message) in array_items(messages).enumerate() {
        check_message(&format!("messages.{index}"), message, &called)?;
        called = block_values(message, "tool_use", "id").collect();
    }
    Ok(())
}

/// Checks one message; `called` has the ids of the tool calls before it.
fn check_message(path: &str, message: &Value, called: &[&str]) -> ApiResult {
    let role_path = format!("{path}.role");
    let role = RULES.required(&role_path, message.get("role"))?;
    if role == "system" {
        return Err(invalid(
            "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` \
             parameter, not \"system\" as an input message role.",
        ));
    }
    RULES.one_of(&role_path, role, &["user", "assistant"])?;
    let content_path = format!("{path}.content");
    let content = RULES.required(&content_path, message.get("content"))?;
    if !content.is_string() {
        RULES.check(&content_path, content, List)?;
    }
    for (index, block) in array_items(content).enumerate() {
        RULES.required(&format!("{content_path}.{index}.type"), block.get("type"))?;
    }
    let mut answered = block_values(message, "tool_result", "tool_use_id");
    match answered.find(|id| !called.contains(id)) {
        None => Ok(()),
        Some(id) => Err(invalid(format!(
            "{path}.content.0: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each \
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
    array_items(&message["content"])
        .filter(move |block| block["type"] == kind)
        .map(move |block| text_at(block, key))
}

fn check_thinking(body: &Value) -> ApiResult {
    let Some(thinking) = body.get("thinking") else {
        return Ok(());
    };
    let kind = text_at(thinking, "type");
    if !["enabled", "adaptive", "between_tools", "disabled"].contains(&kind) {
        return Err(unknown_tag("thinking", kind, "'disabled', 'enabled'"));
    }
    if kind != "enabled" {
        return Ok(());
    }
    let path = "thinking.enabled.budget_tokens";
    let budget = RULES.required(path, thinking.get("budget_tokens"))?;
    match budget.as_u64() {
        None => Err(violation_error(
            path,
            Violation::WrongType(Integer(0, 0), budget),
        )),
        Some(..1024) => Err(invalid(format!(
            "{path}: Input should be greater than or equal to 1024"
        ))),
        budget if budget >= body["max_tokens"].as_u64() => Err(invalid(
            "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our \
             documentation at \
             https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size",
        )),
        Some(_) => Ok(()),
    }
}

fn check_tools(body: &Value) -> ApiResult {
    for (index, tool) in array_items(&body["tools"]).enumerate() {
        let required =
            |key: &str| RULES.required(&format!("tools.{index}.custom.{key}"), tool.get(key));
        required("name")?;
        if tool.get("type").is_none() {
            required("input_schema")?;
        }
    }
    Ok(())
}

fn check_tool_choice(body: &Value) -> ApiResult {
    let Some(choice) = body.get("tool_choice") else {
        return Ok(());
    };
    let (kind, name) = (text_at(choice, "type"), text_at(choice, "name"));
    if !["auto", "any", "tool", "none"].contains(&kind) {
        let known = "'auto', 'any', 'tool', 'none'";
        return Err(unknown_tag("tool_choice", kind, known));
    }
    if body.get("tools").is_none() {
        return Err(invalid(
            "tool_choice may only be specified while providing tools",
        ));
    }
    if kind == "tool" && !declared_tools(body).iter().any(|tool| tool.name == name) {
        let message = format!("Tool '{name}' not found in provided tools");
        return Err(invalid(message));
    }
    Ok(())
}

/// Checks that the prompt fits into the context.
pub(super) fn check_length(question: &ModelRequest) -> ApiResult {
    // The context of the Claude models (<https://docs.claude.com/en/docs/build-with-claude/context-windows>).
    const CONTEXT: u64 = 200_000;
    match question.prompt_tokens {
        ..=CONTEXT => Ok(()),
        tokens => Err(invalid(format!(
            "prompt is too long: {tokens} tokens > {CONTEXT} maximum"
        ))),
    }
}

fn unknown_tag(path: &str, kind: &str, known: &str) -> ApiError {
    invalid(format!(
        "{path}: Input tag '{kind}' found using 'type' does not match any of the expected tags: \
         {known}"
    ))
}

fn violation_error(path: &str, violation: Violation<'_>) -> ApiError {
    let problem = match violation {
        Violation::Missing => "Field required".to_owned(),
        Violation::WrongType(expected, _) => {
            let expected = match expected {
                Boolean => "boolean",
                Integer(..) => "integer",
                Decimal(..) => "number",
                Object => "dictionary",
                List => "list",
                Text | TextOrList => "string",
            };
            format!("Input should be a valid {expected}")
        }
        Violation::TooSmall(kind, _) => {
            let (bound, _) = kind.bounds();
            format!("Input should be greater than or equal to {bound}")
        }
        Violation::TooLarge(kind, _) => {
            let (_, bound) = kind.bounds();
            format!("Input should be less than or equal to {bound}")
        }
        Violation::NotOneOf(_, known) => format!("Input should be '{}'", known.join("' or '")),
    };
    invalid(format!("{path}: {problem}"))
}

//! Checks a request for a message; errors have the words of Anthropic's API
//! (<https://docs.claude.com/en/api/messages>).

use serde_json::Value;

use super::request::declared_tools;
use super::rules::RULES;
use crate::demo::api_error::{ApiError, ApiResult};
use crate::demo::json_values::{array_items, text_at};
use crate::demo::rules::ParameterType::{self, Boolean, Decimal, Integer, List, TextOrList};
use crate::serve::request::ServerRequest;

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

/// The version of the API, which the head must name.
pub(super) fn api_version(request: &ServerRequest) -> ApiResult<&str> {
    let version = request.field("anthropic-version");
    let version = version.ok_or_else(|| RULES.error("no_version", &[]))?;
    match RULES.names("versions").contains(&version) {
        true => Ok(version),
        false => Err(RULES.error("unknown_version", &[("version", version)])),
    }
}

/// Checks all parameters but the model, common mistakes first.
pub(super) fn check_parameters(body: &Value, version: &str) -> ApiResult {
    let max_tokens = RULES.required("max_tokens", body.get("max_tokens"))?;
    RULES.check("max_tokens", max_tokens, Integer(0, i128::MAX))?;
    check_messages(body)?;
    refuse(body, "parameters_of_other_apis")?;
    if version == NO_SAMPLING_VERSION {
        refuse(body, "sampling")?;
    }
    RULES.check_table(body, SAMPLING)?;
    RULES.check_table(body, PARAMETERS)?;
    check_thinking(body)?;
    check_tools(body)?;
    check_tool_choice(body)
}

/// Refuses the parameters of a list of names.
fn refuse(body: &Value, list: &str) -> ApiResult {
    let mut names = RULES.names(list).into_iter();
    match names.find(|name| body.get(name).is_some()) {
        None => Ok(()),
        Some(name) => Err(RULES.error("extra_input", &[("path", name)])),
    }
}

fn check_messages(body: &Value) -> ApiResult {
    let messages = RULES.required("messages", body.get("messages"))?;
    RULES.check("messages", messages, List)?;
    if array_items(messages).next().is_none() {
        return Err(RULES.error("no_messages", &[]));
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
        return Err(RULES.error("system_message", &[]));
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
        Some(id) => Err(RULES.error("result_without_call", &[("path", path), ("id", id)])),
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
    RULES.check(path, budget, Integer(1024, i128::MAX))?;
    match budget.as_u64() >= body["max_tokens"].as_u64() {
        true => Err(RULES.error("budget_above_limit", &[])),
        false => Ok(()),
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
        return Err(RULES.error("choice_without_tools", &[]));
    }
    if kind == "tool" && !declared_tools(body).iter().any(|tool| tool.name == name) {
        return Err(RULES.error("unknown_tool", &[("name", name)]));
    }
    Ok(())
}

fn unknown_tag(path: &str, tag: &str, known: &str) -> ApiError {
    RULES.error(
        "unknown_tag",
        &[("path", path), ("tag", tag), ("known", known)],
    )
}

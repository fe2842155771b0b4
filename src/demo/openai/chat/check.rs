//! Checks a request for a completion; errors have the words of OpenAI's API
//! (ranges: <https://platform.openai.com/docs/api-reference/chat/create>).

use serde_json::Value;

use crate::demo::api_error::ApiResult;
use crate::demo::json_values::{non_null, text_at};
use crate::demo::model_request::DeclaredTool;
use crate::demo::models;
use crate::demo::openai::rules::{
    RULES, check_named_tool, format_type, parameter_error, refuse_sampling, tool_choice,
};
use crate::demo::rules::ParameterType::{
    self, Boolean, Decimal, Integer, List, Object, TextOrList, TextOrTexts,
};

const MAX: i128 = i64::MAX as i128;
const MIN: i128 = i64::MIN as i128;

const PARAMETERS: &[(&str, ParameterType)] = &[
    ("temperature", Decimal(0.0, 2.0)),
    ("top_p", Decimal(0.0, 1.0)),
    ("presence_penalty", Decimal(-2.0, 2.0)),
    ("frequency_penalty", Decimal(-2.0, 2.0)),
    ("n", Integer(1, 128)),
    ("max_tokens", Integer(1, MAX)),
    ("max_completion_tokens", Integer(1, MAX)),
    ("top_logprobs", Integer(0, 20)),
    ("seed", Integer(MIN, MAX)),
    ("stream", Boolean),
    ("logprobs", Boolean),
    ("parallel_tool_calls", Boolean),
];

/// Parameters that are allowed only with another one that is true.
const NEEDS: [(&str, &str); 2] = [("stream_options", "stream"), ("top_logprobs", "logprobs")];

/// Checks all parameters but the model, common mistakes first.
pub(super) fn check_parameters(body: &Value) -> ApiResult {
    check_messages(body)?;
    RULES.check_table(body, PARAMETERS)?;
    check_combinations(body)?;
    check_reasoning(body)?;
    check_stop(body)?;
    check_tool_choice(body)?;
    check_response_format(body)
}

fn check_messages(body: &Value) -> ApiResult {
    let messages = RULES.required("messages", non_null(body, "messages"))?;
    RULES.check("messages", messages, List)?;
    let messages = messages.as_array().map_or(&[][..], Vec::as_slice);
    if messages.is_empty() {
        return Err(RULES.error("empty_messages", &[]));
    }
    let mut called = false;
    for (index, message) in messages.iter().enumerate() {
        called = check_message(&format!("messages[{index}]"), message, called)?;
    }
    Ok(())
}

/// Checks one message. Returns whether a tool message may follow.
fn check_message(path: &str, message: &Value, called: bool) -> ApiResult<bool> {
    RULES.check(path, message, Object)?;
    let role_path = format!("{path}.role");
    let role = RULES.required(&role_path, message.get("role"))?;
    let role = RULES.one_of(&role_path, role, &RULES.names("roles"))?;
    if role != "assistant" || !message["content"].is_null() {
        let path = format!("{path}.content");
        let content = RULES.required(&path, message.get("content"))?;
        RULES.check(&path, content, TextOrList)?;
    }
    if role == "tool" && !called {
        return Err(parameter_error("tool_without_call", &role_path));
    }
    Ok(message["tool_calls"].is_array() || (called && role == "tool"))
}

fn check_combinations(body: &Value) -> ApiResult {
    for (name, needed) in NEEDS {
        if !body[name].is_null() && body[needed] != true {
            let values = [("path", name), ("needed", needed)];
            return Err(RULES.error("needs_other", &values));
        }
    }
    if !body["max_tokens"].is_null() && !body["max_completion_tokens"].is_null() {
        return Err(RULES.error("two_token_limits", &[]));
    }
    Ok(())
}

/// Refuses parameters that reasoning models do not take
/// (<https://platform.openai.com/docs/guides/reasoning>).
fn check_reasoning(body: &Value) -> ApiResult {
    let model = text_at(body, "model");
    if models::is_reasoning_model(model) && !body["max_tokens"].is_null() {
        return Err(RULES.error("reasoning_max_tokens", &[]));
    }
    if !models::reasons_with_effort(model, body["reasoning_effort"].as_str()) {
        return Ok(());
    }
    refuse_sampling(body, "reasoning_value")
}

fn check_stop(body: &Value) -> ApiResult {
    RULES.check_table(body, &[("stop", TextOrTexts)])?;
    match body["stop"].as_array().map_or(0, Vec::len) {
        ..=4 => Ok(()),
        count => Err(RULES.error("too_many_stops", &[("count", &count.to_string())])),
    }
}

fn check_tool_choice(body: &Value) -> ApiResult {
    let Some(choice) = tool_choice(body)? else {
        return Ok(());
    };
    if body["tools"].is_null() && choice != "none" {
        return Err(RULES.error("choice_without_tools", &[]));
    }
    let name = &choice["function"]["name"];
    let declared = DeclaredTool::nested_in(&body["tools"]);
    check_named_tool(name, &declared, name.as_str().unwrap_or_default())
}

fn check_response_format(body: &Value) -> ApiResult {
    let Some(format) = non_null(body, "response_format") else {
        return Ok(());
    };
    let (path, messages) = ("response_format", &body["messages"]);
    if format_type(path, format, messages, "messages_without_json")? == "json_schema" {
        let schema = RULES.required("response_format.json_schema", format.get("json_schema"))?;
        let name = schema.get("name").filter(|name| name.is_string());
        RULES.required("response_format.json_schema.name", name)?;
    }
    Ok(())
}

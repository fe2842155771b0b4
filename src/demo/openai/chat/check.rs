//! Checks a request for a completion; errors have the words of OpenAI's API
//! (ranges: <https://platform.openai.com/docs/api-reference/chat/create>).

use serde_json::Value;

use crate::demo::api_error::{ApiError, ApiResult};
use crate::demo::json_values::{non_null, text_at};
use crate::demo::model_request::{DeclaredTool, ModelRequest};
use crate::demo::models::{self, CONTEXT_TOKENS};
use crate::demo::openai::check::{
    RULES, check_named_tool, format_type, refuse_sampling, tool_choice, wrong_type,
};
use crate::demo::openai::error::invalid;
use crate::demo::parameters::ParameterType::{self, Boolean, Decimal, Integer, List, Object};

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

const ROLES: [&str; 6] = [
    "system",
    "assistant",
    "user",
    "function",
    "tool",
    "developer",
];

/// Checks all parameters but the model, common mistakes first.
pub(super) fn check_parameters(body: &Value) -> ApiResult {
    check_messages(body)?;
    RULES.check_table(body, PARAMETERS)?;
    check_combinations(body)?;
    check_reasoning(body)?;
    check_stop(&body["stop"])?;
    check_tool_choice(body)?;
    check_response_format(body)
}

/// Checks that the prompt fits into the context.
pub(super) fn check_length(question: &ModelRequest) -> ApiResult {
    if question.prompt_tokens <= CONTEXT_TOKENS {
        return Ok(());
    }
    let message = format!(
        "This model's maximum context length is {CONTEXT_TOKENS} tokens. However, your messages resulted in {} \
         tokens. Please reduce the length of the messages.",
        question.prompt_tokens
    );
    Err(invalid("messages", message).with_code("context_length_exceeded"))
}

fn check_messages(body: &Value) -> ApiResult {
    let messages = RULES.required("messages", non_null(body, "messages"))?;
    RULES.check("messages", messages, List)?;
    let messages = messages.as_array().map_or(&[][..], Vec::as_slice);
    if messages.is_empty() {
        let message = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got \
                       an empty array instead.";
        return Err(invalid("messages", message).with_code("empty_array"));
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
    let role = RULES.one_of(&role_path, role, &ROLES)?;
    if role != "assistant" || !message["content"].is_null() {
        let path = format!("{path}.content");
        let content = RULES.required(&path, message.get("content"))?;
        RULES.check(&path, content, ParameterType::TextOrList)?;
    }
    if role == "tool" && !called {
        // "preceeding" is OpenAI's own spelling.
        let message = "Invalid parameter: messages with role 'tool' must be a response to a preceeding \
                       message with 'tool_calls'.";
        return Err(invalid(&role_path, message));
    }
    Ok(message["tool_calls"].is_array() || (called && role == "tool"))
}

fn check_combinations(body: &Value) -> ApiResult {
    for (name, needed) in NEEDS {
        if !body[name].is_null() && body[needed] != true {
            let message =
                format!("The '{name}' parameter is only allowed when '{needed}' is enabled.");
            return Err(invalid(name, message));
        }
    }
    if !body["max_tokens"].is_null() && !body["max_completion_tokens"].is_null() {
        let message =
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
        return Err(invalid("max_tokens", message).with_code("invalid_parameter_combination"));
    }
    Ok(())
}

/// Refuses parameters that reasoning models do not take
/// (<https://platform.openai.com/docs/guides/reasoning>).
fn check_reasoning(body: &Value) -> ApiResult {
    let model = text_at(body, "model");
    if models::is_reasoning_model(model) && !body["max_tokens"].is_null() {
        let message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
                       'max_completion_tokens' instead.";
        return Err(invalid("max_tokens", message).with_code("unsupported_parameter"));
    }
    if !models::reasons_with_effort(model, body["reasoning_effort"].as_str()) {
        return Ok(());
    }
    refuse_sampling(body, |name, value| {
        let message = format!(
            "Unsupported value: '{name}' does not support {value} with this model. Only the default \
             (1) value is supported."
        );
        invalid(name, message).with_code("unsupported_value")
    })
}

fn check_stop(stop: &Value) -> ApiResult {
    match stop {
        Value::Null | Value::String(_) => Ok(()),
        Value::Array(texts) if texts.len() > 4 => {
            let message = format!(
                "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array \
                 with length {} instead.",
                texts.len()
            );
            Err(invalid("stop", message).with_code("array_above_max_length"))
        }
        Value::Array(_) => Ok(()),
        other => {
            let expected = "one of a string or array of strings";
            Err(wrong_type("stop", expected, other))
        }
    }
}

fn check_tool_choice(body: &Value) -> ApiResult {
    let Some(choice) = tool_choice(body)? else {
        return Ok(());
    };
    if body["tools"].is_null() && choice != "none" {
        let message = "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are \
                       specified.";
        return Err(invalid("tool_choice", message));
    }
    let name = &choice["function"]["name"];
    let message = format!(
        "Tool choice '{}' not found in 'tools' parameter.",
        name.as_str().unwrap_or_default()
    );
    check_named_tool(name, &DeclaredTool::nested_in(&body["tools"]), &message)
}

fn check_response_format(body: &Value) -> ApiResult {
    let Some(format) = non_null(body, "response_format") else {
        return Ok(());
    };
    let without_json = || -> ApiError {
        let message = "'messages' must contain the word 'json' in some form, to use \
                       'response_format' of type 'json_object'.";
        invalid("messages", message)
    };
    let kind = format_type("response_format", format, &body["messages"], without_json)?;
    if kind != "json_schema" {
        return Ok(());
    }
    let schema = RULES.required("response_format.json_schema", format.get("json_schema"))?;
    let name = schema.get("name").filter(|name| name.is_string());
    RULES.required("response_format.json_schema.name", name)?;
    Ok(())
}

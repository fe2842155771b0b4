//! Checks a request for a completion; errors have the words of OpenAI's API
//! (ranges: <https://platform.openai.com/docs/api-reference/chat/create>).

use serde_json::Value;

use super::request;
use crate::demo::model_request::ModelRequest;
use crate::demo::models::{self, CONTEXT_TOKENS};
use crate::demo::openai::check::{
    OpenAiBody, OpenAiCheck, check_boolean, check_decimal, check_integer, invalid_value,
    missing_parameter, non_null, wrong_type,
};
use crate::demo::openai::error::OpenAiError;

/// Checks all parameters but the model, common mistakes first.
pub(super) fn check_parameters(body: &OpenAiBody) -> OpenAiCheck {
    check_messages(body)?;
    for (name, low, high) in [
        ("temperature", 0, 2),
        ("top_p", 0, 1),
        ("presence_penalty", -2, 2),
        ("frequency_penalty", -2, 2),
    ] {
        check_decimal(body, name, low, high)?;
    }
    for (name, low, high) in [
        ("n", 1, 128),
        ("max_tokens", 1, i64::MAX),
        ("max_completion_tokens", 1, i64::MAX),
        ("top_logprobs", 0, 20),
        ("seed", i64::MIN, i64::MAX),
    ] {
        check_integer(body, name, low, high)?;
    }
    for name in ["stream", "logprobs", "parallel_tool_calls"] {
        check_boolean(body, name)?;
    }
    check_combinations(body)?;
    check_reasoning(body)?;
    check_stop(body)?;
    check_tool_choice(body)?;
    check_response_format(body)
}

/// Checks that the prompt fits into the context.
pub(super) fn check_length(ask: &ModelRequest) -> OpenAiCheck {
    if ask.prompt_tokens <= CONTEXT_TOKENS {
        return Ok(());
    }
    let message = format!(
        "This model's maximum context length is {CONTEXT_TOKENS} tokens. However, your messages resulted in {} \
         tokens. Please reduce the length of the messages.",
        ask.prompt_tokens
    );
    Err(OpenAiError::new(400, message)
        .with_param("messages")
        .with_code("context_length_exceeded"))
}

fn check_messages(body: &OpenAiBody) -> OpenAiCheck {
    let messages = match non_null(body, "messages") {
        None => return Err(missing_parameter("messages")),
        Some(Value::Array(messages)) => messages,
        Some(other) => return Err(wrong_type("messages", "an array of objects", other)),
    };
    if messages.is_empty() {
        let message = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got \
                       an empty array instead.";
        return Err(OpenAiError::new(400, message)
            .with_param("messages")
            .with_code("empty_array"));
    }
    let mut called = false;
    for (index, message) in messages.iter().enumerate() {
        called = check_message(&format!("messages[{index}]"), message, called)?;
    }
    Ok(())
}

/// Checks one message. Returns whether a tool message may follow.
fn check_message(at: &str, message: &Value, called: bool) -> Result<bool, OpenAiError> {
    const ROLES: [&str; 6] = [
        "system",
        "assistant",
        "user",
        "function",
        "tool",
        "developer",
    ];
    let Value::Object(message) = message else {
        return Err(wrong_type(at, "an object", message));
    };
    let role = match message.get("role") {
        None => return Err(missing_parameter(&format!("{at}.role"))),
        Some(Value::String(role)) if ROLES.contains(&role.as_str()) => role.as_str(),
        Some(role) => return Err(invalid_value(&format!("{at}.role"), role, &ROLES)),
    };
    let calls = message.get("tool_calls").is_some_and(Value::is_array);
    match message.get("content") {
        Some(Value::String(_) | Value::Array(_)) => {}
        None | Some(Value::Null) if role == "assistant" => {}
        None => return Err(missing_parameter(&format!("{at}.content"))),
        Some(other) => {
            let expected = "one of a string or array of objects";
            return Err(wrong_type(&format!("{at}.content"), expected, other));
        }
    }
    if role == "tool" && !called {
        // "preceeding" is OpenAI's own spelling.
        let message = "Invalid parameter: messages with role 'tool' must be a response to a preceeding \
                       message with 'tool_calls'.";
        return Err(OpenAiError::new(400, message).with_param(format!("{at}.role")));
    }
    Ok(calls || (called && role == "tool"))
}

fn check_combinations(body: &OpenAiBody) -> OpenAiCheck {
    let on = |name: &str| body.get(name).and_then(Value::as_bool) == Some(true);
    if non_null(body, "stream_options").is_some() && !on("stream") {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(OpenAiError::new(400, message).with_param("stream_options"));
    }
    if non_null(body, "top_logprobs").is_some() && !on("logprobs") {
        let message = "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.";
        return Err(OpenAiError::new(400, message).with_param("top_logprobs"));
    }
    if non_null(body, "max_tokens").is_some() && non_null(body, "max_completion_tokens").is_some() {
        let message =
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
        return Err(OpenAiError::new(400, message)
            .with_param("max_tokens")
            .with_code("invalid_parameter_combination"));
    }
    Ok(())
}

/// Refuses parameters that reasoning models do not take
/// (<https://platform.openai.com/docs/guides/reasoning>).
fn check_reasoning(body: &OpenAiBody) -> OpenAiCheck {
    let model = body
        .get("model")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !models::is_reasoning_model(model) {
        return Ok(());
    }
    if non_null(body, "max_tokens").is_some() {
        let message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
                       'max_completion_tokens' instead.";
        return Err(OpenAiError::new(400, message)
            .with_param("max_tokens")
            .with_code("unsupported_parameter"));
    }
    let effort = non_null(body, "reasoning_effort").and_then(Value::as_str);
    if !models::reasons_with_effort(model, effort) {
        return Ok(());
    }
    for name in ["temperature", "top_p"] {
        if let Some(value) = non_null(body, name).filter(|value| value.as_f64() != Some(1.0)) {
            let message = format!(
                "Unsupported value: '{name}' does not support {value} with this model. Only the default \
                 (1) value is supported."
            );
            return Err(OpenAiError::new(400, message)
                .with_param(name)
                .with_code("unsupported_value"));
        }
    }
    Ok(())
}

fn check_stop(body: &OpenAiBody) -> OpenAiCheck {
    match non_null(body, "stop") {
        None | Some(Value::String(_)) => Ok(()),
        Some(Value::Array(texts)) if texts.len() > 4 => {
            let message = format!(
                "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array \
                 with length {} instead.",
                texts.len()
            );
            Err(OpenAiError::new(400, message)
                .with_param("stop")
                .with_code("array_above_max_length"))
        }
        Some(Value::Array(_)) => Ok(()),
        Some(other) => Err(wrong_type(
            "stop",
            "one of a string or array of strings",
            other,
        )),
    }
}

fn check_tool_choice(body: &OpenAiBody) -> OpenAiCheck {
    const CHOICES: [&str; 3] = ["none", "auto", "required"];
    let Some(choice) = non_null(body, "tool_choice") else {
        return Ok(());
    };
    let known = match choice {
        Value::String(choice) => CHOICES.contains(&choice.as_str()),
        Value::Object(choice) => choice.contains_key("type"),
        _ => false,
    };
    if !known {
        return Err(invalid_value("tool_choice", choice, &CHOICES));
    }
    let tools = request::declared_tools(body);
    if non_null(body, "tools").is_none() && choice.as_str() != Some("none") {
        let message = "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are \
                       specified.";
        return Err(OpenAiError::new(400, message).with_param("tool_choice"));
    }
    match choice.pointer("/function/name").and_then(Value::as_str) {
        Some(name) if !tools.iter().any(|tool| tool.name == name) => {
            let message = format!("Tool choice '{name}' not found in 'tools' parameter.");
            Err(OpenAiError::new(400, message).with_param("tool_choice"))
        }
        _ => Ok(()),
    }
}

fn check_response_format(body: &OpenAiBody) -> OpenAiCheck {
    const FORMATS: [&str; 3] = ["json_object", "json_schema", "text"];
    let Some(format) = non_null(body, "response_format") else {
        return Ok(());
    };
    let Some(kind) = format.get("type") else {
        return Err(missing_parameter("response_format.type"));
    };
    match kind.as_str() {
        Some("text") => Ok(()),
        Some("json_schema") => match format.pointer("/json_schema/name") {
            Some(Value::String(_)) => Ok(()),
            _ if format.get("json_schema").is_none() => {
                Err(missing_parameter("response_format.json_schema"))
            }
            _ => Err(missing_parameter("response_format.json_schema.name")),
        },
        Some("json_object") if !mentions_json(body) => {
            let message = "'messages' must contain the word 'json' in some form, to use \
                           'response_format' of type 'json_object'.";
            Err(OpenAiError::new(400, message).with_param("messages"))
        }
        Some("json_object") => Ok(()),
        _ => Err(invalid_value("response_format.type", kind, &FORMATS)),
    }
}

fn mentions_json(body: &OpenAiBody) -> bool {
    let messages = body.get("messages").map(Value::to_string);
    messages.is_some_and(|text| text.to_ascii_lowercase().contains("json"))
}

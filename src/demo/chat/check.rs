//! Whether a completion can be made, and if not, why, in the words of OpenAI's API
//! (ranges: <https://platform.openai.com/docs/api-reference/chat/create>).

use serde_json::Value;

use super::ask;
use crate::demo::ask::Ask;
use crate::demo::models::{self, CONTEXT};
use crate::demo::openai::check::{
    Body, Checked, boolean, decimal, given, integer, invalid, missing, wrong_type,
};
use crate::demo::openai::problem::Problem;

/// Everything else, in the order in which people meet it.
pub(super) fn parameters(body: &Body) -> Checked {
    messages(body)?;
    for (name, low, high) in [
        ("temperature", 0, 2),
        ("top_p", 0, 1),
        ("presence_penalty", -2, 2),
        ("frequency_penalty", -2, 2),
    ] {
        decimal(body, name, low, high)?;
    }
    for (name, low, high) in [
        ("n", 1, 128),
        ("max_tokens", 1, i64::MAX),
        ("max_completion_tokens", 1, i64::MAX),
        ("top_logprobs", 0, 20),
        ("seed", i64::MIN, i64::MAX),
    ] {
        integer(body, name, low, high)?;
    }
    for name in ["stream", "logprobs", "parallel_tool_calls"] {
        boolean(body, name)?;
    }
    together(body)?;
    reasoning(body)?;
    stop(body)?;
    tool_choice(body)?;
    response_format(body)
}

/// Whether the prompt fits into the context of 128,000 tokens.
pub(super) fn length(ask: &Ask) -> Checked {
    if ask.prompt_tokens <= CONTEXT {
        return Ok(());
    }
    let message = format!(
        "This model's maximum context length is {CONTEXT} tokens. However, your messages resulted in {} \
         tokens. Please reduce the length of the messages.",
        ask.prompt_tokens
    );
    Err(Problem::new(400, message)
        .param("messages")
        .code("context_length_exceeded"))
}

fn messages(body: &Body) -> Checked {
    let messages = match given(body, "messages") {
        None => return Err(missing("messages")),
        Some(Value::Array(messages)) => messages,
        Some(other) => return Err(wrong_type("messages", "an array of objects", other)),
    };
    if messages.is_empty() {
        let message = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got \
                       an empty array instead.";
        return Err(Problem::new(400, message)
            .param("messages")
            .code("empty_array"));
    }
    let mut called = false;
    for (index, message) in messages.iter().enumerate() {
        called = turn(&format!("messages[{index}]"), message, called)?;
    }
    Ok(())
}

/// Checks one message; whether a tool may speak after it.
fn turn(at: &str, message: &Value, called: bool) -> Result<bool, Problem> {
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
        None => return Err(missing(&format!("{at}.role"))),
        Some(Value::String(role)) if ROLES.contains(&role.as_str()) => role.as_str(),
        Some(role) => return Err(invalid(&format!("{at}.role"), role, &ROLES)),
    };
    let calls = message.get("tool_calls").is_some_and(Value::is_array);
    match message.get("content") {
        Some(Value::String(_) | Value::Array(_)) => {}
        None | Some(Value::Null) if role == "assistant" => {}
        None => return Err(missing(&format!("{at}.content"))),
        Some(other) => {
            let expected = "one of a string or array of objects";
            return Err(wrong_type(&format!("{at}.content"), expected, other));
        }
    }
    if role == "tool" && !called {
        let message = "Invalid parameter: messages with role 'tool' must be a response to a preceeding \
                       message with 'tool_calls'.";
        return Err(Problem::new(400, message).param(format!("{at}.role")));
    }
    Ok(calls || (called && role == "tool"))
}

fn together(body: &Body) -> Checked {
    let on = |name: &str| body.get(name).and_then(Value::as_bool) == Some(true);
    if given(body, "stream_options").is_some() && !on("stream") {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(Problem::new(400, message).param("stream_options"));
    }
    if given(body, "top_logprobs").is_some() && !on("logprobs") {
        let message = "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.";
        return Err(Problem::new(400, message).param("top_logprobs"));
    }
    if given(body, "max_tokens").is_some() && given(body, "max_completion_tokens").is_some() {
        let message =
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
        return Err(Problem::new(400, message)
            .param("max_tokens")
            .code("invalid_parameter_combination"));
    }
    Ok(())
}

/// Parameters that models which think do not take
/// (<https://platform.openai.com/docs/guides/reasoning>).
fn reasoning(body: &Body) -> Checked {
    let model = body
        .get("model")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !models::reasons(model) {
        return Ok(());
    }
    if given(body, "max_tokens").is_some() {
        let message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
                       'max_completion_tokens' instead.";
        return Err(Problem::new(400, message)
            .param("max_tokens")
            .code("unsupported_parameter"));
    }
    let effort = given(body, "reasoning_effort").and_then(Value::as_str);
    if !models::reasons_with(model, effort) {
        return Ok(());
    }
    for name in ["temperature", "top_p"] {
        if let Some(value) = given(body, name).filter(|value| value.as_f64() != Some(1.0)) {
            let message = format!(
                "Unsupported value: '{name}' does not support {value} with this model. Only the default \
                 (1) value is supported."
            );
            return Err(Problem::new(400, message)
                .param(name)
                .code("unsupported_value"));
        }
    }
    Ok(())
}

fn stop(body: &Body) -> Checked {
    match given(body, "stop") {
        None | Some(Value::String(_)) => Ok(()),
        Some(Value::Array(texts)) if texts.len() > 4 => {
            let message = format!(
                "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array \
                 with length {} instead.",
                texts.len()
            );
            Err(Problem::new(400, message)
                .param("stop")
                .code("array_above_max_length"))
        }
        Some(Value::Array(_)) => Ok(()),
        Some(other) => Err(wrong_type(
            "stop",
            "one of a string or array of strings",
            other,
        )),
    }
}

fn tool_choice(body: &Body) -> Checked {
    const CHOICES: [&str; 3] = ["none", "auto", "required"];
    let Some(choice) = given(body, "tool_choice") else {
        return Ok(());
    };
    let known = match choice {
        Value::String(choice) => CHOICES.contains(&choice.as_str()),
        Value::Object(choice) => choice.contains_key("type"),
        _ => false,
    };
    if !known {
        return Err(invalid("tool_choice", choice, &CHOICES));
    }
    let tools = ask::tools(body);
    if given(body, "tools").is_none() && choice.as_str() != Some("none") {
        let message = "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are \
                       specified.";
        return Err(Problem::new(400, message).param("tool_choice"));
    }
    match choice.pointer("/function/name").and_then(Value::as_str) {
        Some(name) if !tools.iter().any(|tool| tool.name == name) => {
            let message = format!("Tool choice '{name}' not found in 'tools' parameter.");
            Err(Problem::new(400, message).param("tool_choice"))
        }
        _ => Ok(()),
    }
}

fn response_format(body: &Body) -> Checked {
    const FORMATS: [&str; 3] = ["json_object", "json_schema", "text"];
    let Some(format) = given(body, "response_format") else {
        return Ok(());
    };
    let Some(kind) = format.get("type") else {
        return Err(missing("response_format.type"));
    };
    match kind.as_str() {
        Some("text") => Ok(()),
        Some("json_schema") => match format.pointer("/json_schema/name") {
            Some(Value::String(_)) => Ok(()),
            _ if format.get("json_schema").is_none() => Err(missing("response_format.json_schema")),
            _ => Err(missing("response_format.json_schema.name")),
        },
        Some("json_object") if !speaks_of_json(body) => {
            let message = "'messages' must contain the word 'json' in some form, to use \
                           'response_format' of type 'json_object'.";
            Err(Problem::new(400, message).param("messages"))
        }
        Some("json_object") => Ok(()),
        _ => Err(invalid("response_format.type", kind, &FORMATS)),
    }
}

fn speaks_of_json(body: &Body) -> bool {
    let messages = body.get("messages").map(Value::to_string);
    messages.is_some_and(|text| text.to_ascii_lowercase().contains("json"))
}

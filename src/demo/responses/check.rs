//! Checks a request for a response; errors have the words of OpenAI's API
//! (<https://platform.openai.com/docs/api-reference/responses/create>).

use serde_json::Value;

use super::request;
use crate::demo::model_request::{ModelRequest, text_at};
use crate::demo::models;
use crate::demo::openai::check::{
    OpenAiBody, OpenAiCheck, check_boolean, check_decimal, check_integer, invalid_value,
    missing_parameter, non_null, wrong_type,
};
use crate::demo::openai::error::OpenAiError;

/// Checks all parameters but the model, common mistakes first.
pub(super) fn check_parameters(body: &OpenAiBody) -> OpenAiCheck {
    check_moved_names(body)?;
    check_input(body)?;
    check_integer(body, "max_output_tokens", 16, i64::MAX)?;
    check_integer(body, "top_logprobs", 0, 20)?;
    check_decimal(body, "temperature", 0, 2)?;
    check_decimal(body, "top_p", 0, 1)?;
    for name in ["stream", "store", "background", "parallel_tool_calls"] {
        check_boolean(body, name)?;
    }
    check_reasoning(body)?;
    check_tools(body)?;
    check_tool_choice(body)?;
    check_format(body)
}

/// Refuses parameters of Chat Completions that have another name here, or none.
fn check_moved_names(body: &OpenAiBody) -> OpenAiCheck {
    for (name, here) in [
        ("messages", "input"),
        ("max_tokens", "max_output_tokens"),
        ("max_completion_tokens", "max_output_tokens"),
        ("response_format", "text.format"),
        ("reasoning_effort", "reasoning.effort"),
    ] {
        if body.contains_key(name) {
            let message = format!(
                "Unsupported parameter: '{name}'. In the Responses API, this parameter has moved to \
                 '{here}'. Try again with the new parameter. See the API documentation for more \
                 information: https://platform.openai.com/docs/api-reference/responses/create."
            );
            return Err(OpenAiError::new(400, message)
                .with_param(name)
                .with_code("unsupported_parameter"));
        }
    }
    let gone = [
        "n",
        "stop",
        "seed",
        "logprobs",
        "frequency_penalty",
        "presence_penalty",
    ];
    match gone.into_iter().find(|name| body.contains_key(*name)) {
        None => Ok(()),
        Some(name) => Err(
            OpenAiError::new(400, format!("Unknown parameter: '{name}'."))
                .with_param(name)
                .with_code("unknown_parameter"),
        ),
    }
}

fn check_input(body: &OpenAiBody) -> OpenAiCheck {
    let items = match non_null(body, "input") {
        None if non_null(body, "previous_response_id").is_some() => return Ok(()),
        None => return Err(missing_parameter("input")),
        Some(Value::String(_)) => return Ok(()),
        Some(Value::Array(items)) => items,
        Some(other) => {
            let expected = "one of a string or array of objects";
            return Err(wrong_type("input", expected, other));
        }
    };
    let follows = non_null(body, "previous_response_id").is_some();
    for (index, one) in items.iter().enumerate() {
        check_item(&format!("input[{index}]"), one)?;
        if text_at(one, "type") == "function_call_output" && !follows {
            check_call_exists(items, text_at(one, "call_id"))?;
        }
    }
    Ok(())
}

fn check_item(at: &str, item: &Value) -> OpenAiCheck {
    const ROLES: [&str; 4] = ["assistant", "system", "developer", "user"];
    if !item.is_object() {
        return Err(wrong_type(at, "an object", item));
    }
    match text_at(item, "type") {
        "" | "message" => {}
        "function_call_output" if item.get("call_id").is_none() => {
            return Err(missing_parameter(&format!("{at}.call_id")));
        }
        _ => return Ok(()),
    }
    match item.get("role") {
        None => return Err(missing_parameter(&format!("{at}.role"))),
        Some(Value::String(role)) if ROLES.contains(&role.as_str()) => {}
        Some(role) => return Err(invalid_value(at, role, &ROLES)),
    }
    match item.get("content") {
        Some(Value::String(_) | Value::Array(_)) => Ok(()),
        None => Err(missing_parameter(&format!("{at}.content"))),
        Some(other) => {
            let expected = "one of a string or array of objects";
            Err(wrong_type(&format!("{at}.content"), expected, other))
        }
    }
}

/// Checks that each tool result answers a call in the input.
fn check_call_exists(items: &[Value], id: &str) -> OpenAiCheck {
    let call = |item: &&Value| text_at(item, "type") == "function_call";
    if items
        .iter()
        .filter(call)
        .any(|item| text_at(item, "call_id") == id)
    {
        return Ok(());
    }
    let message = format!("No tool call found for function call output with call_id {id}.");
    Err(OpenAiError::new(400, message).with_param("input"))
}

/// Refuses parameters that reasoning models do not take.
fn check_reasoning(body: &OpenAiBody) -> OpenAiCheck {
    let model = body.get("model").and_then(Value::as_str);
    let thinks =
        models::reasons_with_effort(model.unwrap_or_default(), request::reasoning_effort(body));
    for name in ["temperature", "top_p"].into_iter().filter(|_| thinks) {
        let value = non_null(body, name).and_then(Value::as_f64);
        if value.is_some_and(|value| (value - 1.0).abs() > f64::EPSILON) {
            let message =
                format!("Unsupported parameter: '{name}' is not supported with this model.");
            return Err(OpenAiError::new(400, message).with_param(name));
        }
    }
    match non_null(body, "reasoning") {
        None | Some(Value::Object(_)) => Ok(()),
        Some(other) => Err(wrong_type("reasoning", "an object", other)),
    }
}

/// Checks the tools. Functions are flat here: no object `function` surrounds the name.
fn check_tools(body: &OpenAiBody) -> OpenAiCheck {
    let tools = match non_null(body, "tools") {
        None => return Ok(()),
        Some(Value::Array(tools)) => tools,
        Some(other) => return Err(wrong_type("tools", "an array of objects", other)),
    };
    for (index, tool) in tools.iter().enumerate() {
        if tool.get("type").is_none() {
            return Err(missing_parameter(&format!("tools[{index}].type")));
        }
        if text_at(tool, "type") == "function" && tool.get("name").is_none() {
            return Err(missing_parameter(&format!("tools[{index}].name")));
        }
    }
    Ok(())
}

fn check_tool_choice(body: &OpenAiBody) -> OpenAiCheck {
    const CHOICES: [&str; 3] = ["none", "auto", "required"];
    let name = match non_null(body, "tool_choice") {
        None => return Ok(()),
        Some(Value::String(choice)) if CHOICES.contains(&choice.as_str()) => return Ok(()),
        Some(Value::Object(choice)) if choice.contains_key("type") => choice.get("name"),
        Some(other) => return Err(invalid_value("tool_choice", other, &CHOICES)),
    };
    match name.and_then(Value::as_str) {
        Some(name)
            if !request::declared_tools(body)
                .iter()
                .any(|tool| tool.name == name) =>
        {
            let message = "Tool choice 'function' not found in 'tools' parameter.";
            Err(OpenAiError::new(400, message).with_param("tool_choice"))
        }
        _ => Ok(()),
    }
}

fn check_format(body: &OpenAiBody) -> OpenAiCheck {
    const FORMATS: [&str; 3] = ["json_object", "json_schema", "text"];
    let Some(format) = non_null(body, "text").and_then(|text| text.get("format")) else {
        return Ok(());
    };
    let speaks_of_json = || {
        let input = body.get("input").map(Value::to_string);
        input.is_some_and(|text| text.to_ascii_lowercase().contains("json"))
    };
    match format.get("type") {
        None => Err(missing_parameter("text.format.type")),
        Some(kind) if !FORMATS.contains(&kind.as_str().unwrap_or_default()) => {
            Err(invalid_value("text.format.type", kind, &FORMATS))
        }
        Some(kind) if kind == "json_schema" && format.get("name").is_none() => {
            Err(missing_parameter("text.format.name"))
        }
        Some(kind) if kind == "json_object" && !speaks_of_json() => {
            let message = "Response input messages must contain the word 'json' in some form to use \
                           'text.format' of type 'json_object'.";
            Err(OpenAiError::new(400, message).with_param("input"))
        }
        Some(_) => Ok(()),
    }
}

/// Checks that the input fits into the context.
pub(super) fn check_length(ask: &ModelRequest) -> OpenAiCheck {
    if ask.prompt_tokens <= models::CONTEXT_TOKENS {
        return Ok(());
    }
    let message = "Your input exceeds the context window of this model. Please adjust your input and try \
                   again.";
    Err(OpenAiError::new(400, message)
        .with_param("input")
        .with_code("context_length_exceeded"))
}

//! Whether a response can be made, and if not, why
//! (<https://platform.openai.com/docs/api-reference/responses/create>).

use serde_json::Value;

use super::ask;
use crate::demo::ask::{Ask, text};
use crate::demo::models;
use crate::demo::openai::check::{
    Body, Checked, boolean, decimal, given, integer, invalid, missing, wrong_type,
};
use crate::demo::openai::problem::Problem;

/// Everything but the model, in the order in which people meet it.
pub(super) fn parameters(body: &Body) -> Checked {
    moved(body)?;
    input(body)?;
    integer(body, "max_output_tokens", 16, i64::MAX)?;
    integer(body, "top_logprobs", 0, 20)?;
    decimal(body, "temperature", 0, 2)?;
    decimal(body, "top_p", 0, 1)?;
    for name in ["stream", "store", "background", "parallel_tool_calls"] {
        boolean(body, name)?;
    }
    reasoning(body)?;
    tools(body)?;
    tool_choice(body)?;
    format(body)
}

/// Names of Chat Completions that have other names here, or none.
fn moved(body: &Body) -> Checked {
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
            return Err(Problem::new(400, message)
                .param(name)
                .code("unsupported_parameter"));
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
        Some(name) => Err(Problem::new(400, format!("Unknown parameter: '{name}'."))
            .param(name)
            .code("unknown_parameter")),
    }
}

fn input(body: &Body) -> Checked {
    let items = match given(body, "input") {
        None if given(body, "previous_response_id").is_some() => return Ok(()),
        None => return Err(missing("input")),
        Some(Value::String(_)) => return Ok(()),
        Some(Value::Array(items)) => items,
        Some(other) => {
            let expected = "one of a string or array of objects";
            return Err(wrong_type("input", expected, other));
        }
    };
    let follows = given(body, "previous_response_id").is_some();
    for (index, one) in items.iter().enumerate() {
        item(&format!("input[{index}]"), one)?;
        if text(one, "type") == "function_call_output" && !follows {
            called(items, text(one, "call_id"))?;
        }
    }
    Ok(())
}

fn item(at: &str, item: &Value) -> Checked {
    const ROLES: [&str; 4] = ["assistant", "system", "developer", "user"];
    if !item.is_object() {
        return Err(wrong_type(at, "an object", item));
    }
    match text(item, "type") {
        "" | "message" => {}
        "function_call_output" if item.get("call_id").is_none() => {
            return Err(missing(&format!("{at}.call_id")));
        }
        _ => return Ok(()),
    }
    match item.get("role") {
        None => return Err(missing(&format!("{at}.role"))),
        Some(Value::String(role)) if ROLES.contains(&role.as_str()) => {}
        Some(role) => return Err(invalid(at, role, &ROLES)),
    }
    match item.get("content") {
        Some(Value::String(_) | Value::Array(_)) => Ok(()),
        None => Err(missing(&format!("{at}.content"))),
        Some(other) => {
            let expected = "one of a string or array of objects";
            Err(wrong_type(&format!("{at}.content"), expected, other))
        }
    }
}

/// A tool may only answer a call that is in the input as well.
fn called(items: &[Value], id: &str) -> Checked {
    let call = |item: &&Value| text(item, "type") == "function_call";
    if items
        .iter()
        .filter(call)
        .any(|item| text(item, "call_id") == id)
    {
        return Ok(());
    }
    let message = format!("No tool call found for function call output with call_id {id}.");
    Err(Problem::new(400, message).param("input"))
}

/// Parameters that models which think do not take.
fn reasoning(body: &Body) -> Checked {
    let model = body.get("model").and_then(Value::as_str);
    let thinks = models::reasons_with(model.unwrap_or_default(), ask::effort(body));
    for name in ["temperature", "top_p"].into_iter().filter(|_| thinks) {
        let value = given(body, name).and_then(Value::as_f64);
        if value.is_some_and(|value| (value - 1.0).abs() > f64::EPSILON) {
            let message =
                format!("Unsupported parameter: '{name}' is not supported with this model.");
            return Err(Problem::new(400, message).param(name));
        }
    }
    match given(body, "reasoning") {
        None | Some(Value::Object(_)) => Ok(()),
        Some(other) => Err(wrong_type("reasoning", "an object", other)),
    }
}

/// Functions are flat here: there is no object `function` around the name.
fn tools(body: &Body) -> Checked {
    let tools = match given(body, "tools") {
        None => return Ok(()),
        Some(Value::Array(tools)) => tools,
        Some(other) => return Err(wrong_type("tools", "an array of objects", other)),
    };
    for (index, tool) in tools.iter().enumerate() {
        if tool.get("type").is_none() {
            return Err(missing(&format!("tools[{index}].type")));
        }
        if text(tool, "type") == "function" && tool.get("name").is_none() {
            return Err(missing(&format!("tools[{index}].name")));
        }
    }
    Ok(())
}

fn tool_choice(body: &Body) -> Checked {
    const CHOICES: [&str; 3] = ["none", "auto", "required"];
    let name = match given(body, "tool_choice") {
        None => return Ok(()),
        Some(Value::String(choice)) if CHOICES.contains(&choice.as_str()) => return Ok(()),
        Some(Value::Object(choice)) if choice.contains_key("type") => choice.get("name"),
        Some(other) => return Err(invalid("tool_choice", other, &CHOICES)),
    };
    match name.and_then(Value::as_str) {
        Some(name) if !ask::tools(body).iter().any(|tool| tool.name == name) => {
            let message = "Tool choice 'function' not found in 'tools' parameter.";
            Err(Problem::new(400, message).param("tool_choice"))
        }
        _ => Ok(()),
    }
}

fn format(body: &Body) -> Checked {
    const FORMATS: [&str; 3] = ["json_object", "json_schema", "text"];
    let Some(format) = given(body, "text").and_then(|text| text.get("format")) else {
        return Ok(());
    };
    let speaks_of_json = || {
        let input = body.get("input").map(Value::to_string);
        input.is_some_and(|text| text.to_ascii_lowercase().contains("json"))
    };
    match format.get("type") {
        None => Err(missing("text.format.type")),
        Some(kind) if !FORMATS.contains(&kind.as_str().unwrap_or_default()) => {
            Err(invalid("text.format.type", kind, &FORMATS))
        }
        Some(kind) if kind == "json_schema" && format.get("name").is_none() => {
            Err(missing("text.format.name"))
        }
        Some(kind) if kind == "json_object" && !speaks_of_json() => {
            let message = "Response input messages must contain the word 'json' in some form to use \
                           'text.format' of type 'json_object'.";
            Err(Problem::new(400, message).param("input"))
        }
        Some(_) => Ok(()),
    }
}

/// Whether the input fits into the context.
pub(super) fn length(ask: &Ask) -> Checked {
    if ask.prompt_tokens <= models::CONTEXT {
        return Ok(());
    }
    let message = "Your input exceeds the context window of this model. Please adjust your input and try \
                   again.";
    Err(Problem::new(400, message)
        .param("input")
        .code("context_length_exceeded"))
}

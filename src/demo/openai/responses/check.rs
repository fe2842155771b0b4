//! Checks a request for a response; errors have the words of OpenAI's API
//! (ranges: <https://platform.openai.com/docs/api-reference/responses/create>).

use serde_json::Value;

use super::request::{declared_tools, reasoning_effort};
use crate::demo::api_error::ApiResult;
use crate::demo::json_values::{array_items, non_null, text_at};
use crate::demo::models;
use crate::demo::openai::rules::{
    RULES, check_named_tool, format_type, parameter_error, refuse_sampling, tool_choice,
};
use crate::demo::rules::ParameterType::{
    self, Boolean, Decimal, Integer, List, Object, TextOrList,
};

const PARAMETERS: &[(&str, ParameterType)] = &[
    ("max_output_tokens", Integer(16, i64::MAX as i128)),
    ("top_logprobs", Integer(0, 20)),
    ("temperature", Decimal(0.0, 2.0)),
    ("top_p", Decimal(0.0, 1.0)),
    ("stream", Boolean),
    ("store", Boolean),
    ("background", Boolean),
    ("parallel_tool_calls", Boolean),
];

/// Parameters of Chat Completions, and their names here.
const MOVED: [(&str, &str); 5] = [
    ("messages", "input"),
    ("max_tokens", "max_output_tokens"),
    ("max_completion_tokens", "max_output_tokens"),
    ("response_format", "text.format"),
    ("reasoning_effort", "reasoning.effort"),
];

/// Checks all parameters but the model, common mistakes first.
pub(super) fn check_parameters(body: &Value) -> ApiResult {
    check_moved_names(body)?;
    check_input(body)?;
    RULES.check_table(body, PARAMETERS)?;
    check_reasoning(body)?;
    check_tools(body)?;
    let name = tool_choice(body)?.map_or(&Value::Null, |choice| &choice["name"]);
    // Of any tool, the error says only its type.
    check_named_tool(name, &declared_tools(body), "function")?;
    check_format(body)
}

/// Refuses parameters of Chat Completions that have another name here, or none.
fn check_moved_names(body: &Value) -> ApiResult {
    for (name, here) in MOVED {
        if body.get(name).is_some() {
            return Err(RULES.error("moved_parameter", &[("path", name), ("here", here)]));
        }
    }
    let mut removed = RULES.names("removed_parameters").into_iter();
    match removed.find(|name| body.get(name).is_some()) {
        None => Ok(()),
        Some(name) => Err(parameter_error("unknown_parameter", name)),
    }
}

fn check_input(body: &Value) -> ApiResult {
    let follows = !body["previous_response_id"].is_null();
    let Some(input) = non_null(body, "input").or_else(|| follows.then_some(&Value::Null)) else {
        return RULES.required("input", None).map(|_| ());
    };
    if !input.is_null() {
        RULES.check("input", input, TextOrList)?;
    }
    for (index, item) in array_items(input).enumerate() {
        check_item(&format!("input[{index}]"), item)?;
        if item["type"] == "function_call_output" && !follows {
            check_call_exists(input, text_at(item, "call_id"))?;
        }
    }
    Ok(())
}

fn check_item(path: &str, item: &Value) -> ApiResult {
    let required = |key: &str| RULES.required(&format!("{path}.{key}"), item.get(key));
    RULES.check(path, item, Object)?;
    match text_at(item, "type") {
        "" | "message" => {
            let known = ["assistant", "system", "developer", "user"];
            RULES.one_of(path, required("role")?, &known)?;
            let content = required("content")?;
            RULES.check(&format!("{path}.content"), content, TextOrList)
        }
        "function_call_output" => required("call_id").map(|_| ()),
        _ => Ok(()),
    }
}

/// Checks that a tool result answers a call in the input.
fn check_call_exists(input: &Value, id: &str) -> ApiResult {
    let mut calls = array_items(input).filter(|item| item["type"] == "function_call");
    if calls.any(|item| text_at(item, "call_id") == id) {
        return Ok(());
    }
    Err(RULES.error("no_such_call", &[("id", id)]))
}

/// Refuses parameters that reasoning models do not take.
fn check_reasoning(body: &Value) -> ApiResult {
    if models::reasons_with_effort(text_at(body, "model"), reasoning_effort(body)) {
        refuse_sampling(body, "reasoning_parameter")?;
    }
    RULES.check_table(body, &[("reasoning", Object)])
}

/// Checks the tools. Functions are flat here: no object `function` surrounds the name.
fn check_tools(body: &Value) -> ApiResult {
    RULES.check_table(body, &[("tools", List)])?;
    for (index, tool) in array_items(&body["tools"]).enumerate() {
        let required = |key: &str| RULES.required(&format!("tools[{index}].{key}"), tool.get(key));
        if required("type")? == "function" {
            required("name")?;
        }
    }
    Ok(())
}

fn check_format(body: &Value) -> ApiResult {
    let Some(format) = body["text"].get("format") else {
        return Ok(());
    };
    let kind = format_type("text.format", format, &body["input"], "input_without_json")?;
    if kind == "json_schema" {
        RULES.required("text.format.name", format.get("name"))?;
    }
    Ok(())
}

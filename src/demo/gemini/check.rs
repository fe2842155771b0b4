//! Checks a request for content; errors have the words of Google's API
//! (<https://ai.google.dev/api/generate-content>).

use serde_json::Value;

use super::request::{declared_tools, value_at};
use super::rules::RULES;
use crate::demo::api_error::ApiResult;
use crate::demo::json_values::{array_items, text_at};
use crate::demo::rules::ParameterType::{self, Decimal, Integer};
use crate::demo::rules::to_snake_case;

/// The largest 32-bit number.
const MAX: i128 = i32::MAX as i128;

const CONFIG_NUMBERS: &[(&str, ParameterType)] = &[
    ("temperature", Decimal(0.0, 2.0)),
    ("topP", Decimal(0.0, 1.0)),
    ("candidateCount", Integer(1, 8)),
    ("maxOutputTokens", Integer(1, MAX)),
    ("topK", Integer(1, MAX)),
];

/// Checks all parameters, common mistakes first.
pub(super) fn check_parameters(body: &Value) -> ApiResult {
    check_known_keys(body, "request", "")?;
    check_contents(body)?;
    let config = value_at(body, "generationConfig");
    check_known_keys(config, "generation_config", "generation_config")?;
    RULES.check_table(config, CONFIG_NUMBERS)?;
    check_function_calling(body)
}

/// Refuses keys at `path` that are not in the list, those of other APIs among them.
fn check_known_keys(object: &Value, list: &str, path: &str) -> ApiResult {
    let names = RULES.names(list);
    let is_known = |key: &str| {
        let mut names = names.iter();
        names.any(|name| *name == key || to_snake_case(name) == key)
    };
    let mut keys = object.as_object().into_iter().flatten();
    let Some((key, _)) = keys.find(|(key, _)| !is_known(key)) else {
        return Ok(());
    };
    let place = match path {
        "" => String::new(),
        path => format!(" at '{path}'"),
    };
    let values = [("path", path), ("name", key), ("place", &place)];
    Err(RULES.error("unknown_name", &values))
}

fn check_contents(body: &Value) -> ApiResult {
    let contents = value_at(body, "contents");
    if !matches!(contents, Value::Array(_) | Value::Object(_) | Value::Null) {
        let value = contents.to_string();
        return Err(RULES.error("bad_contents", &[("value", &value)]));
    }
    if array_items(contents).next().is_none() {
        return Err(RULES.error("no_contents", &[]));
    }
    for (index, content) in array_items(contents).enumerate() {
        let role = text_at(content, "role");
        if !["", "user", "model", "function", "tool"].contains(&role) {
            return Err(RULES.error("bad_role", &[]));
        }
        if array_items(&content["parts"]).next().is_none() {
            return Err(RULES.error("no_parts", &[("index", &index.to_string())]));
        }
    }
    Ok(())
}

fn check_function_calling(body: &Value) -> ApiResult {
    let config = value_at(value_at(body, "toolConfig"), "functionCallingConfig");
    let mode = text_at(config, "mode");
    if !["", "AUTO", "ANY", "NONE", "VALIDATED"].contains(&mode.to_ascii_uppercase().as_str()) {
        return Err(RULES.error("bad_mode", &[("mode", mode)]));
    }
    if declared_tools(body).is_empty() && mode.eq_ignore_ascii_case("ANY") {
        return Err(RULES.error("mode_without_tools", &[]));
    }
    Ok(())
}

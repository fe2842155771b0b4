//! Checks a request for a chat; errors have Ollama's words
//! (<https://docs.ollama.com/api/chat>). Ollama ignores unknown keys.

use serde_json::Value;

use super::error::invalid;
use crate::demo::api_error::{ApiError, ApiResult};
use crate::demo::json_values::non_null;
use crate::demo::parameters::ParameterType::{self, Boolean, List, Object, Text};
use crate::demo::parameters::{ParameterRules, Violation};

/// The rules of Ollama's parameters: null is as good as absent.
const RULES: ParameterRules = ParameterRules {
    find: non_null,
    word: violation_error,
};

const PARAMETERS: &[(&str, ParameterType)] =
    &[("messages", List), ("stream", Boolean), ("options", Object)];

/// The body as a JSON object.
pub(super) fn parse_body(body: &[u8]) -> ApiResult<Value> {
    if body.is_empty() {
        return Err(invalid("missing request body"));
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(body) if body.is_object() => Ok(body),
        Ok(other) => Err(unmarshal_error(&other, "value", "api.ChatRequest")),
        Err(error) if error.is_eof() => Err(invalid("unexpected EOF")),
        Err(error) => Err(invalid(format!("invalid JSON: {error}"))),
    }
}

/// Reads the model from the request, or returns the error for a missing one.
pub(super) fn required_model(body: &Value) -> ApiResult<&str> {
    RULES.check_table(body, &[("model", Text)])?;
    let model = body["model"].as_str().filter(|model| !model.is_empty());
    model.ok_or_else(|| invalid("model is required"))
}

/// Checks all parameters but the model.
pub(super) fn check_parameters(body: &Value) -> ApiResult {
    RULES.check_table(body, PARAMETERS)?;
    match &body["format"] {
        Value::Null | Value::Object(_) => {}
        Value::String(kind) if kind.is_empty() || kind == "json" => {}
        other => {
            let message =
                format!("invalid format: {other}; expected \"json\" or a valid JSON Schema object");
            return Err(invalid(message));
        }
    }
    match &body["think"] {
        Value::Null | Value::Bool(_) => Ok(()),
        Value::String(level) if ["high", "medium", "low", "max"].contains(&level.as_str()) => {
            Ok(())
        }
        other => Err(invalid(format!(
            "invalid think value: {other} (must be \"high\", \"medium\", \"low\", \"max\", true, or false)"
        ))),
    }
}

fn violation_error(path: &str, violation: Violation<'_>) -> ApiError {
    let place = format!("struct field ChatRequest.{path}");
    match violation {
        Violation::WrongType(List, value) => unmarshal_error(value, &place, "[]api.Message"),
        Violation::WrongType(Boolean, value) => unmarshal_error(value, &place, "bool"),
        Violation::WrongType(Object, value) => {
            unmarshal_error(value, &place, "map[string]interface {}")
        }
        Violation::WrongType(_, value) => unmarshal_error(value, &place, "string"),
        _ => invalid(format!("{path} is required")),
    }
}

/// The error of a value with a wrong type, in the words of Go's decoder.
fn unmarshal_error(value: &Value, place: &str, expected: &str) -> ApiError {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    invalid(format!(
        "json: cannot unmarshal {found} into Go {place} of type {expected}"
    ))
}

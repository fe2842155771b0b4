//! Checks a request for a chat; errors have Ollama's words
//! (<https://docs.ollama.com/api/chat>). Ollama ignores unknown keys.

use serde_json::{Map, Value};

use super::error::OllamaError;

type OllamaBody = Map<String, Value>;

/// The body as a JSON object.
pub(super) fn parse_body(body: &[u8]) -> Result<OllamaBody, OllamaError> {
    if body.is_empty() {
        return Err(OllamaError::invalid("missing request body"));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(other) => Err(unmarshal_error(&other, "", "api.ChatRequest")),
        Err(error) if error.is_eof() => Err(OllamaError::invalid("unexpected EOF")),
        Err(error) => Err(OllamaError::invalid(format!("invalid JSON: {error}"))),
    }
}

/// The model in the request.
pub(super) fn required_model(body: &OllamaBody) -> Result<&str, OllamaError> {
    match body.get("model") {
        None | Some(Value::Null) => Err(OllamaError::invalid("model is required")),
        Some(Value::String(model)) if model.is_empty() => {
            Err(OllamaError::invalid("model is required"))
        }
        Some(Value::String(model)) => Ok(model),
        Some(other) => Err(unmarshal_error(other, "model", "string")),
    }
}

/// Checks all parameters but the model.
pub(super) fn check_parameters(body: &OllamaBody) -> Result<(), OllamaError> {
    let given = |name: &str| body.get(name).filter(|value| !value.is_null());
    match given("messages") {
        None | Some(Value::Array(_)) => {}
        Some(other) => return Err(unmarshal_error(other, "messages", "[]api.Message")),
    }
    match given("stream") {
        None | Some(Value::Bool(_)) => {}
        Some(other) => return Err(unmarshal_error(other, "stream", "bool")),
    }
    match given("options") {
        None | Some(Value::Object(_)) => {}
        Some(other) => return Err(unmarshal_error(other, "options", "map[string]interface {}")),
    }
    match given("format") {
        None | Some(Value::Object(_)) => {}
        Some(Value::String(kind)) if kind.is_empty() || kind == "json" => {}
        Some(other) => {
            let message =
                format!("invalid format: {other}; expected \"json\" or a valid JSON Schema object");
            return Err(OllamaError::invalid(message));
        }
    }
    check_think(given("think"))
}

fn check_think(value: Option<&Value>) -> Result<(), OllamaError> {
    match value {
        None | Some(Value::Bool(_)) => Ok(()),
        Some(Value::String(level))
            if ["high", "medium", "low", "max"].contains(&level.as_str()) =>
        {
            Ok(())
        }
        Some(other) => Err(OllamaError::invalid(format!(
            "invalid think value: {other} (must be \"high\", \"medium\", \"low\", \"max\", true, or false)"
        ))),
    }
}

/// The error of a value with a wrong type, in the words of Go's decoder.
fn unmarshal_error(value: &Value, field: &str, expected: &str) -> OllamaError {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let place = match field {
        "" => "value".to_owned(),
        field => format!("struct field ChatRequest.{field}"),
    };
    OllamaError::invalid(format!(
        "json: cannot unmarshal {kind} into Go {place} of type {expected}"
    ))
}

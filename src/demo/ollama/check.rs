//! Whether a chat can be answered, and if not, why, in Ollama's words
//! (<https://docs.ollama.com/api/chat>). What Ollama does not know, it does not look at.

use serde_json::{Map, Value};

use super::problem::Problem;

type Body = Map<String, Value>;

/// The body as a JSON object.
pub(super) fn json(body: &[u8]) -> Result<Body, Problem> {
    if body.is_empty() {
        return Err(Problem::invalid("missing request body"));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(other) => Err(unmarshal(&other, "", "api.ChatRequest")),
        Err(error) if error.is_eof() => Err(Problem::invalid("unexpected EOF")),
        Err(error) => Err(Problem::invalid(format!("invalid JSON: {error}"))),
    }
}

/// The model that is asked for.
pub(super) fn model(body: &Body) -> Result<&str, Problem> {
    match body.get("model") {
        None | Some(Value::Null) => Err(Problem::invalid("model is required")),
        Some(Value::String(model)) if model.is_empty() => {
            Err(Problem::invalid("model is required"))
        }
        Some(Value::String(model)) => Ok(model),
        Some(other) => Err(unmarshal(other, "model", "string")),
    }
}

/// Everything else.
pub(super) fn parameters(body: &Body) -> Result<(), Problem> {
    let given = |name: &str| body.get(name).filter(|value| !value.is_null());
    match given("messages") {
        None | Some(Value::Array(_)) => {}
        Some(other) => return Err(unmarshal(other, "messages", "[]api.Message")),
    }
    match given("stream") {
        None | Some(Value::Bool(_)) => {}
        Some(other) => return Err(unmarshal(other, "stream", "bool")),
    }
    match given("options") {
        None | Some(Value::Object(_)) => {}
        Some(other) => return Err(unmarshal(other, "options", "map[string]interface {}")),
    }
    match given("format") {
        None | Some(Value::Object(_)) => {}
        Some(Value::String(kind)) if kind.is_empty() || kind == "json" => {}
        Some(other) => {
            let message =
                format!("invalid format: {other}; expected \"json\" or a valid JSON Schema object");
            return Err(Problem::invalid(message));
        }
    }
    think(given("think"))
}

fn think(value: Option<&Value>) -> Result<(), Problem> {
    match value {
        None | Some(Value::Bool(_)) => Ok(()),
        Some(Value::String(level))
            if ["high", "medium", "low", "max"].contains(&level.as_str()) =>
        {
            Ok(())
        }
        Some(other) => Err(Problem::invalid(format!(
            "invalid think value: {other} (must be \"high\", \"medium\", \"low\", \"max\", true, or false)"
        ))),
    }
}

/// A value that does not fit its field, as Go's decoder words it.
fn unmarshal(value: &Value, field: &str, expected: &str) -> Problem {
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
    Problem::invalid(format!(
        "json: cannot unmarshal {kind} into Go {place} of type {expected}"
    ))
}

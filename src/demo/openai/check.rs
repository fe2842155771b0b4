//! Checks that both APIs of OpenAI share, in the words of OpenAI's errors
//! (ranges: <https://platform.openai.com/docs/api-reference/chat/create>).

use std::fmt::Display;

use serde_json::{Map, Value};

use super::error::OpenAiError;

/// The JSON object of a request.
pub(in crate::demo) type OpenAiBody = Map<String, Value>;
/// The result of a check.
pub(in crate::demo) type OpenAiCheck = Result<(), OpenAiError>;

/// The body as a JSON object. An empty body is an empty object: the next check names what it lacks.
pub(in crate::demo) fn parse_body(body: &[u8]) -> Result<OpenAiBody, OpenAiError> {
    if body.trim_ascii().is_empty() {
        return Ok(OpenAiBody::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(body)) => Ok(body),
        _ => Err(OpenAiError::new(400, NOT_JSON)),
    }
}

const NOT_JSON: &str = "We could not parse the JSON body of your request. (HINT: This likely means you \
    aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent \
    was not valid JSON. If you have trouble figuring out how to fix this, please contact us through our \
    help center at help.openai.com.)";

/// The model in the request.
pub(in crate::demo) fn required_model(body: &OpenAiBody) -> Result<&str, OpenAiError> {
    match body.get("model") {
        None | Some(Value::Null) => {
            Err(OpenAiError::new(400, "you must provide a model parameter"))
        }
        Some(Value::String(model)) if model.is_empty() => {
            Err(OpenAiError::new(400, "you must provide a model parameter"))
        }
        Some(Value::String(model)) => Ok(model),
        Some(other) => Err(wrong_type("model", "a string", other)),
    }
}

pub(in crate::demo) fn check_decimal(
    body: &OpenAiBody,
    name: &str,
    low: i8,
    high: i8,
) -> OpenAiCheck {
    let Some(value) = non_null(body, name) else {
        return Ok(());
    };
    let number = value
        .as_f64()
        .ok_or_else(|| wrong_type(name, "a decimal", value))?;
    if number < f64::from(low) {
        return Err(NumberParameter::Decimal.below_minimum(name, low, value));
    }
    if number > f64::from(high) {
        return Err(NumberParameter::Decimal.above_maximum(name, high, value));
    }
    Ok(())
}

pub(in crate::demo) fn check_integer(
    body: &OpenAiBody,
    name: &str,
    low: i64,
    high: i64,
) -> OpenAiCheck {
    let Some(value) = non_null(body, name) else {
        return Ok(());
    };
    match value.as_i64() {
        Some(number) if number < low => {
            Err(NumberParameter::Integer.below_minimum(name, low, value))
        }
        Some(number) if number <= high => Ok(()),
        Some(_) => Err(NumberParameter::Integer.above_maximum(name, high, value)),
        None if value.is_u64() => Err(NumberParameter::Integer.above_maximum(name, high, value)),
        None => Err(wrong_type(name, "an integer", value)),
    }
}

pub(in crate::demo) fn check_boolean(body: &OpenAiBody, name: &str) -> OpenAiCheck {
    match non_null(body, name) {
        None | Some(Value::Bool(_)) => Ok(()),
        Some(other) => Err(wrong_type(name, "a boolean", other)),
    }
}

/// The value of a parameter, unless it is absent or null.
pub(in crate::demo) fn non_null<'a>(body: &'a OpenAiBody, name: &str) -> Option<&'a Value> {
    body.get(name).filter(|value| !value.is_null())
}

pub(in crate::demo) fn missing_parameter(name: &str) -> OpenAiError {
    OpenAiError::new(400, format!("Missing required parameter: '{name}'."))
        .with_param(name)
        .with_code("missing_required_parameter")
}

pub(in crate::demo) fn invalid_value(name: &str, value: &Value, known: &[&str]) -> OpenAiError {
    let value = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    let known = match known {
        [rest @ .., last] => format!("'{}', and '{last}'", rest.join("', '")),
        [] => String::new(),
    };
    let message = format!("Invalid value: '{value}'. Supported values are: {known}.");
    OpenAiError::new(400, message)
        .with_param(name)
        .with_code("invalid_value")
}

pub(in crate::demo) fn wrong_type(name: &str, expected: &str, value: &Value) -> OpenAiError {
    let got = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a decimal number",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    let message = format!("Invalid type for '{name}': expected {expected}, but got {got} instead.");
    OpenAiError::new(400, message)
        .with_param(name)
        .with_code("invalid_type")
}

/// The type of a number with a range, as error codes name it.
#[derive(Clone, Copy)]
enum NumberParameter {
    Integer,
    Decimal,
}

impl NumberParameter {
    fn below_minimum(self, name: &str, bound: impl Display, value: &Value) -> OpenAiError {
        let (kind, code) = match self {
            Self::Integer => ("integer", "integer_below_min_value"),
            Self::Decimal => ("decimal", "decimal_below_min_value"),
        };
        let message = format!(
            "Invalid '{name}': {kind} below minimum value. Expected a value >= {bound}, but got {value} \
             instead."
        );
        OpenAiError::new(400, message)
            .with_param(name)
            .with_code(code)
    }

    fn above_maximum(self, name: &str, bound: impl Display, value: &Value) -> OpenAiError {
        let (kind, code) = match self {
            Self::Integer => ("integer", "integer_above_max_value"),
            Self::Decimal => ("decimal", "decimal_above_max_value"),
        };
        let message = format!(
            "Invalid '{name}': {kind} above maximum value. Expected a value <= {bound}, but got {value} \
             instead."
        );
        OpenAiError::new(400, message)
            .with_param(name)
            .with_code(code)
    }
}

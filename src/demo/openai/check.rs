//! What both APIs of OpenAI check, and in which words
//! (ranges: <https://platform.openai.com/docs/api-reference/chat/create>).

use std::fmt::Display;

use serde_json::{Map, Value};

use super::problem::Problem;

/// The object of a request.
pub(in crate::demo) type Body = Map<String, Value>;
/// Whether something passes.
pub(in crate::demo) type Checked = Result<(), Problem>;

/// The body as a JSON object. No body at all is an empty one: what it lacks is named next.
pub(in crate::demo) fn json(body: &[u8]) -> Result<Body, Problem> {
    if body.trim_ascii().is_empty() {
        return Ok(Body::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(body)) => Ok(body),
        _ => Err(Problem::new(400, NOT_JSON)),
    }
}

const NOT_JSON: &str = "We could not parse the JSON body of your request. (HINT: This likely means you \
    aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent \
    was not valid JSON. If you have trouble figuring out how to fix this, please contact us through our \
    help center at help.openai.com.)";

/// The model that is asked for.
pub(in crate::demo) fn model(body: &Body) -> Result<&str, Problem> {
    match body.get("model") {
        None | Some(Value::Null) => Err(Problem::new(400, "you must provide a model parameter")),
        Some(Value::String(model)) if model.is_empty() => {
            Err(Problem::new(400, "you must provide a model parameter"))
        }
        Some(Value::String(model)) => Ok(model),
        Some(other) => Err(wrong_type("model", "a string", other)),
    }
}

pub(in crate::demo) fn decimal(body: &Body, name: &str, low: i8, high: i8) -> Checked {
    let Some(value) = given(body, name) else {
        return Ok(());
    };
    let number = value
        .as_f64()
        .ok_or_else(|| wrong_type(name, "a decimal", value))?;
    if number < f64::from(low) {
        return Err(Range::Decimal.below(name, low, value));
    }
    if number > f64::from(high) {
        return Err(Range::Decimal.above(name, high, value));
    }
    Ok(())
}

pub(in crate::demo) fn integer(body: &Body, name: &str, low: i64, high: i64) -> Checked {
    let Some(value) = given(body, name) else {
        return Ok(());
    };
    match value.as_i64() {
        Some(number) if number < low => Err(Range::Integer.below(name, low, value)),
        Some(number) if number <= high => Ok(()),
        Some(_) => Err(Range::Integer.above(name, high, value)),
        None if value.is_u64() => Err(Range::Integer.above(name, high, value)),
        None => Err(wrong_type(name, "an integer", value)),
    }
}

pub(in crate::demo) fn boolean(body: &Body, name: &str) -> Checked {
    match given(body, name) {
        None | Some(Value::Bool(_)) => Ok(()),
        Some(other) => Err(wrong_type(name, "a boolean", other)),
    }
}

/// Parameters that need another one.
/// A parameter that is there and not null.
pub(in crate::demo) fn given<'a>(body: &'a Body, name: &str) -> Option<&'a Value> {
    body.get(name).filter(|value| !value.is_null())
}

pub(in crate::demo) fn missing(name: &str) -> Problem {
    Problem::new(400, format!("Missing required parameter: '{name}'."))
        .param(name)
        .code("missing_required_parameter")
}

pub(in crate::demo) fn invalid(name: &str, value: &Value, known: &[&str]) -> Problem {
    let value = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    let known = match known {
        [rest @ .., last] => format!("'{}', and '{last}'", rest.join("', '")),
        [] => String::new(),
    };
    let message = format!("Invalid value: '{value}'. Supported values are: {known}.");
    Problem::new(400, message).param(name).code("invalid_value")
}

pub(in crate::demo) fn wrong_type(name: &str, expected: &str, value: &Value) -> Problem {
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
    Problem::new(400, message).param(name).code("invalid_type")
}

/// A kind of number that has a range.
#[derive(Clone, Copy)]
enum Range {
    Integer,
    Decimal,
}

impl Range {
    fn below(self, name: &str, bound: impl Display, value: &Value) -> Problem {
        let (kind, code) = match self {
            Self::Integer => ("integer", "integer_below_min_value"),
            Self::Decimal => ("decimal", "decimal_below_min_value"),
        };
        let message = format!(
            "Invalid '{name}': {kind} below minimum value. Expected a value >= {bound}, but got {value} \
             instead."
        );
        Problem::new(400, message).param(name).code(code)
    }

    fn above(self, name: &str, bound: impl Display, value: &Value) -> Problem {
        let (kind, code) = match self {
            Self::Integer => ("integer", "integer_above_max_value"),
            Self::Decimal => ("decimal", "decimal_above_max_value"),
        };
        let message = format!(
            "Invalid '{name}': {kind} above maximum value. Expected a value <= {bound}, but got {value} \
             instead."
        );
        Problem::new(400, message).param(name).code(code)
    }
}

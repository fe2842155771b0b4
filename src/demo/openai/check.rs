//! Checks that both APIs of OpenAI share, in the words of OpenAI's errors
//! (ranges: <https://platform.openai.com/docs/api-reference/chat/create>).

use serde_json::{Value, json};

use super::error::invalid;
use crate::demo::api_error::{ApiError, ApiResult};
use crate::demo::json_values::non_null;
use crate::demo::model_request::DeclaredTool;
use crate::demo::parameters::{ParameterRules, ParameterType, Violation};

/// The rules of OpenAI's parameters: null is as good as absent.
pub(super) const RULES: ParameterRules = ParameterRules {
    find: non_null,
    word: violation_error,
};

const NOT_JSON: &str = "We could not parse the JSON body of your request. (HINT: This likely means you \
    aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent \
    was not valid JSON. If you have trouble figuring out how to fix this, please contact us through our \
    help center at help.openai.com.)";

/// The body as a JSON object. An empty body is an empty object: the next check names what it lacks.
pub(super) fn parse_body(body: &[u8]) -> ApiResult<Value> {
    if body.trim_ascii().is_empty() {
        return Ok(json!({}));
    }
    let body = serde_json::from_slice(body).ok();
    body.filter(Value::is_object)
        .ok_or_else(|| ApiError::new(400, NOT_JSON))
}

/// Reads the model from the request, or returns the error for a missing one.
pub(super) fn required_model(body: &Value) -> ApiResult<&str> {
    RULES.check_table(body, &[("model", ParameterType::Text)])?;
    let model = body["model"].as_str().filter(|model| !model.is_empty());
    model.ok_or_else(|| ApiError::new(400, "you must provide a model parameter"))
}

/// The `tool_choice` of the request, unless it is absent.
pub(super) fn tool_choice(body: &Value) -> ApiResult<Option<&Value>> {
    let choice = non_null(body, "tool_choice");
    if let Some(choice) = choice.filter(|choice| choice.get("type").is_none()) {
        RULES.one_of("tool_choice", choice, &["none", "auto", "required"])?;
    }
    Ok(choice)
}

/// Checks that the tool called `name`, if any, is declared; `message` is that of the error.
pub(super) fn check_named_tool(
    name: &Value,
    declared: &[DeclaredTool],
    message: &str,
) -> ApiResult {
    match name.as_str() {
        Some(name) if !declared.iter().any(|tool| tool.name == name) => {
            Err(invalid("tool_choice", message))
        }
        _ => Ok(()),
    }
}

/// The type of the answer format at `path`. `without_json` is the error if the type is `json_object` and `input`
/// does not mention JSON.
pub(super) fn format_type<'a>(
    path: &str,
    format: &'a Value,
    input: &Value,
    without_json: impl FnOnce() -> ApiError,
) -> ApiResult<&'a str> {
    let path = format!("{path}.type");
    let kind = RULES.required(&path, format.get("type"))?;
    let kind = RULES.one_of(&path, kind, &["json_object", "json_schema", "text"])?;
    let mentions_json = || input.to_string().to_ascii_lowercase().contains("json");
    if kind == "json_object" && !mentions_json() {
        return Err(without_json());
    }
    Ok(kind)
}

/// Refuses sampling parameters, which reasoning models do not take unless they have their default value
/// (<https://platform.openai.com/docs/guides/reasoning>).
pub(super) fn refuse_sampling(body: &Value, error: fn(&str, &Value) -> ApiError) -> ApiResult {
    for name in ["temperature", "top_p"] {
        if let Some(value) = non_null(body, name).filter(|value| value.as_f64() != Some(1.0)) {
            return Err(error(name, value));
        }
    }
    Ok(())
}

fn violation_error(path: &str, violation: Violation<'_>) -> ApiError {
    let noun = |kind: ParameterType| match kind {
        ParameterType::Integer(..) => "integer",
        _ => "decimal",
    };
    match violation {
        Violation::Missing => invalid(path, format!("Missing required parameter: '{path}'."))
            .with_code("missing_required_parameter"),
        Violation::WrongType(expected, value) => wrong_type(path, type_words(expected), value),
        Violation::TooSmall(kind, value) => {
            let (noun, (bound, _)) = (noun(kind), kind.bounds());
            let message = format!(
                "Invalid '{path}': {noun} below minimum value. Expected a value >= {bound}, but got {value} \
                 instead."
            );
            invalid(path, message).with_code(format!("{noun}_below_min_value"))
        }
        Violation::TooLarge(kind, value) => {
            let (noun, (_, bound)) = (noun(kind), kind.bounds());
            let message = format!(
                "Invalid '{path}': {noun} above maximum value. Expected a value <= {bound}, but got {value} \
                 instead."
            );
            invalid(path, message).with_code(format!("{noun}_above_max_value"))
        }
        Violation::NotOneOf(value, known) => {
            let text = value.as_str().map(str::to_owned);
            let text = text.unwrap_or_else(|| value.to_string());
            let (last, rest) = known.split_last().unwrap_or((&"", &[]));
            let known = format!("'{}', and '{last}'", rest.join("', '"));
            let message = format!("Invalid value: '{text}'. Supported values are: {known}.");
            invalid(path, message).with_code("invalid_value")
        }
    }
}

/// The error of a value that is not what is `expected`.
pub(super) fn wrong_type(path: &str, expected: &str, value: &Value) -> ApiError {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a decimal number",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    let message =
        format!("Invalid type for '{path}': expected {expected}, but got {found} instead.");
    invalid(path, message).with_code("invalid_type")
}

fn type_words(expected: ParameterType) -> &'static str {
    match expected {
        ParameterType::Text => "a string",
        ParameterType::Boolean => "a boolean",
        ParameterType::Integer(..) => "an integer",
        ParameterType::Decimal(..) => "a decimal",
        ParameterType::Object => "an object",
        ParameterType::List => "an array of objects",
        ParameterType::TextOrList => "one of a string or array of objects",
    }
}

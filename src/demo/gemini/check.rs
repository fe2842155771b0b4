//! Checks a request for content; errors have the words of Google's API
//! (<https://ai.google.dev/api/generate-content>).

use serde_json::{Value, json};

use super::error::{field_violation, invalid};
use super::request::{declared_tools, find, to_snake_case, value_at};
use crate::demo::api_error::{ApiError, ApiResult};
use crate::demo::json_values::{array_items, text_at};
use crate::demo::model_request::ModelRequest;
use crate::demo::parameters::ParameterType::{self, Decimal, Integer};
use crate::demo::parameters::{ParameterRules, Violation};

/// The rules of the parameters in `generationConfig`.
const RULES: ParameterRules = ParameterRules {
    find,
    word: violation_error,
};

/// The known keys of a request.
const REQUEST_KEYS: [&str; 12] = [
    "model",
    "contents",
    "systemInstruction",
    "tools",
    "toolConfig",
    "safetySettings",
    "generationConfig",
    "cachedContent",
    "labels",
    "serviceTier",
    "store",
    "continuationToken",
];

/// The known keys of `generationConfig`.
const CONFIG_KEYS: [&str; 22] = [
    "stopSequences",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "responseFormat",
    "responseModalities",
    "candidateCount",
    "maxOutputTokens",
    "temperature",
    "topP",
    "topK",
    "seed",
    "presencePenalty",
    "frequencyPenalty",
    "responseLogprobs",
    "logprobs",
    "enableEnhancedCivicAnswers",
    "speechConfig",
    "thinkingConfig",
    "imageConfig",
    "mediaResolution",
    "audioTimestamp",
];

/// The largest 32-bit number.
const MAX: i128 = i32::MAX as i128;

const CONFIG_NUMBERS: &[(&str, ParameterType)] = &[
    ("temperature", Decimal(0.0, 2.0)),
    ("topP", Decimal(0.0, 1.0)),
    ("candidateCount", Integer(1, 8)),
    ("maxOutputTokens", Integer(1, MAX)),
    ("topK", Integer(1, MAX)),
];

/// The body as a JSON object.
pub(super) fn parse_body(body: &[u8]) -> ApiResult<Value> {
    if body.trim_ascii().is_empty() {
        return Ok(json!({}));
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(body) if body.is_object() => Ok(body),
        Ok(_) => Err(invalid(
            "Invalid JSON payload received. Unknown name \"\": Root element must be a message.",
        )),
        Err(error) => Err(invalid(format!(
            "Invalid JSON payload received. Unexpected token.\n{error}"
        ))),
    }
}

/// Checks all parameters, common mistakes first.
pub(super) fn check_parameters(body: &Value) -> ApiResult {
    check_known_keys(body, &REQUEST_KEYS, "")?;
    check_contents(body)?;
    let config = value_at(body, "generationConfig");
    check_known_keys(config, &CONFIG_KEYS, "generation_config")?;
    RULES.check_table(config, CONFIG_NUMBERS)?;
    check_function_calling(body)
}

/// Refuses unknown keys, those of other APIs among them.
fn check_known_keys(object: &Value, names: &[&str], path: &str) -> ApiResult {
    let is_known = |key: &String| {
        names
            .iter()
            .any(|name| name == key || to_snake_case(name) == *key)
    };
    let mut keys = object.as_object().into_iter().flatten();
    let Some((key, _)) = keys.find(|(key, _)| !is_known(key)) else {
        return Ok(());
    };
    let place = match path {
        "" => String::new(),
        path => format!(" at '{path}'"),
    };
    let message =
        format!("Invalid JSON payload received. Unknown name \"{key}\"{place}: Cannot find field.");
    Err(field_violation(path, message))
}

fn check_contents(body: &Value) -> ApiResult {
    let contents = value_at(body, "contents");
    if !matches!(contents, Value::Array(_) | Value::Object(_) | Value::Null) {
        let expected = "type.googleapis.com/google.ai.generativelanguage.v1beta.Content";
        return Err(wrong_type("contents", expected, contents));
    }
    if array_items(contents).next().is_none() {
        return Err(invalid(
            "* GenerateContentRequest.contents: contents is not specified\n",
        ));
    }
    for (index, content) in array_items(contents).enumerate() {
        let role = text_at(content, "role");
        if !["", "user", "model", "function", "tool"].contains(&role) {
            return Err(invalid("Please use a valid role: user, model."));
        }
        if array_items(&content["parts"]).next().is_none() {
            return Err(invalid(format!(
                "* GenerateContentRequest.contents[{index}].parts: contents.parts must not be empty.\n"
            )));
        }
    }
    Ok(())
}

fn violation_error(key: &str, violation: Violation<'_>) -> ApiError {
    let name = to_snake_case(key);
    let path = format!("generation_config.{name}");
    let problem = match violation {
        Violation::WrongType(Decimal(..), value) => return wrong_type(&path, "TYPE_FLOAT", value),
        Violation::WrongType(_, value) => return wrong_type(&path, "TYPE_INT32", value),
        // No signed number of 64 bits.
        Violation::TooLarge(Integer(..), value) if value.is_u64() && !value.is_i64() => {
            return wrong_type(&path, "TYPE_INT32", value);
        }
        Violation::TooSmall(Decimal(low, high), _) | Violation::TooLarge(Decimal(low, high), _) => {
            format!("must be in the range [{low:.1}, {high:.1}]")
        }
        Violation::TooLarge(kind, _) => format!("must be at most {}", kind.bounds().1),
        _ => "must be positive".to_owned(),
    };
    invalid(format!(
        "* GenerateContentRequest.{path}: {name} {problem}.\n"
    ))
}

fn wrong_type(path: &str, expected: &str, value: &Value) -> ApiError {
    let message = format!("Invalid value at '{path}' ({expected}), {value}");
    field_violation(path, message)
}

fn check_function_calling(body: &Value) -> ApiResult {
    let config = value_at(value_at(body, "toolConfig"), "functionCallingConfig");
    let mode = text_at(config, "mode");
    if !["", "AUTO", "ANY", "NONE", "VALIDATED"].contains(&mode.to_ascii_uppercase().as_str()) {
        let path = "tool_config.function_calling_config.mode";
        let expected =
            "type.googleapis.com/google.ai.generativelanguage.v1beta.FunctionCallingConfig.Mode";
        let message = format!("Invalid value at '{path}' ({expected}), \"{mode}\"");
        return Err(field_violation(path, message));
    }
    if declared_tools(body).is_empty() && mode.eq_ignore_ascii_case("ANY") {
        return Err(invalid(
            "Function calling config is set without function_declarations.",
        ));
    }
    Ok(())
}

/// Checks that the prompt fits into the context.
pub(super) fn check_length(question: &ModelRequest) -> ApiResult {
    // The input limit of gemini-2.5-flash (<https://ai.google.dev/gemini-api/docs/models>).
    const CONTEXT: u64 = 1_048_576;
    match question.prompt_tokens {
        ..=CONTEXT => Ok(()),
        tokens => Err(invalid(format!(
            "The input token count ({tokens}) exceeds the maximum number of tokens allowed ({CONTEXT})."
        ))),
    }
}

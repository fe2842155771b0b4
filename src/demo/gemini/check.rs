//! Checks a request for content; errors have the words of Google's API
//! (<https://ai.google.dev/api/generate-content>).

use serde_json::Value;

use super::error::GeminiError;
use super::request::{declared_tools, non_null, to_snake_case};
use crate::demo::model_request::{ModelRequest, array_items, text_at};

type GeminiCheck = Result<(), GeminiError>;

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

/// The body as a JSON object.
pub(super) fn parse_body(body: &[u8]) -> Result<Value, GeminiError> {
    if body.trim_ascii().is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_slice(body) {
        Ok(body @ Value::Object(_)) => Ok(body),
        Ok(_) => Err(GeminiError::invalid(
            "Invalid JSON payload received. Unknown name \"\": Root element must be a message.",
        )),
        Err(error) => Err(GeminiError::invalid(format!(
            "Invalid JSON payload received. Unexpected token.\n{error}"
        ))),
    }
}

/// Checks all parameters, common mistakes first.
pub(super) fn check_parameters(body: &Value) -> GeminiCheck {
    check_known_keys(body, &REQUEST_KEYS, "")?;
    check_contents(body)?;
    if let Some(config) = non_null(body, "generationConfig") {
        check_known_keys(config, &CONFIG_KEYS, "generation_config")?;
        for (name, most) in [("temperature", 2.0), ("topP", 1.0)] {
            check_decimal(config, name, most)?;
        }
        for (name, most) in [
            ("candidateCount", 8),
            ("maxOutputTokens", i64::from(i32::MAX)),
            ("topK", i64::from(i32::MAX)),
        ] {
            check_integer(config, name, most)?;
        }
    }
    check_function_calling(body)
}

/// Refuses unknown keys, those of other APIs among them.
fn check_known_keys(object: &Value, names: &[&str], at: &str) -> GeminiCheck {
    let is_known = |key: &str| {
        names
            .iter()
            .any(|name| *name == key || to_snake_case(name) == key)
    };
    let keys = object.as_object().into_iter().flatten();
    match keys.map(|(key, _)| key).find(|key| !is_known(key)) {
        None => Ok(()),
        Some(key) => {
            let place = if at.is_empty() {
                String::new()
            } else {
                format!(" at '{at}'")
            };
            let message = format!(
                "Invalid JSON payload received. Unknown name \"{key}\"{place}: Cannot find field."
            );
            Err(GeminiError::field_violation(at, message))
        }
    }
}

fn check_contents(body: &Value) -> GeminiCheck {
    let contents = match non_null(body, "contents") {
        Some(Value::Array(contents)) => contents.as_slice(),
        Some(Value::Object(_)) | None => &[],
        Some(other) => {
            let message = format!(
                "Invalid value at 'contents' (type.googleapis.com/google.ai.generativelanguage.v1beta.Content), {other}"
            );
            return Err(GeminiError::field_violation("contents", message));
        }
    };
    if contents.is_empty() {
        return Err(GeminiError::invalid(
            "* GenerateContentRequest.contents: contents is not specified\n",
        ));
    }
    for (index, content) in contents.iter().enumerate() {
        let role = text_at(content, "role");
        if !["", "user", "model", "function", "tool"].contains(&role) {
            return Err(GeminiError::invalid(
                "Please use a valid role: user, model.",
            ));
        }
        if array_items(content.get("parts")).next().is_none() {
            return Err(GeminiError::invalid(format!(
                "* GenerateContentRequest.contents[{index}].parts: contents.parts must not be empty.\n"
            )));
        }
    }
    Ok(())
}

fn check_decimal(config: &Value, name: &str, most: f64) -> GeminiCheck {
    let Some(value) = non_null(config, name) else {
        return Ok(());
    };
    let name = to_snake_case(name);
    match value.as_f64() {
        None => Err(wrong_type(&name, "TYPE_FLOAT", value)),
        Some(number) if (0.0..=most).contains(&number) => Ok(()),
        Some(_) => Err(GeminiError::invalid(format!(
            "* GenerateContentRequest.generation_config.{name}: {name} must be in the range \
             [0.0, {most:.1}].\n"
        ))),
    }
}

fn check_integer(config: &Value, name: &str, most: i64) -> GeminiCheck {
    let Some(value) = non_null(config, name) else {
        return Ok(());
    };
    let name = to_snake_case(name);
    match value.as_i64() {
        None => Err(wrong_type(&name, "TYPE_INT32", value)),
        Some(number) if number < 1 => Err(GeminiError::invalid(format!(
            "* GenerateContentRequest.generation_config.{name}: {name} must be positive.\n"
        ))),
        Some(number) if number > most => Err(GeminiError::invalid(format!(
            "* GenerateContentRequest.generation_config.{name}: {name} must be at most {most}.\n"
        ))),
        Some(_) => Ok(()),
    }
}

fn wrong_type(name: &str, expected: &str, value: &Value) -> GeminiError {
    let at = format!("generation_config.{name}");
    let message = format!("Invalid value at '{at}' ({expected}), {value}");
    GeminiError::field_violation(&at, message)
}

fn check_function_calling(body: &Value) -> GeminiCheck {
    let config =
        non_null(body, "toolConfig").and_then(|tool| non_null(tool, "functionCallingConfig"));
    let Some(config) = config else {
        return Ok(());
    };
    let mode = text_at(config, "mode");
    if !["", "AUTO", "ANY", "NONE", "VALIDATED"].contains(&mode.to_ascii_uppercase().as_str()) {
        let at = "tool_config.function_calling_config.mode";
        let message = format!(
            "Invalid value at '{at}' (type.googleapis.com/google.ai.generativelanguage.v1beta.FunctionCallingConfig.Mode), \"{mode}\""
        );
        return Err(GeminiError::field_violation(at, message));
    }
    if declared_tools(body).is_empty() && mode.eq_ignore_ascii_case("ANY") {
        return Err(GeminiError::invalid(
            "Function calling config is set without function_declarations.",
        ));
    }
    Ok(())
}

/// Checks that the prompt fits into the context.
pub(super) fn check_length(ask: &ModelRequest) -> GeminiCheck {
    const CONTEXT: u64 = 1_048_576;
    match ask.prompt_tokens {
        ..=CONTEXT => Ok(()),
        tokens => Err(GeminiError::invalid(format!(
            "The input token count ({tokens}) exceeds the maximum number of tokens allowed ({CONTEXT})."
        ))),
    }
}

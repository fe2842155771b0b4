//! Whether content can be generated, and if not, why, in the words of Google's API
//! (<https://ai.google.dev/api/generate-content>).

use serde_json::Value;

use super::ask::{given, snake, tools};
use super::problem::Problem;
use crate::demo::ask::{Ask, items, text};

type Checked = Result<(), Problem>;

/// The keys of a request.
const REQUEST: [&str; 12] = [
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

/// The keys of `generationConfig`.
const CONFIG: [&str; 22] = [
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
pub(super) fn json(body: &[u8]) -> Result<Value, Problem> {
    if body.trim_ascii().is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_slice(body) {
        Ok(body @ Value::Object(_)) => Ok(body),
        Ok(_) => Err(Problem::invalid(
            "Invalid JSON payload received. Unknown name \"\": Root element must be a message.",
        )),
        Err(error) => Err(Problem::invalid(format!(
            "Invalid JSON payload received. Unexpected token.\n{error}"
        ))),
    }
}

/// Everything, in the order in which people meet it.
pub(super) fn parameters(body: &Value) -> Checked {
    known(body, &REQUEST, "")?;
    contents(body)?;
    if let Some(config) = given(body, "generationConfig") {
        known(config, &CONFIG, "generation_config")?;
        for (name, most) in [("temperature", 2.0), ("topP", 1.0)] {
            decimal(config, name, most)?;
        }
        for (name, most) in [
            ("candidateCount", 8),
            ("maxOutputTokens", i64::from(i32::MAX)),
            ("topK", i64::from(i32::MAX)),
        ] {
            integer(config, name, most)?;
        }
    }
    calling(body)
}

/// Names that are not known are refused, and so are those of other APIs.
fn known(object: &Value, names: &[&str], at: &str) -> Checked {
    let is_known = |key: &str| names.iter().any(|name| *name == key || snake(name) == key);
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
            Err(Problem::violation(at, message))
        }
    }
}

fn contents(body: &Value) -> Checked {
    let contents = match given(body, "contents") {
        Some(Value::Array(contents)) => contents.as_slice(),
        Some(Value::Object(_)) | None => &[],
        Some(other) => {
            let message = format!(
                "Invalid value at 'contents' (type.googleapis.com/google.ai.generativelanguage.v1beta.Content), {other}"
            );
            return Err(Problem::violation("contents", message));
        }
    };
    if contents.is_empty() {
        return Err(Problem::invalid(
            "* GenerateContentRequest.contents: contents is not specified\n",
        ));
    }
    for (index, content) in contents.iter().enumerate() {
        let role = text(content, "role");
        if !["", "user", "model", "function", "tool"].contains(&role) {
            return Err(Problem::invalid("Please use a valid role: user, model."));
        }
        if items(content.get("parts")).next().is_none() {
            return Err(Problem::invalid(format!(
                "* GenerateContentRequest.contents[{index}].parts: contents.parts must not be empty.\n"
            )));
        }
    }
    Ok(())
}

fn decimal(config: &Value, name: &str, most: f64) -> Checked {
    let Some(value) = given(config, name) else {
        return Ok(());
    };
    let name = snake(name);
    match value.as_f64() {
        None => Err(mistyped(&name, "TYPE_FLOAT", value)),
        Some(number) if (0.0..=most).contains(&number) => Ok(()),
        Some(_) => Err(Problem::invalid(format!(
            "* GenerateContentRequest.generation_config.{name}: {name} must be in the range \
             [0.0, {most:.1}].\n"
        ))),
    }
}

fn integer(config: &Value, name: &str, most: i64) -> Checked {
    let Some(value) = given(config, name) else {
        return Ok(());
    };
    let name = snake(name);
    match value.as_i64() {
        None => Err(mistyped(&name, "TYPE_INT32", value)),
        Some(number) if number < 1 => Err(Problem::invalid(format!(
            "* GenerateContentRequest.generation_config.{name}: {name} must be positive.\n"
        ))),
        Some(number) if number > most => Err(Problem::invalid(format!(
            "* GenerateContentRequest.generation_config.{name}: {name} must be at most {most}.\n"
        ))),
        Some(_) => Ok(()),
    }
}

fn mistyped(name: &str, expected: &str, value: &Value) -> Problem {
    let at = format!("generation_config.{name}");
    let message = format!("Invalid value at '{at}' ({expected}), {value}");
    Problem::violation(&at, message)
}

fn calling(body: &Value) -> Checked {
    let config = given(body, "toolConfig").and_then(|tool| given(tool, "functionCallingConfig"));
    let Some(config) = config else {
        return Ok(());
    };
    let mode = text(config, "mode");
    if !["", "AUTO", "ANY", "NONE", "VALIDATED"].contains(&mode.to_ascii_uppercase().as_str()) {
        let at = "tool_config.function_calling_config.mode";
        let message = format!(
            "Invalid value at '{at}' (type.googleapis.com/google.ai.generativelanguage.v1beta.FunctionCallingConfig.Mode), \"{mode}\""
        );
        return Err(Problem::violation(at, message));
    }
    if tools(body).is_empty() && mode.eq_ignore_ascii_case("ANY") {
        return Err(Problem::invalid(
            "Function calling config is set without function_declarations.",
        ));
    }
    Ok(())
}

/// Whether the prompt fits into the context.
pub(super) fn length(ask: &Ask) -> Checked {
    const CONTEXT: u64 = 1_048_576;
    match ask.prompt_tokens {
        ..=CONTEXT => Ok(()),
        tokens => Err(Problem::invalid(format!(
            "The input token count ({tokens}) exceeds the maximum number of tokens allowed ({CONTEXT})."
        ))),
    }
}

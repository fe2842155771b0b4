//! Parameters of a request that its answer is held against: limits, tools, tier, what was asked for.

use std::borrow::Cow;

use super::members::{items_at, named_members, text_at};
use crate::json::{JsonDocument, JsonKind, JsonValue};

/// Parameters in the body of a request. `None`: the request has none, or its body is not JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestParams {
    /// The model.
    pub model: Option<String>,
    /// Whether a stream was asked for.
    pub stream: Option<bool>,
    /// Whether token counts were asked for in a stream (`stream_options.include_usage`).
    pub include_usage: bool,
    /// Most output tokens of one choice.
    pub token_limit: Option<u64>,
    /// Number of choices.
    pub choices: Option<u64>,
    /// The service tier.
    pub service_tier: Option<String>,
    /// Names of the offered tools; `None` where the request does not say which tools the model has.
    pub tools: Option<Vec<String>>,
    /// Whether the request requires a tool call (`tool_choice` other than `auto` and `none`).
    pub forces_tool: bool,
    /// Form of the vectors of embeddings (`encoding_format`).
    pub encoding_format: Option<String>,
    /// Whether the request has a prompt that is not empty.
    pub has_prompt: bool,
    /// Whether no answer is asked for: the server only prepares itself (`generate: false`, Responses over WebSocket).
    pub is_warm_up: bool,
}

/// Members with the most output tokens, where they are at the top.
const LIMITS: &[&str] = &["max_completion_tokens", "max_tokens", "max_output_tokens"];

/// Members with the most output tokens inside an object: Gemini, Ollama, Bedrock Converse.
const INNER_LIMITS: &[(&str, &str)] = &[
    ("generationConfig", "maxOutputTokens"),
    ("generation_config", "max_output_tokens"),
    ("options", "num_predict"),
    ("inferenceConfig", "maxTokens"),
];

/// Members that hold the prompt in some dialect.
const PROMPTS: &[&str] = &["messages", "input", "contents", "prompt", "message"];

/// Members that refer to tools, or messages with tools, which the server keeps.
const STORED: &[&str] = &[
    "previous_response_id",
    "conversation",
    "prompt",
    "cachedContent",
];

impl RequestParams {
    /// Reads the body of a request: JSON, or a form (RFC 7578) whose fields `model` and `stream` are read.
    pub(super) fn read_body(body: &[u8]) -> Self {
        if let Ok(document) = JsonDocument::parse(body) {
            return Self::read(document.root());
        }
        Self {
            model: form_field(body, b"name=\"model\""),
            stream: form_field(body, b"name=\"stream\"").map(|word| word == "true"),
            has_prompt: body.starts_with(b"--"),
            ..Self::default()
        }
    }

    fn read(root: JsonValue<'_>) -> Self {
        let usage = root
            .get("stream_options")
            .and_then(|options| options.get("include_usage"));
        let inner = |(outer, key): &(&str, &str)| root.get(outer)?.get(key)?.as_u64();
        let limit = LIMITS.iter().find_map(|key| root.get(key)?.as_u64());
        let config = root.get("generationConfig");
        let candidates = config.and_then(|config| config.get("candidateCount"));
        let text = |key| text_at(root, key).map(Cow::into_owned);
        Self {
            model: root
                .get("model")
                .and_then(JsonValue::as_str)
                .map(Cow::into_owned),
            stream: root.get("stream").and_then(JsonValue::as_bool),
            include_usage: usage.is_some_and(|usage| usage.kind() == JsonKind::True),
            token_limit: limit.or_else(|| INNER_LIMITS.iter().find_map(inner)),
            choices: root.get("n").or(candidates).and_then(JsonValue::as_u64),
            service_tier: text("service_tier"),
            tools: offered_tools(root),
            forces_tool: forces_tool(root),
            encoding_format: text("encoding_format"),
            is_warm_up: root.get("generate").and_then(JsonValue::as_bool) == Some(false),
            has_prompt: PROMPTS
                .iter()
                .any(|key| root.get(key).is_some_and(|value| !is_empty(value))),
        }
    }
}

/// The value of a field of a multipart form, found by its name parameter.
fn form_field(body: &[u8], name: &[u8]) -> Option<String> {
    let body = body.starts_with(b"--").then_some(body)?;
    let after = body.get(memchr::memmem::find(body, name)?..)?;
    let value = after.get(memchr::memmem::find(after, b"\r\n\r\n")?.checked_add(4)?..)?;
    let value = value.get(..memchr::memmem::find(value, b"\r\n")?)?;
    String::from_utf8(value.to_vec()).ok()
}

fn is_empty(value: JsonValue<'_>) -> bool {
    match value.kind() {
        JsonKind::String => value.as_str().is_some_and(|text| text.is_empty()),
        JsonKind::Null => true,
        _ => value.is_empty(),
    }
}

/// Names of the tools that the request offers. `None` where the server may know of more.
fn offered_tools(root: JsonValue<'_>) -> Option<Vec<String>> {
    let is_stored = |key: &&str| {
        let value = root.get(key);
        value.is_some_and(|value| matches!(value.kind(), JsonKind::Object | JsonKind::String))
    };
    if STORED.iter().any(|key| is_stored(key) && *key != "prompt") || is_object(root.get("prompt"))
    {
        return None;
    }
    let mut names = Vec::new();
    for tool in ["tools", "functions"]
        .iter()
        .flat_map(|key| items_at(root, key))
    {
        let inner = ["function", "custom", "toolSpec"]
            .iter()
            .find_map(|key| tool.get(key));
        names.extend(text_at(inner.unwrap_or(tool), "name").map(Cow::into_owned));
        for (key, list) in named_members(tool) {
            if matches!(&*key, "functionDeclarations" | "function_declarations") {
                let declared = list.items().filter_map(|one| text_at(one, "name"));
                names.extend(declared.map(Cow::into_owned));
            }
        }
        // An MCP server has tools that the request does not name.
        if text_at(tool, "type").is_some_and(|kind| kind.starts_with("mcp")) {
            return None;
        }
    }
    Some(names)
}

fn is_object(value: Option<JsonValue<'_>>) -> bool {
    value.is_some_and(|value| value.kind() == JsonKind::Object)
}

fn forces_tool(root: JsonValue<'_>) -> bool {
    let Some(choice) = root
        .get("tool_choice")
        .or_else(|| root.get("function_call"))
    else {
        return false;
    };
    match choice.as_str() {
        Some(word) => !matches!(&*word, "auto" | "none"),
        None => {
            choice.kind() == JsonKind::Object && text_at(choice, "type").as_deref() != Some("auto")
        }
    }
}

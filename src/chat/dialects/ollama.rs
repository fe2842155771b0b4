//! Ollama `/api/chat` and `/api/generate`: JSON lines, the last with `"done":true` and the counts.
//! Source: ollama/ollama, `api/types.go`, `docs/api/*.mdx`.

use crate::chat::builder::AnswerBuilder;
use crate::chat::delta::DeltaKind;
use crate::chat::dialect::Dialect;
use crate::chat::members::named_members;
use crate::chat::profile::DialectProfile;
use crate::chat::prompt_order::{PromptOrder, PromptPart};
use crate::chat::tool_calls::ToolCallKey;
use crate::chat::usage;
use crate::json::{JsonKind, JsonValue};
use crate::sdk::SdkFamily;

/// Ollama's own API. Its copies of other APIs are read in their dialects.
pub(in crate::chat) struct OllamaDialect;

const PATH_REASON: &str = "the path is /api/chat or /api/generate";

static PROFILE: DialectProfile = DialectProfile {
    name: "ollama",
    paths: &[("/api/chat", PATH_REASON), ("/api/generate", PATH_REASON)],
    // No SDK of its own is known here.
    sdk_family: SdkFamily::Any,
    streams_lines: true,
    prompt_orders: &[PromptOrder {
        dialect: "ollama",
        parts: &[
            PromptPart::new("template", &[&["template"]]),
            PromptPart::SYSTEM,
            PromptPart::TOOLS,
            PromptPart::new("context", &[&["context"]]),
            PromptPart::MESSAGES,
            PromptPart::new("prompt", &[&["prompt"]]),
        ],
        note: "the model's template decides",
        ..PromptOrder::ASSUMED
    }],
    ..DialectProfile::BASE
};

impl Dialect for OllamaDialect {
    fn profile(&self) -> &'static DialectProfile {
        &PROFILE
    }

    fn recognise_body(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        (root.get("done").is_some() && root.get("created_at").is_some())
            .then_some("the body has done and created_at")
    }

    fn read_body(&self, root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        read_answer(root, builder);
    }

    fn recognise_request_body(&self, root: JsonValue<'_>) -> bool {
        let has = |key| root.get(key).is_some();
        has("messages") && (has("options") || has("keep_alive"))
    }
}

fn read_answer(root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    if root.get("done").is_none() {
        return;
    }
    builder.choice_mut(0);
    let mut done = false;
    for (key, value) in named_members(root) {
        match &*key {
            "model" => builder.set_model(value),
            "message" => read_message(value, builder),
            "response" => builder.push_text(0, value),
            "thinking" => builder.push_reasoning(0, value),
            "logprobs" if !value.is_empty() => builder.choice_mut(0).logprobs = true,
            "done" => done = value.kind() == JsonKind::True,
            _ => {}
        }
    }
    if done {
        read_last_line(root, builder);
    }
}

fn read_message(message: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    for (key, value) in named_members(message) {
        match &*key {
            "role" => builder.set_role(0, value),
            "content" => builder.push_text(0, value),
            "thinking" => builder.push_reasoning(0, value),
            "tool_calls" => value.items().for_each(|call| read_call(call, builder)),
            _ => {}
        }
    }
}

/// Reads a tool call. Ollama sends it whole, and its arguments as an object, not as a string.
fn read_call(call: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let Some(function) = call.get("function") else {
        return;
    };
    let mark = ToolCallKey {
        index: function.get("index").and_then(JsonValue::as_u64),
        id: call.get("id"),
        ..ToolCallKey::default()
    };
    builder.push_function(0, mark, function);
}

fn read_last_line(root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    if let Some(reason) = root.get("done_reason") {
        builder.set_finish(0, reason);
    }
    builder.replace_usage(root, usage::add_up_ollama);
    builder.record_times("", root);
    match builder.is_streamed() {
        true => builder.mark_done("done"),
        false => builder.emit_event(DeltaKind::Done, "done"),
    }
}

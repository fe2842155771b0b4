//! Anthropic Messages. Source: anthropics/anthropic-sdk-python, `types/message.py`, `types/raw_*_event.py`.
//!
//! ```text
//! message_start (content_block_start content_block_delta* content_block_stop)* message_delta message_stop
//! ping: anywhere; error: instead of the rest
//! ```

use crate::chat::builder::AnswerBuilder;
use crate::chat::delta::DeltaKind;
use crate::chat::dialect::{Dialect, ExchangeHeads};
use crate::chat::members::{items_at, named_members, text_at};
use crate::chat::profile::DialectProfile;
use crate::chat::prompt_order::{OrderBasis, PromptOrder, PromptPart, SpellingDifference};
use crate::chat::tool_calls::ToolCallKey;
use crate::chat::usage;
use crate::json::JsonValue;
use crate::sdk::SdkFamily;

/// Messages.
pub(in crate::chat) struct AnthropicDialect;

/// Parts of paths below which no message is answered, though the version is named there too, or the last part
/// is called so (stored chat completions, threads of assistants).
const OTHER_PATHS: &[&str] = &[
    "/completions",
    "/responses",
    "/threads/",
    "/models",
    "/batches",
    "/count_tokens",
    "/files",
    "/organizations",
];

static PROFILE: DialectProfile = DialectProfile {
    name: "anthropic-messages",
    sdk_family: SdkFamily::Anthropic,
    omits_empty_arguments: true,
    caches_marked_only: true,
    // "Cache prefixes are created in the following order: tools, system, then messages."
    prompt_orders: &[PromptOrder {
        dialect: "anthropic-messages",
        parts: &[PromptPart::TOOLS, PromptPart::SYSTEM, PromptPart::MESSAGES],
        basis: OrderBasis::Documented,
        note: "cache_control marks are no part of the prompt",
        source: "https://platform.claude.com/docs/en/build-with-claude/prompt-caching",
        // "Using a string for content is shorthand for an array of one content block of type text."
        // (<https://platform.claude.com/docs/en/api/messages>)
        same: &[SpellingDifference::Shorthand],
        // "Verify that the keys in your tool_use content blocks have stable ordering": the page on caching.
        breaks: &[SpellingDifference::KeyOrder],
        ..PromptOrder::ASSUMED
    }],
    // https://platform.claude.com/docs/en/build-with-claude/prompt-caching#what-invalidates-the-cache
    cache_notes: &[
        (
            "/tool_choice",
            "documented: tools and system stay cached, messages do not",
        ),
        ("/thinking", THINKING_DROPS),
        ("/output_config/effort", THINKING_DROPS),
        (
            "/speed",
            "documented: tools stay cached, system and messages do not",
        ),
    ],
    ..DialectProfile::BASE
};

const THINKING_DROPS: &str = "documented: messages fall out, on some models tools and system too";

impl Dialect for AnthropicDialect {
    fn profile(&self) -> &'static DialectProfile {
        &PROFILE
    }

    fn recognise_request(&self, asked: &ExchangeHeads<'_>) -> Option<&'static str> {
        if OTHER_PATHS.iter().any(|part| asked.path.contains(part)) {
            return None;
        }
        if asked.path_ends_with("/messages") {
            return Some("the path ends with /messages");
        }
        let version = !asked.request_field("anthropic-version").is_empty();
        version.then_some("the request names an anthropic-version")
    }

    fn recognise_body(&self, name: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        let kind = root.get("type").and_then(JsonValue::as_str);
        match kind.as_deref() {
            Some("message_start") => Some("the stream begins with message_start"),
            Some("message") if root.get("content").is_some() => {
                Some("the body calls itself a message")
            }
            Some("error") if name != b"error" && root.get("request_id").is_some() => {
                Some("the body calls itself an error, with a request_id")
            }
            _ => None,
        }
    }

    fn read_event(&self, name: &[u8], root: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
        let kind = text_at(root, "type");
        let kind = kind.unwrap_or_else(|| String::from_utf8_lossy(name));
        match &*kind {
            "message_start" => {
                gather.choice_mut(0);
                if let Some(message) = root.get("message") {
                    read_message_head(message, gather);
                }
            }
            "content_block_start" => start_block(root, gather),
            "content_block_delta" => read_block_delta(root, gather),
            "message_delta" => read_message_delta(root, gather),
            "message_stop" => gather.mark_done("message_stop"),
            "ping" => gather.emit_event(DeltaKind::Ping, ""),
            _ if gather.has_emitted => {}
            _ => gather.emit_event(DeltaKind::Other, &kind),
        }
    }

    fn read_body(&self, root: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
        if root.get("content").is_none() {
            return;
        }
        gather.choice_mut(0);
        for (n, block) in items_at(root, "content").enumerate() {
            read_block(n as u64, block, gather);
        }
        read_message_head(root, gather);
        read_stop(root, gather);
    }

    fn recognise_request_body(&self, root: JsonValue<'_>) -> bool {
        let has = |key| root.get(key).is_some();
        let tool = root.get("tools").and_then(|tools| tools.items().next());
        let schema = tool.is_some_and(|tool| tool.get("input_schema").is_some());
        has("messages") && (has("system") || has("anthropic_version") || schema)
    }
}

fn read_message_head(message: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
    for (key, value) in named_members(message) {
        match &*key {
            "id" => gather.set_id(value),
            "model" => gather.set_model(value),
            "role" => gather.set_role(0, value),
            "usage" => read_usage(value, gather),
            _ => {}
        }
    }
}

/// Later counts replace those of the same name; what they leave out stays.
fn read_usage(value: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
    if let Some(tier) = value.get("service_tier") {
        gather.set_service_tier(tier);
    }
    gather.merge_usage(value, usage::add_up_anthropic);
}

fn read_message_delta(root: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
    if let Some(value) = root.get("usage") {
        read_usage(value, gather);
    }
    if let Some(delta) = root.get("delta") {
        read_stop(delta, gather);
    }
}

fn read_stop(holder: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
    if let Some(reason) = holder.get("stop_reason") {
        gather.set_finish(0, reason);
    }
    let details = holder.get("stop_details");
    if let Some(explanation) = details.and_then(|details| details.get("explanation")) {
        gather.push_refusal(0, explanation);
    }
}

fn tool_call_key<'a>(index: u64, block: JsonValue<'a>) -> Option<ToolCallKey<'a>> {
    let kind = text_at(block, "type").unwrap_or_default();
    let ours = kind == "tool_use";
    (ours || kind.ends_with("tool_use")).then_some(ToolCallKey {
        index: Some(index),
        id: block.get("id"),
        name: block.get("name"),
        hosted: !ours,
        takes_text: false,
    })
}

fn block_index(root: JsonValue<'_>) -> u64 {
    root.get("index")
        .and_then(JsonValue::as_u64)
        .unwrap_or_default()
}

/// A block begins. The input of a tool is `{}` here whatever it will be.
fn start_block(root: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
    let Some(block) = root.get("content_block") else {
        return;
    };
    match tool_call_key(block_index(root), block) {
        Some(mark) => {
            gather.find_or_add_call(0, mark);
        }
        None => read_block_text(block, gather),
    }
}

/// Text, thoughts and citations that a block, or the start of one, holds.
fn read_block_text(block: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
    let kind = text_at(block, "type").unwrap_or_default();
    for (key, value) in named_members(block) {
        match (&*kind, &*key) {
            ("text", "text") => gather.push_text(0, value),
            ("thinking", "thinking") => gather.push_reasoning(0, value),
            ("text", "citations") => {
                for citation in value.items() {
                    gather.push_citation(0, citation);
                }
            }
            // Another model answers from here on.
            ("fallback", "model") => gather.set_model(value),
            _ => {}
        }
    }
}

fn read_block(index: u64, block: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
    let Some(mark) = tool_call_key(index, block) else {
        return read_block_text(block, gather);
    };
    let at = gather.find_or_add_call(0, mark);
    if let Some(input) = block.get("input") {
        gather.push_arguments(0, at, input);
    }
}

fn read_block_delta(root: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
    for (key, value) in root.get("delta").into_iter().flat_map(JsonValue::members) {
        let Some(key) = key.as_str() else { continue };
        match &*key {
            "text" => gather.push_text(0, value),
            "thinking" => gather.push_reasoning(0, value),
            "partial_json" => {
                let mark = ToolCallKey {
                    index: Some(block_index(root)),
                    ..ToolCallKey::default()
                };
                let at = gather.find_or_add_call(0, mark);
                gather.push_arguments(0, at, value);
            }
            "citation" => gather.push_citation(0, value),
            _ => {}
        }
    }
}

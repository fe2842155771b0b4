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
use crate::chat::note::{Severity, rule};
use crate::chat::profile::{DialectProfile, EventNaming};
use crate::chat::prompt_order::{PromptOrder, PromptOrderBasis, PromptPart, SpellingDifference};
use crate::chat::stream_state::{MAX_OPEN_BLOCKS, OpenBlock};
use crate::chat::tool_calls::ToolCallKey;
use crate::chat::usage;
use crate::json::JsonValue;
use crate::sdk::SdkFamily;

/// Anthropic Messages.
pub(in crate::chat) struct AnthropicDialect;

/// Parts of paths of other APIs that also have an `anthropic-version` field or end with `/messages` (stored chat
/// completions, threads of assistants).
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

/// Names of the events of a stream.
const KNOWN_EVENTS: &[&str] = &[
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "ping",
    "error",
];

static PROFILE: DialectProfile = DialectProfile {
    name: "anthropic-messages",
    sdk_family: SdkFamily::Anthropic,
    event_naming: EventNaming::ByType {
        when_missing: Severity::Error,
    },
    errors_are_objects: true,
    calls_have_ids: true,
    finish_names_calls: true,
    omits_empty_arguments: true,
    caches_marked_only: true,
    // "Cache prefixes are created in the following order: tools, system, then messages."
    prompt_orders: &[PromptOrder {
        dialect: "anthropic-messages",
        parts: &[PromptPart::TOOLS, PromptPart::SYSTEM, PromptPart::MESSAGES],
        basis: PromptOrderBasis::Documented,
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

    fn read_event(&self, name: &[u8], root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        let kind = text_at(root, "type");
        let kind = kind.unwrap_or_else(|| String::from_utf8_lossy(name));
        match &*kind {
            "message_start" => {
                builder.choice_mut(0);
                if let Some(message) = root.get("message") {
                    read_message_head(message, builder);
                }
            }
            "content_block_start" => start_block(root, builder),
            "content_block_delta" => read_block_delta(root, builder),
            "content_block_stop" => {
                let index = block_index(root);
                builder
                    .state
                    .open_blocks
                    .retain(|block| block.index != index);
                builder.emit_event(DeltaKind::Other, &kind);
            }
            "message_delta" => read_message_delta(root, builder),
            "message_stop" => {
                note_open_blocks(builder);
                builder.mark_done("message_stop");
            }
            "ping" => builder.emit_event(DeltaKind::Ping, ""),
            _ if builder.has_emitted => {}
            _ => builder.emit_event(DeltaKind::Other, &kind),
        }
    }

    fn knows_event(&self, name: &[u8]) -> bool {
        KNOWN_EVENTS.iter().any(|known| known.as_bytes() == name)
    }

    fn read_body(&self, root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        if root.get("content").is_none() {
            return;
        }
        builder.choice_mut(0);
        for (n, block) in items_at(root, "content").enumerate() {
            read_block(n as u64, block, builder);
        }
        read_message_head(root, builder);
        read_stop(root, builder);
    }

    fn recognise_request_body(&self, root: JsonValue<'_>) -> bool {
        let has = |key| root.get(key).is_some();
        let tool = root.get("tools").and_then(|tools| tools.items().next());
        let schema = tool.is_some_and(|tool| tool.get("input_schema").is_some());
        has("messages") && (has("system") || has("anthropic_version") || schema)
    }
}

fn read_message_head(message: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    for (key, value) in named_members(message) {
        match &*key {
            "id" => builder.set_id(value),
            "model" => builder.set_model(value),
            "role" => builder.set_role(0, value),
            "usage" => read_usage(value, builder),
            _ => {}
        }
    }
}

/// Reads token counts. Later counts replace those of the same name; others stay.
fn read_usage(value: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    if let Some(tier) = value.get("service_tier") {
        builder.set_service_tier(tier);
    }
    builder.merge_usage(value, usage::add_up_anthropic);
}

fn read_message_delta(root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    match root.get("usage") {
        Some(value) => read_usage(value, builder),
        None => builder.note(
            rule::ANTHROPIC_DELTA_USAGE_MISSING,
            builder.event_place(),
            vec![],
        ),
    }
    if let Some(delta) = root.get("delta") {
        read_stop(delta, builder);
    }
}

fn read_stop(holder: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    if let Some(reason) = holder.get("stop_reason") {
        builder.set_finish(0, reason);
    }
    let details = holder.get("stop_details");
    if let Some(explanation) = details.and_then(|details| details.get("explanation")) {
        builder.push_refusal(0, explanation);
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

/// Reads the start of a block. The input of a tool is always `{}` here.
fn start_block(root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let Some(block) = root.get("content_block") else {
        return;
    };
    open_block(block_index(root), block, builder);
    match tool_call_key(block_index(root), block) {
        Some(mark) => {
            builder.find_or_add_call(0, mark);
        }
        None => read_block_text(block, builder),
    }
}

/// Records that a block is open, and notes an index that is open already.
fn open_block(index: u64, block: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let place = builder.event_place();
    let blocks = &mut builder.state.open_blocks;
    let before = blocks.len();
    blocks.retain(|block| block.index != index);
    let is_reused = blocks.len() < before;
    if blocks.len() < MAX_OPEN_BLOCKS {
        let kind = text_at(block, "type").unwrap_or_default().into_owned();
        blocks.push(OpenBlock { index, kind, place });
    }
    if is_reused {
        let facts = vec![("index", index.to_string())];
        builder.note(rule::ANTHROPIC_BLOCK_INDEX_REUSED, place, facts);
    }
}

/// Notes blocks that are still open at the end of the message.
fn note_open_blocks(builder: &mut AnswerBuilder<'_>) {
    for block in std::mem::take(&mut builder.state.open_blocks) {
        let facts = vec![("index", block.index.to_string())];
        builder.note(rule::ANTHROPIC_BLOCK_NOT_CLOSED, block.place, facts);
    }
}

/// Notes a delta for a block that is not open, or that has another type.
fn note_stray_delta(root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let index = block_index(root);
    let delta = root.get("delta");
    let kind = delta
        .and_then(|delta| text_at(delta, "type"))
        .unwrap_or_default();
    let wanted = match &*kind {
        "text_delta" | "citations_delta" => "text",
        "thinking_delta" | "signature_delta" => "thinking",
        "input_json_delta" => "tool_use",
        _ => "",
    };
    let block = builder
        .state
        .open_blocks
        .iter()
        .find(|block| block.index == index);
    let fits = block.is_some_and(|block| block.kind.ends_with(wanted));
    if !fits {
        let block = block.map_or("none", |block| &block.kind).to_owned();
        let facts = vec![
            ("index", index.to_string()),
            ("delta", kind.into_owned()),
            ("block", block),
        ];
        let place = builder.event_place();
        builder.note(rule::ANTHROPIC_DELTA_WITHOUT_BLOCK, place, facts);
    }
}

/// Reads text, thoughts and citations from a content block or the start of one.
fn read_block_text(block: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let kind = text_at(block, "type").unwrap_or_default();
    for (key, value) in named_members(block) {
        match (&*kind, &*key) {
            ("text", "text") => builder.push_text(0, value),
            ("thinking", "thinking") => builder.push_reasoning(0, value),
            ("text", "citations") => {
                for citation in value.items() {
                    builder.push_citation(0, citation);
                }
            }
            // Another model answers from here on.
            ("fallback", "model") => builder.set_model(value),
            _ => {}
        }
    }
}

fn read_block(index: u64, block: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let Some(mark) = tool_call_key(index, block) else {
        return read_block_text(block, builder);
    };
    let at = builder.find_or_add_call(0, mark);
    if let Some(input) = block.get("input") {
        builder.push_arguments(0, at, input);
    }
}

fn read_block_delta(root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    note_stray_delta(root, builder);
    for (key, value) in root.get("delta").into_iter().flat_map(JsonValue::members) {
        let Some(key) = key.as_str() else { continue };
        match &*key {
            "text" => builder.push_text(0, value),
            "thinking" => builder.push_reasoning(0, value),
            "partial_json" => {
                let mark = ToolCallKey {
                    index: Some(block_index(root)),
                    ..ToolCallKey::default()
                };
                let at = builder.find_or_add_call(0, mark);
                builder.push_arguments(0, at, value);
            }
            "citation" => builder.push_citation(0, value),
            _ => {}
        }
    }
}

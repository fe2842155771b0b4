//! Anthropic Messages. Source: anthropics/anthropic-sdk-python, `types/message.py`, `types/raw_*_event.py`.
//!
//! ```text
//! message_start (content_block_start content_block_delta* content_block_stop)* message_delta message_stop
//! ping: anywhere; error: instead of the rest
//! ```

use crate::chat::calls::Mark;
use crate::chat::completion::Citation;
use crate::chat::delta::DeltaKind;
use crate::chat::dialect::{Asked, Dialect, Ends};
use crate::chat::gather::{Gather, filled};
use crate::chat::usage;
use crate::json::JsonValue;

/// Messages.
pub(in crate::chat) struct Anthropic;

/// Parts of paths below which no message is answered, though the version is named there too, or the last part
/// is called so (stored chat completions, threads of assistants).
const NO_ANSWERS: &[&str] = &[
    "/completions",
    "/responses",
    "/threads/",
    "/models",
    "/batches",
    "/count_tokens",
    "/files",
    "/organizations",
];

impl Dialect for Anthropic {
    fn name(&self) -> &'static str {
        "anthropic-messages"
    }

    fn asked(&self, asked: &Asked<'_>) -> Option<&'static str> {
        if NO_ANSWERS.iter().any(|part| asked.path.contains(part)) {
            return None;
        }
        if asked.path_ends("/messages") {
            return Some("the path ends with /messages");
        }
        let version = !asked.request("anthropic-version").is_empty();
        version.then_some("the request names an anthropic-version")
    }

    fn shown(&self, name: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
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

    fn event(&self, name: &[u8], root: JsonValue<'_>, gather: &mut Gather<'_>) {
        let kind = root.get("type").and_then(filled);
        let kind = kind.unwrap_or_else(|| String::from_utf8_lossy(name));
        match &*kind {
            "message_start" => {
                gather.choice(0);
                if let Some(message) = root.get("message") {
                    message_head(message, gather);
                }
            }
            "content_block_start" => start(root, gather),
            "content_block_delta" => delta(root, gather),
            "message_delta" => message_delta(root, gather),
            "message_stop" => gather.done("message_stop"),
            "ping" => gather.tell_event(DeltaKind::Ping, ""),
            _ if gather.told => {}
            _ => gather.tell_event(DeltaKind::Other, &kind),
        }
    }

    fn body(&self, root: JsonValue<'_>, gather: &mut Gather<'_>) {
        if root.get("content").is_none() {
            return;
        }
        gather.choice(0);
        for (n, block) in root
            .get("content")
            .into_iter()
            .flat_map(JsonValue::items)
            .enumerate()
        {
            whole_block(n as u64, block, gather);
        }
        message_head(root, gather);
        stop(root, gather);
    }

    fn ends(&self, _: Option<&str>) -> Ends {
        Ends::Event
    }
}

fn message_head(message: JsonValue<'_>, gather: &mut Gather<'_>) {
    for (key, value) in message.members() {
        let Some(key) = key.as_str() else { continue };
        match &*key {
            "id" => gather.id(value),
            "model" => gather.model(value),
            "role" => gather.role(0, value),
            "usage" => counts(value, gather),
            _ => {}
        }
    }
}

/// Later counts replace those of the same name; what they leave out stays.
fn counts(value: JsonValue<'_>, gather: &mut Gather<'_>) {
    if let Some(tier) = value.get("service_tier") {
        gather.service_tier(tier);
    }
    gather.more_usage(value, usage::anthropic);
}

fn message_delta(root: JsonValue<'_>, gather: &mut Gather<'_>) {
    if let Some(value) = root.get("usage") {
        counts(value, gather);
    }
    if let Some(delta) = root.get("delta") {
        stop(delta, gather);
    }
}

fn stop(holder: JsonValue<'_>, gather: &mut Gather<'_>) {
    if let Some(reason) = holder.get("stop_reason") {
        gather.finish(0, reason);
    }
    let details = holder.get("stop_details");
    if let Some(explanation) = details.and_then(|details| details.get("explanation")) {
        gather.refusal(0, explanation);
    }
}

fn mark<'a>(index: u64, block: JsonValue<'a>) -> Option<Mark<'a>> {
    let kind = block.get("type").and_then(filled).unwrap_or_default();
    let ours = kind == "tool_use";
    (ours || kind.ends_with("tool_use")).then_some(Mark {
        index: Some(index),
        id: block.get("id"),
        name: block.get("name"),
        hosted: !ours,
        is_text: false,
    })
}

fn index(root: JsonValue<'_>) -> u64 {
    root.get("index")
        .and_then(JsonValue::as_u64)
        .unwrap_or_default()
}

/// A block begins. The input of a tool is `{}` here whatever it will be.
fn start(root: JsonValue<'_>, gather: &mut Gather<'_>) {
    let Some(block) = root.get("content_block") else {
        return;
    };
    match mark(index(root), block) {
        Some(mark) => {
            gather.call(0, mark);
        }
        None => words(block, gather),
    }
}

/// Text, thoughts and citations that a block, or the start of one, holds.
fn words(block: JsonValue<'_>, gather: &mut Gather<'_>) {
    let kind = block.get("type").and_then(filled).unwrap_or_default();
    for (key, value) in block.members() {
        let Some(key) = key.as_str() else { continue };
        match (&*kind, &*key) {
            ("text", "text") => gather.text(0, value),
            ("thinking", "thinking") => gather.reasoning(0, value),
            ("text", "citations") => {
                for citation in value.items() {
                    cite(citation, gather);
                }
            }
            // Another model answers from here on.
            ("fallback", "model") => gather.model(value),
            _ => {}
        }
    }
}

fn whole_block(index: u64, block: JsonValue<'_>, gather: &mut Gather<'_>) {
    let Some(mark) = mark(index, block) else {
        return words(block, gather);
    };
    let at = gather.call(0, mark);
    if let Some(input) = block.get("input") {
        gather.arguments(0, at, input);
    }
}

fn delta(root: JsonValue<'_>, gather: &mut Gather<'_>) {
    for (key, value) in root.get("delta").into_iter().flat_map(JsonValue::members) {
        let Some(key) = key.as_str() else { continue };
        match &*key {
            "text" => gather.text(0, value),
            "thinking" => gather.reasoning(0, value),
            "partial_json" => {
                let mark = Mark {
                    index: Some(index(root)),
                    ..Mark::default()
                };
                let at = gather.call(0, mark);
                gather.arguments(0, at, value);
            }
            "citation" => cite(value, gather),
            _ => {}
        }
    }
}

fn cite(value: JsonValue<'_>, gather: &mut Gather<'_>) {
    let word = |key| {
        value
            .get(key)
            .and_then(filled)
            .map(|text| text.into_owned())
    };
    let source = word("url")
        .or_else(|| word("file_id"))
        .or_else(|| word("source"))
        .or_else(|| word("document_title"));
    let found = Citation {
        source: source.unwrap_or_default(),
        title: word("title").or_else(|| word("document_title")),
        cited: word("cited_text"),
    };
    gather.citation(0, found, value);
}

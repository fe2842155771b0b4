//! Ollama `/api/chat` and `/api/generate`: JSON lines, the last with `"done":true` and the counts.
//! Source: ollama/ollama, `api/types.go`, `docs/api/*.mdx`.

use crate::chat::calls::Mark;
use crate::chat::delta::DeltaKind;
use crate::chat::dialect::{Asked, Dialect, Ends};
use crate::chat::gather::Gather;
use crate::chat::usage;
use crate::json::{JsonKind, JsonValue};

/// Ollama's own API; its others are read as those they follow.
pub(in crate::chat) struct Ollama;

impl Dialect for Ollama {
    fn name(&self) -> &'static str {
        "ollama"
    }

    fn asked(&self, asked: &Asked<'_>) -> Option<&'static str> {
        (asked.path_ends("/api/chat") || asked.path_ends("/api/generate"))
            .then_some("the path is /api/chat or /api/generate")
    }

    fn shown(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        (root.get("done").is_some() && root.get("created_at").is_some())
            .then_some("the body has done and created_at")
    }

    fn event(&self, _: &[u8], root: JsonValue<'_>, gather: &mut Gather<'_>) {
        read(root, gather);
    }

    fn body(&self, root: JsonValue<'_>, gather: &mut Gather<'_>) {
        read(root, gather);
    }

    fn ends(&self, _: Option<&str>) -> Ends {
        Ends::Event
    }
}

fn read(root: JsonValue<'_>, gather: &mut Gather<'_>) {
    if root.get("done").is_none() {
        return;
    }
    gather.choice(0);
    let mut done = false;
    for (key, value) in root.members() {
        let Some(key) = key.as_str() else { continue };
        match &*key {
            "model" => gather.model(value),
            "message" => message(value, gather),
            "response" => gather.text(0, value),
            "thinking" => gather.reasoning(0, value),
            "logprobs" if !value.is_empty() => gather.choice(0).logprobs = true,
            "done" => done = value.kind() == JsonKind::True,
            _ => {}
        }
    }
    if done {
        last(root, gather);
    }
}

fn message(message: JsonValue<'_>, gather: &mut Gather<'_>) {
    for (key, value) in message.members() {
        let Some(key) = key.as_str() else { continue };
        match &*key {
            "role" => gather.role(0, value),
            "content" => gather.text(0, value),
            "thinking" => gather.reasoning(0, value),
            "tool_calls" => value.items().for_each(|call| one_call(call, gather)),
            _ => {}
        }
    }
}

/// Calls come whole; their arguments are an object, not a string of one.
fn one_call(call: JsonValue<'_>, gather: &mut Gather<'_>) {
    let Some(function) = call.get("function") else {
        return;
    };
    let mark = Mark {
        index: function.get("index").and_then(JsonValue::as_u64),
        id: call.get("id"),
        ..Mark::default()
    };
    gather.function(0, mark, function);
}

fn last(root: JsonValue<'_>, gather: &mut Gather<'_>) {
    if let Some(reason) = root.get("done_reason") {
        gather.finish(0, reason);
    }
    gather.usage(root, usage::ollama);
    gather.times("", root);
    match gather.is_streamed() {
        true => gather.done("done"),
        false => gather.tell_event(DeltaKind::Done, "done"),
    }
}

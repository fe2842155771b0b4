//! Cohere `/v1/chat` and `/v2/chat`. Source: docs.cohere.com, Chat API reference.

use crate::chat::calls::Mark;
use crate::chat::delta::DeltaKind;
use crate::chat::dialect::{Asked, Dialect, Ends};
use crate::chat::gather::{Gather, filled};
use crate::chat::usage;
use crate::json::JsonValue;

/// Cohere's own API.
pub(in crate::chat) struct Cohere;

impl Dialect for Cohere {
    fn name(&self) -> &'static str {
        "cohere"
    }

    fn asked(&self, asked: &Asked<'_>) -> Option<&'static str> {
        let path = asked.path_ends("/v1/chat") || asked.path_ends("/v2/chat");
        path.then_some("the path is /v1/chat or /v2/chat")
    }

    fn shown(&self, _: &[u8], _: JsonValue<'_>) -> Option<&'static str> {
        None
    }

    fn event(&self, _: &[u8], root: JsonValue<'_>, gather: &mut Gather<'_>) {
        let kind = root.get("type").and_then(filled).unwrap_or_default();
        let delta = root.get("delta").unwrap_or(root);
        let index = root.get("index").and_then(JsonValue::as_u64);
        match &*kind {
            "message-start" | "content-start" | "content-delta" | "tool-plan-delta" => {
                if let Some(id) = root.get("id") {
                    gather.id(id);
                }
                message(delta.get("message").unwrap_or(delta), index, gather);
            }
            "tool-call-start" | "tool-call-delta" => {
                message(delta.get("message").unwrap_or(delta), index, gather);
            }
            "message-end" => {
                finish(delta, gather);
                gather.done("message-end");
            }
            _ => gather.tell_event(DeltaKind::Other, &kind),
        }
    }

    fn body(&self, root: JsonValue<'_>, gather: &mut Gather<'_>) {
        for key in ["id", "generation_id"] {
            if let Some(id) = root.get(key).filter(|_| gather.completion.id.is_none()) {
                gather.id(id);
            }
        }
        if let Some(inner) = root.get("message").filter(|inner| inner.as_str().is_none()) {
            message(inner, None, gather);
        }
        if let Some(text) = root.get("text") {
            gather.text(0, text);
        }
        finish(root, gather);
    }

    fn ends(&self, _: Option<&str>) -> Ends {
        Ends::Event
    }
}

fn message(message: JsonValue<'_>, index: Option<u64>, gather: &mut Gather<'_>) {
    for (key, value) in message.members() {
        let Some(key) = key.as_str() else { continue };
        match &*key {
            "role" => gather.role(0, value),
            "tool_plan" => gather.reasoning(0, value),
            "content" => parts(value, gather),
            "tool_calls" if value.items().next().is_some() => {
                for (n, call) in value.items().enumerate() {
                    one_call(n as u64, call, gather);
                }
            }
            "tool_calls" => one_call(index.unwrap_or_default(), value, gather),
            _ => {}
        }
    }
}

/// A list of parts in a whole answer, one part in a stream.
fn parts(content: JsonValue<'_>, gather: &mut Gather<'_>) {
    let one = content
        .get("text")
        .or_else(|| content.get("thinking"))
        .map(|_| content);
    for part in content.items().chain(one) {
        if let Some(text) = part.get("text") {
            gather.text(0, text);
        }
        if let Some(thinking) = part.get("thinking") {
            gather.reasoning(0, thinking);
        }
    }
}

fn one_call(index: u64, call: JsonValue<'_>, gather: &mut Gather<'_>) {
    let Some(function) = call.get("function") else {
        return;
    };
    let mark = Mark {
        index: Some(index),
        id: call.get("id"),
        ..Mark::default()
    };
    gather.function(0, mark, function);
}

fn finish(holder: JsonValue<'_>, gather: &mut Gather<'_>) {
    if let Some(reason) = holder.get("finish_reason") {
        gather.finish(0, reason);
    }
    if let Some(counts) = holder.get("usage").or_else(|| holder.get("meta")) {
        gather.usage(counts, usage::cohere);
    }
}

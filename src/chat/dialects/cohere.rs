//! Cohere `/v1/chat` and `/v2/chat`. Source: docs.cohere.com, Chat API reference.

use crate::chat::builder::AnswerBuilder;
use crate::chat::delta::DeltaKind;
use crate::chat::dialect::Dialect;
use crate::chat::members::{named_members, text_at};
use crate::chat::profile::DialectProfile;
use crate::chat::prompt_order::{PromptOrder, PromptPart};
use crate::chat::tool_calls::ToolCallKey;
use crate::chat::usage;
use crate::json::JsonValue;
use crate::sdk::SdkFamily;

/// Cohere Chat.
pub(in crate::chat) struct CohereDialect;

const PATH_REASON: &str = "the path is /v1/chat or /v2/chat";

static PROFILE: DialectProfile = DialectProfile {
    name: "cohere",
    paths: &[("/v1/chat", PATH_REASON), ("/v2/chat", PATH_REASON)],
    // No SDK of its own is known here.
    sdk_family: SdkFamily::Any,
    prompt_orders: &[PromptOrder {
        dialect: "cohere",
        parts: &[
            PromptPart::TOOLS,
            PromptPart::new("documents", &[&["documents"]]),
            PromptPart::new("response_format", &[&["response_format"]]),
            PromptPart::MESSAGES,
        ],
        note: "no document tells",
        ..PromptOrder::ASSUMED
    }],
    ..DialectProfile::BASE
};

impl Dialect for CohereDialect {
    fn profile(&self) -> &'static DialectProfile {
        &PROFILE
    }

    fn read_event(&self, _: &[u8], root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        let kind = text_at(root, "type").unwrap_or_default();
        let delta = root.get("delta").unwrap_or(root);
        let index = root.get("index").and_then(JsonValue::as_u64);
        match &*kind {
            "message-start" | "content-start" | "content-delta" | "tool-plan-delta" => {
                if let Some(id) = root.get("id") {
                    builder.set_id(id);
                }
                read_message(delta.get("message").unwrap_or(delta), index, builder);
            }
            "tool-call-start" | "tool-call-delta" => {
                read_message(delta.get("message").unwrap_or(delta), index, builder);
            }
            "message-end" => {
                read_finish(delta, builder);
                builder.mark_done("message-end");
            }
            _ => builder.emit_event(DeltaKind::Other, &kind),
        }
    }

    fn read_body(&self, root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        for key in ["id", "generation_id"] {
            if let Some(id) = root.get(key).filter(|_| builder.completion.id.is_none()) {
                builder.set_id(id);
            }
        }
        if let Some(inner) = root.get("message").filter(|inner| inner.as_str().is_none()) {
            read_message(inner, None, builder);
        }
        if let Some(text) = root.get("text") {
            builder.push_text(0, text);
        }
        read_finish(root, builder);
    }
}

fn read_message(message: JsonValue<'_>, index: Option<u64>, builder: &mut AnswerBuilder<'_>) {
    for (key, value) in named_members(message) {
        match &*key {
            "role" => builder.set_role(0, value),
            "tool_plan" => builder.push_reasoning(0, value),
            "content" => read_parts(value, builder),
            "tool_calls" if value.items().next().is_some() => {
                for (n, call) in value.items().enumerate() {
                    read_call(n as u64, call, builder);
                }
            }
            "tool_calls" => read_call(index.unwrap_or_default(), value, builder),
            _ => {}
        }
    }
}

/// Reads the content parts: a list in a whole answer, one part in a stream event.
fn read_parts(content: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let one = content
        .get("text")
        .or_else(|| content.get("thinking"))
        .map(|_| content);
    for part in content.items().chain(one) {
        if let Some(text) = part.get("text") {
            builder.push_text(0, text);
        }
        if let Some(thinking) = part.get("thinking") {
            builder.push_reasoning(0, thinking);
        }
    }
}

fn read_call(index: u64, call: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let Some(function) = call.get("function") else {
        return;
    };
    let mark = ToolCallKey {
        index: Some(index),
        id: call.get("id"),
        ..ToolCallKey::default()
    };
    builder.push_function(0, mark, function);
}

fn read_finish(holder: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    if let Some(reason) = holder.get("finish_reason") {
        builder.set_finish(0, reason);
    }
    if let Some(counts) = holder.get("usage").or_else(|| holder.get("meta")) {
        builder.replace_usage(counts, usage::add_up_cohere);
    }
}

//! Amazon Bedrock: Converse and ConverseStream, the models that use their form under InvokeModel (Amazon Nova), and those
//! with a small form of their own there (Llama, Titan, Mistral). Other models keep the form of their own API.
//! Source: the API pages of Bedrock Runtime, `Converse` and `ConverseStream`; its guide, "Inference request parameters".
//!
//! ```text
//! messageStart (contentBlockStart? contentBlockDelta* contentBlockStop)* messageStop metadata     (frames of AWS)
//! ```

use crate::chat::builder::AnswerBuilder;
use crate::chat::delta::DeltaKind;
use crate::chat::dialect::Dialect;
use crate::chat::members::{items_at, named_members};
use crate::chat::profile::{DialectProfile, EndSignal};
use crate::chat::prompt_order::{PromptOrder, PromptPart};
use crate::chat::tool_calls::ToolCallKey;
use crate::chat::usage;
use crate::json::JsonValue;
use crate::sdk::SdkFamily;

/// Amazon Bedrock Converse.
pub(in crate::chat) struct ConverseDialect;

static PROFILE: DialectProfile = DialectProfile {
    name: "bedrock-converse",
    paths: &[
        ("/converse", "the path ends with /converse"),
        ("/converse-stream", "the path ends with /converse-stream"),
    ],
    provider: Some("bedrock"),
    // The AWS SDKs are not known here.
    sdk_family: SdkFamily::Any,
    calls_have_ids: true,
    finish_names_calls: true,
    omits_empty_arguments: true,
    caches_marked_only: true,
    prompt_orders: &[PromptOrder {
        dialect: "bedrock-converse",
        parts: &[
            PromptPart::new("toolConfig", &[&["toolConfig"]]),
            PromptPart::SYSTEM,
            PromptPart::MESSAGES,
        ],
        note: "as Anthropic has it; cachePoint marks are no part of the prompt",
        ..PromptOrder::ASSUMED
    }],
    ..DialectProfile::BASE
};

/// Models of Amazon Bedrock under InvokeModel that have no API of their own.
pub(in crate::chat) struct InvokeDialect;

static INVOKE_PROFILE: DialectProfile = DialectProfile {
    name: "bedrock-invoke",
    provider: Some("bedrock"),
    sdk_family: SdkFamily::Any,
    end_signal: EndSignal::AllFinished,
    ..DialectProfile::BASE
};

/// Bedrock's own counts, in the last event of a stream under InvokeModel.
const METRICS: &str = "amazon-bedrock-invocationMetrics";

/// Names of the events of a stream.
const EVENTS: &[&str] = &[
    "messageStart",
    "contentBlockStart",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
    "metadata",
];

impl Dialect for ConverseDialect {
    fn profile(&self) -> &'static DialectProfile {
        &PROFILE
    }

    fn recognise_body(&self, name: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        if name == b"messageStart" || root.get("messageStart").is_some() {
            return Some("the stream begins with messageStart");
        }
        let message = root.get("output")?.get("message")?;
        let is_own = message.get("content").is_some() && root.get("stopReason").is_some();
        is_own.then_some("the body has output.message and stopReason")
    }

    fn read_event(&self, name: &[u8], root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        let named = EVENTS.iter().find(|event| event.as_bytes() == name);
        if let Some(event) = named {
            return read_stream_event(event, root, builder);
        }
        // Under InvokeModel the name of the event is the key of its data.
        for (key, inner) in named_members(root) {
            if let Some(event) = EVENTS.iter().find(|event| **event == key) {
                read_stream_event(event, inner, builder);
            }
        }
    }

    fn read_body(&self, root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        if let Some(message) = root.get("output").and_then(|output| output.get("message")) {
            builder.choice_mut(0);
            if let Some(role) = message.get("role") {
                builder.set_role(0, role);
            }
            for (n, block) in items_at(message, "content").enumerate() {
                read_block(n as u64, block, builder);
            }
        }
        if let Some(reason) = root.get("stopReason") {
            builder.set_finish(0, reason);
        }
        read_metadata(root, builder);
    }

    fn recognise_request_body(&self, root: JsonValue<'_>) -> bool {
        let has = |key| root.get(key).is_some();
        has("messages") && (has("inferenceConfig") || has("toolConfig"))
    }
}

impl Dialect for InvokeDialect {
    fn profile(&self) -> &'static DialectProfile {
        &INVOKE_PROFILE
    }

    fn recognise_body(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        let inner = |key| root.get(key).and_then(|list| list.item_at(0));
        let is_llama = root.get("generation").is_some() && root.get("stop_reason").is_some();
        let is_titan = |value: JsonValue<'_>| value.get("outputText").is_some();
        let is_mistral = inner("outputs").is_some_and(|first| first.get("text").is_some());
        let is_own =
            is_llama || is_mistral || is_titan(root) || inner("results").is_some_and(is_titan);
        is_own.then_some(
            "the body has generation, outputText or outputs, as models under InvokeModel do",
        )
    }

    fn read_body(&self, root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        builder.choice_mut(0);
        let lists = items_at(root, "outputs").chain(items_at(root, "results"));
        for holder in lists.chain([root]) {
            for (key, value) in named_members(holder) {
                match &*key {
                    "generation" | "outputText" | "text" => builder.push_text(0, value),
                    "stop_reason" | "completionReason" => builder.set_finish(0, value),
                    _ => {}
                }
            }
        }
        let counts = root.get(METRICS).unwrap_or(root);
        if builder.choice_mut(0).finish.is_some() {
            builder.replace_usage(counts, usage::add_up_invoke);
        }
    }
}

fn read_stream_event(event: &str, root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let index = root.get("contentBlockIndex").and_then(JsonValue::as_u64);
    let index = index.unwrap_or_default();
    match event {
        "messageStart" => {
            builder.choice_mut(0);
            if let Some(role) = root.get("role") {
                builder.set_role(0, role);
            }
        }
        "contentBlockStart" | "contentBlockDelta" => {
            let block = root.get("start").or_else(|| root.get("delta"));
            block
                .into_iter()
                .for_each(|block| read_block(index, block, builder));
        }
        "messageStop" => {
            if let Some(reason) = root.get("stopReason") {
                builder.set_finish(0, reason);
            }
            builder.mark_done(event);
        }
        "metadata" => read_metadata(root, builder),
        _ => {}
    }
    if !builder.has_emitted {
        builder.emit_event(DeltaKind::Other, event);
    }
}

/// Reads a content block, its start, or a piece of it: all have the same members.
fn read_block(index: u64, block: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    for (key, value) in named_members(block) {
        match &*key {
            "text" => builder.push_text(0, value),
            "toolUse" => read_tool_use(index, value, builder),
            "reasoningContent" => {
                let text = value.get("text");
                if let Some(text) = text.or_else(|| value.get("reasoningText")?.get("text")) {
                    builder.push_reasoning(0, text);
                }
            }
            "citationsContent" => {
                let pieces = items_at(value, "content").filter_map(|piece| piece.get("text"));
                pieces.for_each(|text| builder.push_text(0, text));
                items_at(value, "citations").for_each(|one| builder.push_citation(0, one));
            }
            "citation" => builder.push_citation(0, value),
            _ => {}
        }
    }
}

fn read_tool_use(index: u64, call: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let key = ToolCallKey {
        index: Some(index),
        id: call.get("toolUseId"),
        name: call.get("name"),
        ..ToolCallKey::default()
    };
    let at = builder.find_or_add_call(0, key);
    if let Some(input) = call.get("input") {
        builder.push_arguments(0, at, input);
    }
}

/// Reads token counts, the service tier and the time that the server measured.
fn read_metadata(root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    if let Some(tier) = root.get("serviceTier").and_then(|tier| tier.get("type")) {
        builder.set_service_tier(tier);
    }
    if let Some(counts) = root.get("usage") {
        builder.replace_usage(counts, usage::add_up_converse);
    }
    if let Some(metrics) = root.get("metrics") {
        builder.record_times("", metrics);
    }
}

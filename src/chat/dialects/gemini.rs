//! Gemini `generateContent` and `streamGenerateContent`, at Google AI and on Vertex. Every event is a whole
//! `GenerateContentResponse`; there is no end mark. Source: googleapis/python-genai, `types.py`.

use crate::chat::builder::AnswerBuilder;
use crate::chat::dialect::Dialect;
use crate::chat::members::{items_at, named_members, non_empty_str, read_index, text_at};
use crate::chat::note::rule;
use crate::chat::profile::{DialectProfile, EndSignal, EventNaming};
use crate::chat::prompt_order::{PromptOrder, PromptPart};
use crate::chat::tool_calls::ToolCallKey;
use crate::chat::usage;
use crate::json::{JsonKind, JsonValue};
use crate::sdk::SdkFamily;

/// Gemini `generateContent`.
pub(in crate::chat) struct GeminiDialect;

const PATH_REASON: &str = "the path ends with generateContent";

static PROFILE: DialectProfile = DialectProfile {
    name: "gemini",
    paths: &[
        (":generateContent", PATH_REASON),
        (":streamGenerateContent", PATH_REASON),
    ],
    sdk_family: SdkFamily::Google,
    end_signal: EndSignal::AllFinished,
    event_naming: EventNaming::Unnamed,
    streams_arrays: true,
    // "The cached content is a prefix to the prompt"; the page says nothing of the other parts.
    prompt_orders: &[PromptOrder {
        dialect: "gemini",
        parts: &[
            PromptPart::new("cachedContent", &[&["cachedContent"], &["cached_content"]]),
            PromptPart::new(
                "systemInstruction",
                &[&["systemInstruction"], &["system_instruction"]],
            ),
            PromptPart::TOOLS,
            PromptPart::new("contents", &[&["contents"]]),
        ],
        note: "that cachedContent comes first is documented, the rest is not",
        source: "https://ai.google.dev/gemini-api/docs/generate-content/caching",
        ..PromptOrder::ASSUMED
    }],
    ..DialectProfile::BASE
};

impl Dialect for GeminiDialect {
    fn profile(&self) -> &'static DialectProfile {
        &PROFILE
    }

    fn recognise_body(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        let root = if root.kind() == JsonKind::Array {
            root.item_at(0)?
        } else {
            root
        };
        ["candidates", "promptFeedback", "usageMetadata"]
            .iter()
            .any(|key| root.get(key).is_some())
            .then_some("the body has candidates, promptFeedback or usageMetadata")
    }

    fn read_body(&self, root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        // The array of a stream, read as one text.
        match root.kind() {
            JsonKind::Array => root.items().for_each(|item| read_response(item, builder)),
            _ => read_response(root, builder),
        }
    }

    fn recognise_request_body(&self, root: JsonValue<'_>) -> bool {
        root.get("contents").is_some()
    }
}

fn read_response(root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    for (key, value) in named_members(root) {
        match &*key {
            "responseId" => builder.set_id(value),
            "modelVersion" => builder.set_model(value),
            "candidates" => read_candidates(value, builder),
            "promptFeedback" => read_prompt_feedback(value, builder),
            "usageMetadata" => read_usage(value, builder),
            _ => {}
        }
    }
}

fn read_usage(value: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    for tier in ["serviceTier", "trafficType"] {
        if let Some(tier) = value.get(tier) {
            builder.set_service_tier(tier);
            break;
        }
    }
    builder.replace_usage(value, usage::add_up_gemini);
}

/// Reads the feedback on a blocked prompt, whose answer has no candidates.
fn read_prompt_feedback(value: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    if let Some(reason) = text_at(value, "blockReason") {
        let place = builder.place_of(value);
        builder.set_finish_reason(0, &format!("blocked:{reason}"), place);
    }
}

fn read_candidates(list: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    for (n, candidate) in list.items().enumerate() {
        let place = u32::try_from(n).unwrap_or(u32::MAX);
        let index = read_index(candidate.get("index")).unwrap_or(place);
        builder.choice_mut(index);
        read_candidate(index, candidate, builder);
    }
}

fn read_candidate(index: u32, candidate: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    for (key, value) in named_members(candidate) {
        match &*key {
            "content" => read_content(index, value, builder),
            "avgLogprobs" | "logprobsResult" => builder.choice_mut(index).logprobs = true,
            "citationMetadata" => read_citations(index, value, builder),
            "groundingMetadata" => read_grounding(index, value, builder),
            _ => {}
        }
    }
    if let Some(reason) = candidate.get("finishReason") {
        builder.set_finish(index, reason);
    }
    if let Some(message) = text_at(candidate, "finishMessage") {
        let finish = builder.choice_mut(index).finish.as_mut();
        if let Some(finish) = finish {
            finish.message = Some(message.into_owned());
        }
    }
}

fn read_content(index: u32, content: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    if let Some(role) = content.get("role") {
        builder.set_role(index, role);
    }
    for part in items_at(content, "parts") {
        read_part(index, part, builder);
    }
}

fn read_part(index: u32, part: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let is_thought = part.get("thought").and_then(JsonValue::as_bool) == Some(true);
    if let Some(text) = part.get("text") {
        match is_thought {
            true => builder.push_reasoning(index, text),
            false => builder.push_text(index, text),
        }
    }
    if let Some(call) = part.get("functionCall") {
        read_function_call(index, call, builder);
    }
    let inline = part.get("inlineData");
    let is_image = |mime: &str| mime.starts_with("image/");
    let mime = inline.and_then(|inline| non_empty_str(inline.get("mimeType")?));
    let data = inline.and_then(|inline| inline.get("data"));
    if let Some(data) = data.filter(|_| mime.as_deref().is_some_and(is_image)) {
        builder.push_image(index, data);
    }
    if let Some(inline) = inline.filter(|_| mime.is_some_and(|mime| mime.starts_with("audio/"))) {
        builder.choice_mut(index).audio = true;
        if let Some(data) = inline.get("data") {
            builder.push_audio(index, data);
        }
    }
}

/// Reads a function call. It comes whole, or on Vertex also in pieces, one JSON path at a time.
fn read_function_call(index: u32, call: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let mark = ToolCallKey {
        id: call.get("id"),
        name: call.get("name"),
        ..ToolCallKey::default()
    };
    let at = builder.find_or_add_call(index, mark);
    if let Some(arguments) = call.get("args") {
        builder.push_arguments(index, at, arguments);
    }
    if call.get("partialArgs").is_some() {
        builder.note_once(rule::ARGUMENTS_IN_PIECES, builder.event_place(), vec![]);
    }
}

fn read_citations(index: u32, value: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let lists = ["citations", "citationSources"]
        .into_iter()
        .filter_map(|key| value.get(key));
    for source in lists.flat_map(JsonValue::items) {
        builder.push_citation(index, source);
    }
}

fn read_grounding(index: u32, value: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let chunks = value.get("groundingChunks");
    for chunk in chunks.into_iter().flat_map(JsonValue::items) {
        for (_, source) in chunk.members() {
            builder.push_citation(index, source);
        }
    }
}

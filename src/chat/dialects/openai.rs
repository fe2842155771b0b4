//! OpenAI Chat Completions, the older Completions, and all providers that use them: Azure, OpenRouter, Groq, DeepSeek,
//! Mistral, xAI, Perplexity, vLLM, llama.cpp, Together and others; their additions and deviations are read too.
//! Source: openai/openai-openapi, `CreateChatCompletionResponse` and `CreateChatCompletionStreamResponse`.
//!
//! ```text
//! chunk* usage-chunk? "[DONE]"
//! chunk = {choices:[{index, delta, finish_reason|null, logprobs?}], usage:null?}
//! delta = {role?, content?, refusal?, tool_calls?[{index, id?, function:{name?, arguments?}}], reasoning*?, audio?}
//! ```

use crate::chat::builder::AnswerBuilder;
use crate::chat::completion::Citation;
use crate::chat::dialect::{Dialect, ExchangeHeads};
use crate::chat::members::{named_members, non_empty_str, read_index};
use crate::chat::note::rule;
use crate::chat::profile::{DialectProfile, EndSignal, EventNaming};
use crate::chat::prompt_order::{PromptOrder, PromptOrderBasis, PromptPart};
use crate::chat::tool_calls::ToolCallKey;
use crate::chat::usage;
use crate::json::{JsonKind, JsonValue};

/// OpenAI Chat Completions at any provider except Azure.
pub(in crate::chat) struct ChatDialect;

/// OpenAI Chat Completions at Azure, which has paths, keys, errors and filters of its own.
pub(in crate::chat) struct AzureDialect;

static PROFILE: DialectProfile = DialectProfile {
    name: "openai-chat",
    paths: &[
        ("/chat/completions", "the path ends with /chat/completions"),
        ("/completions", "the path ends with /completions"),
    ],
    end_signal: EndSignal::DoneMark,
    event_naming: EventNaming::Unnamed,
    errors_are_objects: true,
    calls_have_ids: true,
    finish_names_calls: true,
    counts_on_request: true,
    prompt_orders: &[
        PromptOrder {
            providers: &["openai", "azure"],
            ..DOCUMENTED_ORDER
        },
        PromptOrder {
            basis: PromptOrderBasis::Assumed,
            note: "as OpenAI has it; elsewhere the model's template decides",
            source: "",
            ..DOCUMENTED_ORDER
        },
    ],
    ..DialectProfile::BASE
};

static AZURE_PROFILE: DialectProfile = DialectProfile {
    name: "azure-openai",
    provider: Some("azure"),
    end_signal: EndSignal::DoneMark,
    event_naming: EventNaming::Unnamed,
    errors_are_objects: true,
    calls_have_ids: true,
    finish_names_calls: true,
    counts_on_request: true,
    prompt_orders: &[PromptOrder {
        dialect: "azure-openai",
        ..DOCUMENTED_ORDER
    }],
    ..DialectProfile::BASE
};

const DOCUMENTED_ORDER: PromptOrder = PromptOrder {
    dialect: "openai-chat",
    parts: &[
        PromptPart::TOOLS,
        PromptPart::new(
            "response_format",
            &[&["response_format", "json_schema"], &["response_format"]],
        ),
        PromptPart::MESSAGES,
    ],
    basis: PromptOrderBasis::Documented,
    note: OPENAI_NOTE,
    source: OPENAI_SOURCE,
    ..PromptOrder::ASSUMED
};

/// "Tools, schemas, and their ordering contribute to the cached prefix - they get injected before developer
/// instructions"; which of tools and schema is first is not said. The page is about models before GPT-5.6; no page
/// says anything else of later ones.
pub(super) const OPENAI_SOURCE: &str =
    "https://developers.openai.com/cookbook/examples/prompt_caching_201";
pub(super) const OPENAI_NOTE: &str =
    "tools and schema before the instructions; which of the two is first is assumed";

impl Dialect for ChatDialect {
    fn profile(&self) -> &'static DialectProfile {
        &PROFILE
    }

    fn recognise_body(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        let object = root.get("object").and_then(JsonValue::as_str);
        match object.as_deref() {
            Some("chat.completion" | "chat.completion.chunk" | "chat.completion.done") => {
                Some("the body calls itself a chat.completion")
            }
            Some("text_completion") => Some("the body calls itself a text_completion"),
            _ => {
                let choices = root.get("choices")?;
                (choices.kind() == JsonKind::Array).then_some("the body has choices")
            }
        }
    }

    fn read_body(&self, root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        read_chunk(root, builder);
    }

    fn end_signal(&self, provider: Option<&str>) -> EndSignal {
        match provider {
            // Whether a mark follows its last object is not settled: take it as it comes.
            Some("perplexity") => EndSignal::AllFinished,
            _ => EndSignal::DoneMark,
        }
    }

    fn recognise_request_body(&self, root: JsonValue<'_>) -> bool {
        root.get("messages").is_some()
    }
}

impl Dialect for AzureDialect {
    fn profile(&self) -> &'static DialectProfile {
        &AZURE_PROFILE
    }

    fn recognise_request(&self, asked: &ExchangeHeads<'_>) -> Option<&'static str> {
        if !asked.path_ends_with("/completions") {
            return None;
        }
        if asked.path.contains("/openai/deployments/") {
            return Some("the path names a deployment");
        }
        if asked.provider() == Some("azure") {
            return Some("the host is one of Azure's");
        }
        let gateway = !asked.response_field("apim-request-id").is_empty();
        gateway.then_some("Azure's gateway answered (apim-request-id)")
    }

    fn recognise_body(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        root.get("prompt_filter_results")
            .map(|_| "the body has prompt_filter_results")
    }

    fn read_body(&self, root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        read_chunk(root, builder);
    }
}

/// Reads a whole answer or one chunk of a stream, which have the same members, in one pass over them.
fn read_chunk(root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    for (key, value) in named_members(root) {
        match &*key {
            "id" => builder.set_id(value),
            "model" => builder.set_model(value),
            "choices" => read_choices(value, builder),
            "usage" => read_usage(value, builder),
            "x_groq" => read_groq_member(value, builder),
            "service_tier" => builder.set_service_tier(value),
            "system_fingerprint" => builder.set_fingerprint(value),
            "provider" if value.kind() == JsonKind::String => set_provider(builder, "openrouter"),
            "time_info" => builder.record_times("time_info.", value),
            "timings" => {
                set_provider(builder, "llama.cpp");
                builder.record_times("timings.", value);
            }
            "citations" | "search_results" => read_sources(value, builder),
            _ => {}
        }
    }
    note_repeated_finish(builder);
}

/// Notes a finish reason that comes again. OpenRouter repeats it beside the token counts, which may come after it in the
/// chunk.
fn note_repeated_finish(builder: &mut AnswerBuilder<'_>) {
    let place = builder.event_place();
    let Some(word) = builder.state.repeated_finish.take() else {
        return;
    };
    if !builder.state.usage_is_here(place) {
        let facts = vec![("before", word.clone()), ("after", word)];
        builder.note(rule::CHAT_FINISH_TWICE, place, facts);
    }
}

/// Records the provider if the answer has a member that only this provider sends.
fn set_provider(builder: &mut AnswerBuilder<'_>, provider: &'static str) {
    builder.completion.provider.get_or_insert(provider);
}

/// Reads Groq's own member, which repeats the usage of a stream or is the only place that has it.
fn read_groq_member(value: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    set_provider(builder, "groq");
    if let Some(value) = value.get("usage") {
        read_usage(value, builder);
    }
}

/// Reads token counts, and the times that Groq puts among them.
fn read_usage(value: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    // Most chunks have none.
    if value.kind() != JsonKind::Object {
        return;
    }
    builder.replace_usage(value, usage::add_up_chat);
    builder.record_times("usage.", value);
}

fn read_choices(list: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    for (n, choice) in list.items().enumerate() {
        let place = u32::try_from(n).unwrap_or(u32::MAX);
        let index = read_index(choice.get("index")).unwrap_or(place);
        builder.choice_mut(index);
        read_choice(index, choice, builder);
    }
}

fn read_choice(index: u32, choice: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    // Perplexity sends the whole message beside each delta, and an empty delta beside a whole message.
    let wanted = if builder.is_streamed() {
        ["delta", "message"]
    } else {
        ["message", "delta"]
    };
    let found = wanted.into_iter().find(|key| choice.get(key).is_some());
    note_missing_delta(choice, builder);
    let mut finish = None;
    for (key, value) in named_members(choice) {
        match &*key {
            key if found == Some(key) => read_message(index, value, builder),
            "text" if found.is_none() => builder.push_text(index, value),
            "finish_reason" => finish = Some(value),
            "finishReason" => {
                builder.note(rule::CHAT_FINISH_MISSPELT, builder.event_place(), vec![]);
            }
            "logprobs" if value.kind() == JsonKind::Object => {
                builder.choice_mut(index).logprobs = true
            }
            _ => {}
        }
    }
    if let Some(finish) = finish {
        read_finish(index, finish, builder);
    }
}

fn read_finish(index: u32, value: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let Some(word) = value.as_str() else { return };
    let place = builder.event_place();
    if word.is_empty() {
        return builder.note_once(rule::CHAT_FINISH_EMPTY, place, vec![]);
    }
    let known = builder.choice_mut(index).finish.as_ref();
    let again = known.is_some_and(|known| known.named == word && known.place.event != place.event);
    if again && builder.is_streamed() {
        builder.state.repeated_finish = Some(word.clone().into_owned());
    }
    builder.set_finish(index, value);
}

/// Notes a choice of a stream without a delta. Azure sends such choices for late results of its filters.
fn note_missing_delta(choice: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let has = |key| {
        choice
            .get(key)
            .is_some_and(|value| value.kind() != JsonKind::Null)
    };
    let others = [
        "delta",
        "message",
        "text",
        "content_filter_results",
        "content_filter_offsets",
    ];
    if builder.is_streamed() && !others.into_iter().any(has) {
        builder.note_once(rule::CHAT_DELTA_MISSING, builder.event_place(), vec![]);
    }
}

fn read_message(index: u32, message: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let mut reasoning: Option<JsonValue<'_>> = None;
    for (key, value) in named_members(message) {
        match &*key {
            "role" => builder.set_role(index, value),
            "content" => read_content(index, value, builder),
            "refusal" => builder.push_refusal(index, value),
            // Two names for one thing: some send both.
            "reasoning_content" | "reasoning" => match reasoning {
                None => {
                    reasoning = Some(value).filter(|value| non_empty_str(*value).is_some());
                    builder.push_reasoning(index, value);
                }
                Some(before) if before.as_str() == value.as_str() => {
                    let place = builder.event_place();
                    builder.note_once(rule::CHAT_REASONING_IN_TWO_FIELDS, place, vec![]);
                }
                Some(_) => {}
            },
            "tool_calls" => read_tool_calls(index, value, builder),
            "function_call" if value.kind() == JsonKind::Object => {
                builder.push_function(index, ToolCallKey::default(), value);
            }
            "audio" if value.kind() == JsonKind::Object => read_audio(index, value, builder),
            "annotations" => read_annotations(index, value, builder),
            _ => {}
        }
    }
}

/// Reads audio. In a stream, the id and the expiry come in pieces without data.
fn read_audio(index: u32, value: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    builder.choice_mut(index).audio = true;
    if let Some(data) = value.get("data") {
        builder.push_audio(index, data);
    }
}

/// Reads the content of a message: a string, or parts, among them Mistral's `thinking`.
fn read_content(index: u32, value: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    builder.push_text(index, value);
    for part in value.items() {
        if let Some(thinking) = part.get("thinking") {
            builder.push_reasoning(index, thinking);
            for inner in thinking.items().filter_map(|inner| inner.get("text")) {
                builder.push_reasoning(index, inner);
            }
        } else if let Some(text) = part.get("text") {
            builder.push_text(index, text);
        } else if let Some(refusal) = part.get("refusal") {
            builder.push_refusal(index, refusal);
        }
    }
}

fn read_tool_calls(index: u32, list: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    for (n, call) in list.items().enumerate() {
        // A whole answer counts its calls by place. In a stream the place means nothing.
        let place = (!builder.is_streamed()).then_some(n as u64);
        let (function, custom) = (call.get("function"), call.get("custom"));
        let mark = ToolCallKey {
            index: call.get("index").and_then(JsonValue::as_u64).or(place),
            id: call.get("id"),
            takes_text: function.is_none() && custom.is_some(),
            ..ToolCallKey::default()
        };
        let inner = function.or(custom).unwrap_or(call);
        if inner.kind() == JsonKind::Object {
            if builder.is_streamed() && mark.index.is_none() {
                builder.note_once(rule::CHAT_TOOL_INDEX_MISSING, builder.event_place(), vec![]);
            }
            note_argument_form(inner, builder);
            builder.push_function(index, mark, inner);
        }
    }
}

/// Notes arguments that are an object, where the API has a string.
pub(super) fn note_argument_form(call: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    if let Some(arguments) = call
        .get("arguments")
        .filter(|value| value.kind() == JsonKind::Object)
    {
        builder.note(
            rule::CHAT_ARGUMENTS_OBJECT,
            builder.place_of(arguments),
            vec![],
        );
    }
}

fn read_annotations(index: u32, list: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    for annotation in list.items() {
        builder.push_citation(index, annotation.get("url_citation").unwrap_or(annotation));
    }
}

/// Reads Perplexity's sources of the whole answer: URLs, or search results with title and URL.
fn read_sources(list: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    for source in list.items() {
        match source.as_str() {
            Some(address) => {
                let citation = Citation {
                    source: address.into_owned(),
                    ..Citation::default()
                };
                builder.add_citation(0, citation, source);
            }
            None => builder.push_citation(0, source),
        }
    }
}

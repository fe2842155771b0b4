//! OpenAI Responses. Source: openai/openai-openapi, `Response` and `ResponseStreamEvent`.
//!
//! ```text
//! response.created (response.queued) response.in_progress
//!   (response.output_item.added parts-and-deltas response.output_item.done)*
//! response.completed | response.failed | response.incomplete        (holds the whole response)
//! ```

use super::openai::{OPENAI_NOTE, OPENAI_SOURCE};
use crate::chat::AnswerRetention;
use crate::chat::api_error::ApiError;
use crate::chat::builder::AnswerBuilder;
use crate::chat::completion::{AnswerChoice, AnswerNoteKind, Completion};
use crate::chat::delta::DeltaKind;
use crate::chat::dialect::{Dialect, ExchangeHeads};
use crate::chat::members::{items_at, named_members, non_empty_str, text_at};
use crate::chat::profile::DialectProfile;
use crate::chat::prompt_order::{OrderBasis, PromptOrder, PromptPart};
use crate::chat::tool_calls::ToolCallKey;
use crate::chat::usage;
use crate::json::{JsonKind, JsonValue};

/// Responses.
pub(in crate::chat) struct ResponsesDialect;

static PROFILE: DialectProfile = DialectProfile {
    name: "openai-responses",
    numbers_events: true,
    prompt_orders: &[
        PromptOrder {
            providers: &["openai", "azure"],
            basis: OrderBasis::Documented,
            note: OPENAI_NOTE,
            source: OPENAI_SOURCE,
            ..ASSUMED_ORDER
        },
        ASSUMED_ORDER,
    ],
    cache_notes: &[(
        "/prompt",
        "the server puts a stored prompt first: these bytes do not show it",
    )],
    ..DialectProfile::BASE
};

const ASSUMED_ORDER: PromptOrder = PromptOrder {
    dialect: "openai-responses",
    parts: &[
        PromptPart::TOOLS,
        PromptPart::new("text.format", &[&["text", "format"]]),
        PromptPart::new("instructions", &[&["instructions"]]),
        PromptPart::new("input", &[&["input"]]),
    ],
    note: "as OpenAI has it",
    ..PromptOrder::ASSUMED
};

impl Dialect for ResponsesDialect {
    fn profile(&self) -> &'static DialectProfile {
        &PROFILE
    }

    fn recognise_request(&self, asked: &ExchangeHeads<'_>) -> Option<&'static str> {
        let path = asked.path.trim_end_matches('/');
        let is_one = path.contains("/responses/resp_");
        (is_one || path.ends_with("/responses")).then_some("the path ends with /responses")
    }

    fn recognise_body(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        let is = |key, test: fn(&str) -> bool| {
            let text = root.get(key).and_then(JsonValue::as_str);
            text.is_some_and(|text| test(&text))
        };
        if is("object", |object| object == "response") {
            return Some("the body calls itself a response");
        }
        is("type", |kind| kind.starts_with("response."))
            .then_some("the type of an event begins with response.")
    }

    fn read_event(&self, _: &[u8], root: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
        let Some(kind) = text_at(root, "type") else {
            return;
        };
        match &*kind {
            "response.completed"
            | "response.failed"
            | "response.incomplete"
            | "response.cancelled" => read_last_event(&kind, root, gather),
            "response.created" | "response.in_progress" | "response.queued" => {
                if let Some(response) = root.get("response") {
                    gather.set_identity(response);
                }
                gather.emit_event(DeltaKind::Other, &kind);
            }
            _ => read_delta(&kind, root, gather),
        }
    }

    fn read_body(&self, root: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
        gather.set_identity(root);
        if root.get("output").is_none() && root.get("status").is_none() {
            return;
        }
        gather.choice_mut(0);
        for (n, item) in items_at(root, "output").enumerate() {
            read_output_item(n as u64, item, gather);
        }
        read_ending(root, gather);
    }

    fn recognise_request_body(&self, root: JsonValue<'_>) -> bool {
        root.get("messages").is_none() && root.get("input").is_some()
    }
}

/// What only a response that is over tells.
fn read_ending(response: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
    if let Some(counts) = response.get("usage") {
        gather.replace_usage(counts, usage::add_up_responses);
    }
    if let Some(error) = ApiError::from_error_key(response) {
        gather.push_error(error, gather.value_span(response));
    }
    let Some(status) = text_at(response, "status") else {
        return;
    };
    let details = response.get("incomplete_details");
    let reason = details.and_then(|details| non_empty_str(details.get("reason")?));
    let named = match reason {
        Some(reason) => format!("{status}:{reason}"),
        None => status.into_owned(),
    };
    gather.set_finish_reason(0, &named, gather.place.span);
}

/// The last event holds all again: what the pieces did not tell is taken from it, what differs is noted.
fn read_last_event(kind: &str, root: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
    gather.choice_mut(0);
    if let Some(response) = root.get("response") {
        gather.set_identity(response);
        merge_whole_response(response, gather);
        read_ending(response, gather);
    }
    gather.mark_done(kind);
}

fn merge_whole_response(response: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
    let mut whole = Completion::default();
    let mut quiet = AnswerBuilder {
        completion: &mut whole,
        sink: &mut (),
        retention: AnswerRetention::TextOnly,
        place: gather.place,
        has_emitted: false,
        spare_choice: AnswerChoice::default(),
    };
    let items = items_at(response, "output");
    let mut said = false;
    for (n, item) in items.enumerate() {
        said = true;
        read_output_item(n as u64, item, &mut quiet);
    }
    let Some(whole) = whole.choices.first().filter(|_| said) else {
        return;
    };
    let pieces = gather.choice_mut(0);
    let told = ReceivedPieces::from_choice(pieces);
    let differs = pieces.text_bytes != whole.text_bytes
        || (!pieces.text.is_empty() && pieces.text != whole.text);
    let items = items_at(response, "output");
    for (n, item) in items.enumerate() {
        if !told.covers(item) {
            read_output_item(n as u64, item, gather);
        }
    }
    if told.has_text && differs {
        let text = format!(
            "the pieces join to {} bytes of text, the last event holds {}",
            gather.choice_mut(0).text_bytes,
            whole.text_bytes
        );
        let span = gather.place.span;
        gather.push_note(AnswerNoteKind::PiecesDiffer, text, Some(span));
    }
}

/// Kinds of content already received in pieces; the last event repeats the whole answer.
#[derive(Clone, Copy)]
struct ReceivedPieces {
    /// Text, or a refusal.
    has_text: bool,
    has_reasoning: bool,
    has_calls: bool,
}

impl ReceivedPieces {
    fn from_choice(choice: &AnswerChoice) -> Self {
        Self {
            has_text: choice.text_bytes > 0 || choice.refusal.is_some(),
            has_reasoning: choice.reasoning_bytes > 0,
            has_calls: !choice.tool_calls.is_empty(),
        }
    }

    fn covers(self, item: JsonValue<'_>) -> bool {
        match &*text_at(item, "type").unwrap_or_default() {
            "message" => self.has_text,
            "reasoning" => self.has_reasoning,
            _ => self.has_calls,
        }
    }
}

/// One item of a whole response.
fn read_output_item(index: u64, item: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
    let kind = text_at(item, "type").unwrap_or_default();
    match &*kind {
        "message" => {
            if let Some(role) = item.get("role") {
                gather.set_role(0, role);
            }
            for part in items_at(item, "content") {
                read_content_part(part, gather);
            }
        }
        "reasoning" => {
            let parts = ["summary", "content"]
                .into_iter()
                .filter_map(|key| item.get(key));
            for text in parts
                .flat_map(JsonValue::items)
                .filter_map(|part| part.get("text"))
            {
                gather.push_reasoning(0, text);
            }
        }
        _ => {
            let at = find_or_add_call(index, &kind, item, gather);
            if let (Some(at), Some(arguments)) = (at, call_arguments(item)) {
                gather.push_arguments(0, at, arguments);
            }
        }
    }
}

fn call_arguments(item: JsonValue<'_>) -> Option<JsonValue<'_>> {
    ["arguments", "input", "action"]
        .into_iter()
        .find_map(|key| item.get(key))
}

fn read_content_part(part: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
    for (key, value) in named_members(part) {
        match &*key {
            "text" => gather.push_text(0, value),
            "refusal" => gather.push_refusal(0, value),
            "logprobs" if !value.is_empty() => gather.choice_mut(0).logprobs = true,
            "annotations" => {
                for annotation in value.items() {
                    gather.push_citation(0, annotation);
                }
            }
            _ => {}
        }
    }
}

/// A tool call among the items: functions and custom tools wait for us, all others run at the provider.
fn find_or_add_call(
    index: u64,
    kind: &str,
    item: JsonValue<'_>,
    gather: &mut AnswerBuilder<'_>,
) -> Option<usize> {
    if !kind.ends_with("_call") {
        return None;
    }
    let ours = matches!(kind, "function_call" | "custom_tool_call");
    let name = item
        .get("name")
        .or_else(|| item.get("type").filter(|_| !ours));
    let id = item.get("call_id").or_else(|| item.get("id"));
    Some(gather.find_or_add_call(
        0,
        ToolCallKey {
            index: Some(index),
            id,
            name,
            hosted: !ours,
            takes_text: kind == "custom_tool_call",
        },
    ))
}

fn read_delta(kind: &str, root: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
    gather.choice_mut(0);
    let index = root.get("output_index").and_then(JsonValue::as_u64);
    let piece = root.get("delta");
    match (kind, piece) {
        ("response.output_text.delta", Some(piece)) => {
            gather.push_text(0, piece);
            if root.get("logprobs").is_some_and(|list| !list.is_empty()) {
                gather.choice_mut(0).logprobs = true;
            }
        }
        ("response.refusal.delta", Some(piece)) => gather.push_refusal(0, piece),
        (
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta",
            Some(piece),
        ) => {
            gather.push_reasoning(0, piece);
        }
        ("response.audio.delta", Some(piece)) => gather.push_audio(0, piece),
        (
            "response.function_call_arguments.delta"
            | "response.custom_tool_call_input.delta"
            | "response.mcp_call_arguments.delta",
            Some(piece),
        ) => {
            let at = gather.find_or_add_call(
                0,
                ToolCallKey {
                    index,
                    ..ToolCallKey::default()
                },
            );
            gather.push_arguments(0, at, piece);
        }
        _ => read_other_event(kind, index, root, gather),
    }
}

fn read_other_event(
    kind: &str,
    index: Option<u64>,
    root: JsonValue<'_>,
    gather: &mut AnswerBuilder<'_>,
) {
    let item = root
        .get("item")
        .filter(|item| item.kind() == JsonKind::Object);
    match (kind, item) {
        ("response.output_item.added", Some(item)) => start_item(index, item, gather),
        ("response.output_item.done", Some(item)) => finish_item(index, item, gather),
        ("response.output_text.annotation.added", _) => {
            if let Some(annotation) = root.get("annotation") {
                gather.push_citation(0, annotation);
            }
        }
        _ => {}
    }
    gather.emit_event(DeltaKind::Other, kind);
}

fn start_item(index: Option<u64>, item: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
    let kind = text_at(item, "type").unwrap_or_default();
    if let Some(role) = item.get("role").filter(|_| kind == "message") {
        gather.set_role(0, role);
    }
    find_or_add_call(index.unwrap_or_default(), &kind, item, gather);
}

/// The arguments of a call whose pieces were not sent, or of which the start was not.
fn finish_item(index: Option<u64>, item: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
    let kind = text_at(item, "type").unwrap_or_default();
    let Some(at) = find_or_add_call(index.unwrap_or_default(), &kind, item, gather) else {
        return;
    };
    let calls = &gather.choice_mut(0).tool_calls;
    let silent = calls.get(at).is_some_and(|call| call.argument_bytes == 0);
    if let Some(arguments) = call_arguments(item).filter(|_| silent) {
        gather.push_arguments(0, at, arguments);
    }
}

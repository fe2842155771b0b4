//! OpenAI Responses. Source: openai/openai-openapi, `Response` and `ResponseStreamEvent`.
//!
//! ```text
//! response.created (response.queued) response.in_progress
//!   (response.output_item.added parts-and-deltas response.output_item.done)*
//! response.completed | response.failed | response.incomplete        (holds the whole response)
//! ```
//!
//! Over a WebSocket each message is one event (developers.openai.com/api/docs/guides/websocket-mode, openai-python 3.57
//! `types/responses/responses_client_event.py` and `responses_server_event.py`): the client sends `response.create` with the
//! members of a request, and may send `response.steer` while the answer runs. A `stream_id` names a lane; `generate: false`
//! asks for no answer. The successor of a steered response begins without a question of its own. `response.done` ends an
//! answer of the Realtime API, which has the same shape (openai-python `types/realtime/response_done_event.py`).

use std::borrow::Cow;

use super::openai::{OPENAI_NOTE, OPENAI_SOURCE, note_argument_form};
use crate::chat::AnswerRetention;
use crate::chat::api_error::ApiError;
use crate::chat::builder::AnswerBuilder;
use crate::chat::completion::{AnswerChoice, BodyMediaType, Completion};
use crate::chat::delta::DeltaKind;
use crate::chat::dialect::{Dialect, ExchangeHeads};
use crate::chat::members::{items_at, named_members, non_empty_str, text_at};
use crate::chat::note::{Severity, rule};
use crate::chat::profile::{DialectProfile, EventNaming};
use crate::chat::prompt_order::{PromptOrder, PromptOrderBasis, PromptPart};
use crate::chat::socket_event::{SocketEvent, SocketRole};
use crate::chat::stream_state::StreamState;
use crate::chat::tool_calls::ToolCallKey;
use crate::chat::usage;
use crate::json::{JsonKind, JsonValue};
use crate::span::StreamSide;

/// OpenAI Responses.
pub(in crate::chat) struct ResponsesDialect;

static PROFILE: DialectProfile = DialectProfile {
    name: "openai-responses",
    event_naming: EventNaming::ByType {
        when_missing: Severity::Info,
    },
    errors_are_objects: true,
    calls_have_ids: true,
    prompt_orders: &[
        PromptOrder {
            providers: &["openai", "azure"],
            basis: PromptOrderBasis::Documented,
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

    fn read_event(&self, _: &[u8], root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        let Some(kind) = text_at(root, "type") else {
            return;
        };
        if is_numbered(&kind, root, builder) {
            note_sequence(root, builder);
        }
        match &*kind {
            "response.completed"
            | "response.failed"
            | "response.incomplete"
            | "response.cancelled"
            | "response.done" => read_last_event(&kind, root, builder),
            "response.created" | "response.in_progress" | "response.queued" => {
                if builder.state.has_ended {
                    begin_later_answer(builder);
                }
                if let Some(response) = root.get("response") {
                    builder.set_identity(response);
                }
                builder.emit_event(DeltaKind::Other, &kind);
            }
            _ => read_delta(&kind, root, builder),
        }
    }

    fn knows_event(&self, name: &[u8]) -> bool {
        name == b"error" || name.starts_with(b"response.")
    }

    fn read_body(&self, root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        builder.set_identity(root);
        if root.get("output").is_none() && root.get("status").is_none() {
            return;
        }
        builder.choice_mut(0);
        for (n, item) in items_at(root, "output").enumerate() {
            read_output_item(n as u64, item, builder);
        }
        read_ending(root, builder);
    }

    fn read_socket_event(&self, side: StreamSide, root: JsonValue<'_>) -> Option<SocketEvent> {
        let kind = text_at(root, "type")?;
        let response = root.get("response");
        let role = match (side, &*kind) {
            (StreamSide::Sent, "response.create") => {
                let generate = root.get("generate").and_then(JsonValue::as_bool);
                let is_warm_up = generate == Some(false);
                SocketRole::BeginsCall { is_warm_up }
            }
            (StreamSide::Received, "response.created") => SocketRole::BeginsAnswer,
            (
                StreamSide::Received,
                "response.completed"
                | "response.failed"
                | "response.incomplete"
                | "response.cancelled"
                | "response.done",
            ) => SocketRole::EndsAnswer,
            (StreamSide::Received, "error") => SocketRole::Error,
            (_, kind) if kind.starts_with("response.") => SocketRole::Continues,
            _ => return None,
        };
        let steered = || text_at(root.get("steer").unwrap_or(root), "previous_response_id");
        let id = match role {
            SocketRole::BeginsCall { .. } => text_at(root, "previous_response_id"),
            SocketRole::Continues => text_at(root, "response_id").or_else(steered),
            _ => response.and_then(|response| text_at(response, "id")),
        };
        Some(SocketEvent {
            role,
            lane: text_at(root, "stream_id").map(Cow::into_owned),
            response_id: id.map(Cow::into_owned),
        })
    }

    fn fails_answer(&self, root: JsonValue<'_>) -> bool {
        // The answer goes on without the input that could not be added.
        text_at(root, "type").as_deref() != Some("response.steer.failed")
    }

    fn recognise_request_body(&self, root: JsonValue<'_>) -> bool {
        root.get("messages").is_none() && root.get("input").is_some()
    }
}

/// Reads the members that only a finished response has: usage, error, status.
fn read_ending(response: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    if let Some(counts) = response.get("usage") {
        builder.replace_usage(counts, usage::add_up_responses);
    }
    if let Some(error) = ApiError::from_error_key(response) {
        builder.push_error(error, builder.value_span(response));
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
    let place = builder.event_place();
    builder.set_finish_reason(0, &named, place);
}

/// Whether an event should have a `sequence_number` that follows the last one. Over a WebSocket, events about steering
/// count by themselves, errors about a message have no number, and no event of the Realtime API has one.
fn is_numbered(kind: &str, root: JsonValue<'_>, builder: &AnswerBuilder<'_>) -> bool {
    let is_first = builder.state.last_sequence.is_none();
    let is_bare = root.get("sequence_number").is_none() && (is_first || kind == "error");
    builder.completion.media != BodyMediaType::WebSocket
        || !is_bare && !kind.starts_with("response.steer.")
}

/// Notes an event whose `sequence_number` is missing or is not the one after the last.
fn note_sequence(root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let number = root.get("sequence_number").and_then(JsonValue::as_u64);
    let before = builder.state.last_sequence;
    builder.state.last_sequence = number.or(before);
    let number_text = number.map_or("none".to_owned(), |number| number.to_string());
    let expected = before.map(|before| before.saturating_add(1));
    if number.is_none() || expected.is_some_and(|expected| number != Some(expected)) {
        let expected = expected.map_or("a number".to_owned(), |number| number.to_string());
        let facts = vec![("number", number_text), ("expected", expected)];
        builder.note_once(rule::RESPONSES_SEQUENCE, builder.event_place(), facts);
    }
}

/// Notes that another response begins in a stream whose response has ended, and counts its tokens apart.
fn begin_later_answer(builder: &mut AnswerBuilder<'_>) {
    builder.note(rule::RESPONSES_TWO_CYCLES, builder.event_place(), vec![]);
    let choice = builder.choice_mut(0);
    choice.finish = None;
    let text = choice.text.len();
    let usage = builder.completion.usage.take();
    let state = &mut *builder.state;
    state.has_ended = false;
    state.last_sequence = None;
    state.later_answers = state.later_answers.saturating_add(1);
    state.earlier_text = text;
    state.earlier_usage = match (state.earlier_usage.take(), usage) {
        (Some(before), Some(usage)) => Some(before.plus(&usage)),
        (before, usage) => before.or(usage),
    };
    builder.completion.done = false;
}

/// Reads the last event, which repeats the whole response: takes what the pieces did not have, and notes differences.
fn read_last_event(kind: &str, root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    builder.choice_mut(0);
    if let Some(response) = root.get("response") {
        builder.set_identity(response);
        merge_whole_response(response, builder);
        read_ending(response, builder);
    }
    builder.mark_done(kind);
}

fn merge_whole_response(response: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let mut whole = Completion::default();
    let mut quiet = AnswerBuilder {
        completion: &mut whole,
        sink: &mut (),
        retention: AnswerRetention::TextOnly,
        place: builder.place,
        state: &mut StreamState::default(),
        has_emitted: false,
        spare_choice: AnswerChoice::default(),
    };
    let items = items_at(response, "output");
    let mut said = false;
    for (n, item) in items.enumerate() {
        said = true;
        read_output_item(n as u64, item, &mut quiet);
    }
    let earlier = builder.state.earlier_text;
    let pieces = builder.choice_mut(0);
    let received = ReceivedPieces::from_choice(pieces);
    let Some(whole) = whole.choices.first().filter(|_| said) else {
        if received.has_text || received.has_calls {
            let place = builder.event_place();
            builder.note(rule::RESPONSES_FINAL_EMPTY, place, vec![]);
        }
        return;
    };
    let text = pieces.text.get(earlier..).unwrap_or_default();
    let bytes = pieces.text_bytes.saturating_sub(earlier as u64);
    let differs = bytes != whole.text_bytes || (!text.is_empty() && text != whole.text);
    let items = items_at(response, "output");
    for (n, item) in items.enumerate() {
        if !received.covers(item) {
            read_output_item(n as u64, item, builder);
        }
    }
    if received.has_text && differs {
        let facts = vec![
            ("pieces", bytes.to_string()),
            ("final", whole.text_bytes.to_string()),
        ];
        let place = builder.event_place();
        match whole.text_bytes {
            0 => builder.note(rule::RESPONSES_FINAL_EMPTY, place, vec![]),
            _ => builder.note(rule::RESPONSES_TEXT_DIFFERS, place, facts),
        }
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

/// Reads one item of a whole response.
fn read_output_item(index: u64, item: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let kind = text_at(item, "type").unwrap_or_default();
    match &*kind {
        "message" => {
            if let Some(role) = item.get("role") {
                builder.set_role(0, role);
            }
            for part in items_at(item, "content") {
                read_content_part(part, builder);
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
                builder.push_reasoning(0, text);
            }
        }
        _ => {
            let at = find_or_add_call(index, &kind, item, builder);
            if kind == "function_call" {
                note_argument_form(item, builder);
            }
            if let (Some(at), Some(arguments)) = (at, call_arguments(item)) {
                builder.push_arguments(0, at, arguments);
            }
        }
    }
}

fn call_arguments(item: JsonValue<'_>) -> Option<JsonValue<'_>> {
    ["arguments", "input", "action"]
        .into_iter()
        .find_map(|key| item.get(key))
}

fn read_content_part(part: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    for (key, value) in named_members(part) {
        match &*key {
            "text" => builder.push_text(0, value),
            "refusal" => builder.push_refusal(0, value),
            "logprobs" if !value.is_empty() => builder.choice_mut(0).logprobs = true,
            "annotations" => {
                for annotation in value.items() {
                    builder.push_citation(0, annotation);
                }
            }
            _ => {}
        }
    }
}

/// Finds or adds the tool call of an output item. Functions and custom tools are run by the client, all others by the
/// provider.
fn find_or_add_call(
    index: u64,
    kind: &str,
    item: JsonValue<'_>,
    builder: &mut AnswerBuilder<'_>,
) -> Option<usize> {
    if !kind.ends_with("_call") {
        return None;
    }
    let ours = matches!(kind, "function_call" | "custom_tool_call");
    let name = item
        .get("name")
        .or_else(|| item.get("type").filter(|_| !ours));
    let id = item.get("call_id").or_else(|| item.get("id"));
    Some(builder.find_or_add_call(
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

fn read_delta(kind: &str, root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    builder.choice_mut(0);
    let index = root.get("output_index").and_then(JsonValue::as_u64);
    let piece = root.get("delta");
    match (kind, piece) {
        ("response.output_text.delta", Some(piece)) => {
            builder.push_text(0, piece);
            if root.get("logprobs").is_some_and(|list| !list.is_empty()) {
                builder.choice_mut(0).logprobs = true;
            }
        }
        ("response.refusal.delta", Some(piece)) => builder.push_refusal(0, piece),
        (
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta",
            Some(piece),
        ) => {
            builder.push_reasoning(0, piece);
        }
        ("response.audio.delta", Some(piece)) => builder.push_audio(0, piece),
        (
            "response.function_call_arguments.delta"
            | "response.custom_tool_call_input.delta"
            | "response.mcp_call_arguments.delta",
            Some(piece),
        ) => {
            let at = builder.find_or_add_call(
                0,
                ToolCallKey {
                    index,
                    ..ToolCallKey::default()
                },
            );
            builder.push_arguments(0, at, piece);
        }
        _ => read_other_event(kind, index, root, builder),
    }
}

fn read_other_event(
    kind: &str,
    index: Option<u64>,
    root: JsonValue<'_>,
    builder: &mut AnswerBuilder<'_>,
) {
    let item = root
        .get("item")
        .filter(|item| item.kind() == JsonKind::Object);
    match (kind, item) {
        ("response.output_item.added", Some(item)) => start_item(index, item, builder),
        ("response.output_item.done", Some(item)) => finish_item(index, item, builder),
        ("response.output_text.annotation.added", _) => {
            if let Some(annotation) = root.get("annotation") {
                builder.push_citation(0, annotation);
            }
        }
        _ => {}
    }
    builder.emit_event(DeltaKind::Other, kind);
}

fn start_item(index: Option<u64>, item: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let kind = text_at(item, "type").unwrap_or_default();
    if let Some(role) = item.get("role").filter(|_| kind == "message") {
        builder.set_role(0, role);
    }
    find_or_add_call(index.unwrap_or_default(), &kind, item, builder);
}

/// Takes the arguments of a finished call if its pieces were not sent or lacked the start.
fn finish_item(index: Option<u64>, item: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let kind = text_at(item, "type").unwrap_or_default();
    let Some(at) = find_or_add_call(index.unwrap_or_default(), &kind, item, builder) else {
        return;
    };
    let calls = &builder.choice_mut(0).tool_calls;
    let silent = calls.get(at).is_some_and(|call| call.argument_bytes == 0);
    if let Some(arguments) = call_arguments(item).filter(|_| silent) {
        builder.push_arguments(0, at, arguments);
    }
}

//! OpenAI Responses. Source: openai/openai-openapi, `Response` and `ResponseStreamEvent`.
//!
//! ```text
//! response.created (response.queued) response.in_progress
//!   (response.output_item.added parts-and-deltas response.output_item.done)*
//! response.completed | response.failed | response.incomplete        (holds the whole response)
//! ```

use super::openai::citation;
use crate::chat::Keep;
use crate::chat::calls::Mark;
use crate::chat::completion::{Choice, Completion, NoteKind};
use crate::chat::delta::DeltaKind;
use crate::chat::dialect::{Asked, Dialect, Ends};
use crate::chat::errors::ApiError;
use crate::chat::gather::{Gather, filled};
use crate::chat::usage;
use crate::json::{JsonKind, JsonValue};

/// Responses.
pub(in crate::chat) struct Responses;

impl Dialect for Responses {
    fn name(&self) -> &'static str {
        "openai-responses"
    }

    fn asked(&self, asked: &Asked<'_>) -> Option<&'static str> {
        let path = asked.path.trim_end_matches('/');
        let is_one = path.contains("/responses/resp_");
        (is_one || path.ends_with("/responses")).then_some("the path ends with /responses")
    }

    fn shown(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
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

    fn event(&self, _: &[u8], root: JsonValue<'_>, gather: &mut Gather<'_>) {
        let Some(kind) = root.get("type").and_then(filled) else {
            return;
        };
        match &*kind {
            "response.completed"
            | "response.failed"
            | "response.incomplete"
            | "response.cancelled" => terminal(&kind, root, gather),
            "response.created" | "response.in_progress" | "response.queued" => {
                if let Some(response) = root.get("response") {
                    gather.identity(response);
                }
                gather.tell_event(DeltaKind::Other, &kind);
            }
            _ => delta(&kind, root, gather),
        }
    }

    fn body(&self, root: JsonValue<'_>, gather: &mut Gather<'_>) {
        gather.identity(root);
        if root.get("output").is_none() && root.get("status").is_none() {
            return;
        }
        gather.choice(0);
        for (n, item) in root
            .get("output")
            .into_iter()
            .flat_map(JsonValue::items)
            .enumerate()
        {
            output(n as u64, item, gather);
        }
        ending(root, gather);
    }

    fn ends(&self, _: Option<&str>) -> Ends {
        Ends::Event
    }
}

/// What only a response that is over tells.
fn ending(response: JsonValue<'_>, gather: &mut Gather<'_>) {
    if let Some(counts) = response.get("usage") {
        gather.usage(counts, usage::responses);
    }
    if let Some(error) = ApiError::named(response) {
        gather.error(error, gather.span(response));
    }
    let Some(status) = response.get("status").and_then(filled) else {
        return;
    };
    let details = response.get("incomplete_details");
    let reason = details.and_then(|details| filled(details.get("reason")?));
    let named = match reason {
        Some(reason) => format!("{status}:{reason}"),
        None => status.into_owned(),
    };
    gather.finish_named(0, &named, gather.place.span);
}

/// The last event holds all again: what the pieces did not tell is taken from it, what differs is noted.
fn terminal(kind: &str, root: JsonValue<'_>, gather: &mut Gather<'_>) {
    gather.choice(0);
    if let Some(response) = root.get("response") {
        gather.identity(response);
        compare(response, gather);
        ending(response, gather);
    }
    gather.done(kind);
}

fn compare(response: JsonValue<'_>, gather: &mut Gather<'_>) {
    let mut whole = Completion::default();
    let mut quiet = Gather {
        completion: &mut whole,
        hear: &mut (),
        keep: Keep::Text,
        place: gather.place,
        told: false,
        spare: Choice::default(),
    };
    let items = response
        .get("output")
        .into_iter()
        .flat_map(JsonValue::items);
    let mut said = false;
    for (n, item) in items.enumerate() {
        said = true;
        output(n as u64, item, &mut quiet);
    }
    let Some(whole) = whole.choices.first().filter(|_| said) else {
        return;
    };
    let pieces = gather.choice(0);
    let told = Told::of(pieces);
    let differs = pieces.text_bytes != whole.text_bytes
        || (!pieces.text.is_empty() && pieces.text != whole.text);
    let items = response
        .get("output")
        .into_iter()
        .flat_map(JsonValue::items);
    for (n, item) in items.enumerate() {
        if !told.holds(item) {
            output(n as u64, item, gather);
        }
    }
    if told.words && differs {
        let text = format!(
            "the pieces join to {} bytes of text, the last event holds {}",
            gather.choice(0).text_bytes,
            whole.text_bytes
        );
        let span = gather.place.span;
        gather.note(NoteKind::PiecesDiffer, text, Some(span));
    }
}

/// What pieces have told before the last event tells it again.
#[derive(Clone, Copy)]
struct Told {
    /// Text, or a refusal.
    words: bool,
    reasoning: bool,
    calls: bool,
}

impl Told {
    fn of(choice: &Choice) -> Self {
        Self {
            words: choice.text_bytes > 0 || choice.refusal.is_some(),
            reasoning: choice.reasoning_bytes > 0,
            calls: !choice.tool_calls.is_empty(),
        }
    }

    fn holds(self, item: JsonValue<'_>) -> bool {
        match &*item.get("type").and_then(filled).unwrap_or_default() {
            "message" => self.words,
            "reasoning" => self.reasoning,
            _ => self.calls,
        }
    }
}

/// One item of a whole response.
fn output(index: u64, item: JsonValue<'_>, gather: &mut Gather<'_>) {
    let kind = item.get("type").and_then(filled).unwrap_or_default();
    match &*kind {
        "message" => {
            if let Some(role) = item.get("role") {
                gather.role(0, role);
            }
            for part in item.get("content").into_iter().flat_map(JsonValue::items) {
                content(part, gather);
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
                gather.reasoning(0, text);
            }
        }
        _ => {
            let at = call(index, &kind, item, gather);
            if let (Some(at), Some(arguments)) = (at, arguments(item)) {
                gather.arguments(0, at, arguments);
            }
        }
    }
}

fn arguments(item: JsonValue<'_>) -> Option<JsonValue<'_>> {
    ["arguments", "input", "action"]
        .into_iter()
        .find_map(|key| item.get(key))
}

fn content(part: JsonValue<'_>, gather: &mut Gather<'_>) {
    for (key, value) in part.members() {
        let Some(key) = key.as_str() else { continue };
        match &*key {
            "text" => gather.text(0, value),
            "refusal" => gather.refusal(0, value),
            "logprobs" if !value.is_empty() => gather.choice(0).logprobs = true,
            "annotations" => {
                for annotation in value.items() {
                    cite(annotation, gather);
                }
            }
            _ => {}
        }
    }
}

fn cite(annotation: JsonValue<'_>, gather: &mut Gather<'_>) {
    if let Some(found) = citation(annotation) {
        gather.citation(0, found, annotation);
    }
}

/// A tool call among the items: functions and custom tools wait for us, all others run at the provider.
fn call(index: u64, kind: &str, item: JsonValue<'_>, gather: &mut Gather<'_>) -> Option<usize> {
    if !kind.ends_with("_call") {
        return None;
    }
    let ours = matches!(kind, "function_call" | "custom_tool_call");
    let name = item
        .get("name")
        .or_else(|| item.get("type").filter(|_| !ours));
    let id = item.get("call_id").or_else(|| item.get("id"));
    Some(gather.call(
        0,
        Mark {
            index: Some(index),
            id,
            name,
            hosted: !ours,
            is_text: kind == "custom_tool_call",
        },
    ))
}

fn delta(kind: &str, root: JsonValue<'_>, gather: &mut Gather<'_>) {
    gather.choice(0);
    let index = root.get("output_index").and_then(JsonValue::as_u64);
    let piece = root.get("delta");
    match (kind, piece) {
        ("response.output_text.delta", Some(piece)) => {
            gather.text(0, piece);
            if root.get("logprobs").is_some_and(|list| !list.is_empty()) {
                gather.choice(0).logprobs = true;
            }
        }
        ("response.refusal.delta", Some(piece)) => gather.refusal(0, piece),
        (
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta",
            Some(piece),
        ) => {
            gather.reasoning(0, piece);
        }
        ("response.audio.delta", Some(piece)) => gather.audio(0, piece),
        (
            "response.function_call_arguments.delta"
            | "response.custom_tool_call_input.delta"
            | "response.mcp_call_arguments.delta",
            Some(piece),
        ) => {
            let at = gather.call(
                0,
                Mark {
                    index,
                    ..Mark::default()
                },
            );
            gather.arguments(0, at, piece);
        }
        _ => other(kind, index, root, gather),
    }
}

fn other(kind: &str, index: Option<u64>, root: JsonValue<'_>, gather: &mut Gather<'_>) {
    let item = root
        .get("item")
        .filter(|item| item.kind() == JsonKind::Object);
    match (kind, item) {
        ("response.output_item.added", Some(item)) => added(index, item, gather),
        ("response.output_item.done", Some(item)) => finished(index, item, gather),
        ("response.output_text.annotation.added", _) => {
            if let Some(annotation) = root.get("annotation") {
                cite(annotation, gather);
            }
        }
        _ => {}
    }
    gather.tell_event(DeltaKind::Other, kind);
}

fn added(index: Option<u64>, item: JsonValue<'_>, gather: &mut Gather<'_>) {
    let kind = item.get("type").and_then(filled).unwrap_or_default();
    if let Some(role) = item.get("role").filter(|_| kind == "message") {
        gather.role(0, role);
    }
    call(index.unwrap_or_default(), &kind, item, gather);
}

/// The arguments of a call whose pieces were not sent, or of which the start was not.
fn finished(index: Option<u64>, item: JsonValue<'_>, gather: &mut Gather<'_>) {
    let kind = item.get("type").and_then(filled).unwrap_or_default();
    let Some(at) = call(index.unwrap_or_default(), &kind, item, gather) else {
        return;
    };
    let calls = &gather.choice(0).tool_calls;
    let silent = calls.get(at).is_some_and(|call| call.argument_bytes == 0);
    if let Some(arguments) = arguments(item).filter(|_| silent) {
        gather.arguments(0, at, arguments);
    }
}

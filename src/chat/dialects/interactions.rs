//! Gemini Interactions: the newer API beside `generateContent`, with steps in place of candidates.
//! Source: its reference, and what the Vercel AI SDK reads (`packages/google/src/interactions`).
//!
//! ```text
//! interaction.created (step.start step.delta* step.stop)* interaction.completed
//! interaction.status_update: anywhere; error: instead of the rest
//! ```

use super::openai::citation;
use crate::chat::calls::Mark;
use crate::chat::dialect::{Asked, Dialect, Ends};
use crate::chat::gather::{Gather, filled};
use crate::chat::usage;
use crate::json::{JsonKind, JsonValue};

/// Interactions.
pub(in crate::chat) struct Interactions;

impl Dialect for Interactions {
    fn name(&self) -> &'static str {
        "gemini-interactions"
    }

    fn asked(&self, asked: &Asked<'_>) -> Option<&'static str> {
        let is_one = asked.path.contains("/interactions/");
        (is_one || asked.path_ends("/interactions")).then_some("the path names interactions")
    }

    fn shown(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        let word = |key| root.get(key).and_then(JsonValue::as_str);
        if word("object").is_some_and(|object| object == "interaction") {
            return Some("the body calls itself an interaction");
        }
        word("event_type")
            .is_some_and(|kind| kind.starts_with("interaction."))
            .then_some("the type of an event begins with interaction.")
    }

    fn event(&self, _: &[u8], root: JsonValue<'_>, gather: &mut Gather<'_>) {
        let kind = root.get("event_type").and_then(filled).unwrap_or_default();
        let index = root.get("index").and_then(JsonValue::as_u64);
        let inner = root.get("interaction");
        match &*kind {
            "interaction.created" | "interaction.start" => {
                gather.choice(0);
                gather.identity(inner.unwrap_or(root));
            }
            "step.start" | "content.start" => {
                if let Some(step) = root.get("step").or_else(|| root.get("content")) {
                    begun(index, step, gather);
                }
            }
            "step.delta" | "content.delta" => {
                if let Some(delta) = root.get("delta") {
                    piece(index, delta, gather);
                }
            }
            "interaction.completed" | "interaction.complete" => {
                let inner = inner.unwrap_or(root);
                gather.choice(0);
                gather.identity(inner);
                ending(inner, gather);
                gather.done(&kind);
            }
            _ => {}
        }
    }

    fn body(&self, root: JsonValue<'_>, gather: &mut Gather<'_>) {
        gather.identity(root);
        // `outputs` until May 2026.
        let steps = root.get("steps").or_else(|| root.get("outputs"));
        if steps.is_none() && root.get("status").is_none() {
            return;
        }
        gather.choice(0);
        for (n, step) in steps.into_iter().flat_map(JsonValue::items).enumerate() {
            begun(Some(n as u64), step, gather);
            if let Some(arguments) = step.get("arguments") {
                arguments_of(Some(n as u64), step, arguments, gather);
            }
        }
        ending(root, gather);
    }

    fn ends(&self, _: Option<&str>) -> Ends {
        Ends::Event
    }
}

fn ending(interaction: JsonValue<'_>, gather: &mut Gather<'_>) {
    if let Some(counts) = interaction.get("usage") {
        gather.usage(counts, usage::interactions);
    }
    if let Some(status) = interaction.get("status") {
        gather.finish(0, status);
    }
}

/// A step begins, or is whole: of a call its name, of all others what they hold.
fn begun(index: Option<u64>, step: JsonValue<'_>, gather: &mut Gather<'_>) {
    if mark(index, step).is_some_and(|mark| mark.name.is_some()) {
        call(index, step, gather);
    } else {
        words(step, gather);
    }
}

/// Text and thoughts that a step, or a piece of one, holds.
fn words(step: JsonValue<'_>, gather: &mut Gather<'_>) {
    let kind = step.get("type").and_then(filled).unwrap_or_default();
    let texts = |key| step.get(key).into_iter().flat_map(JsonValue::items);
    match &*kind {
        "thought" => {
            for text in texts("summary").filter_map(|part| part.get("text")) {
                gather.reasoning(0, text);
            }
        }
        "thought_summary" => {
            if let Some(text) = step.get("content").and_then(|part| part.get("text")) {
                gather.reasoning(0, text);
            }
        }
        "model_output" => texts("content").for_each(|part| words(part, gather)),
        "audio" => {
            gather.choice(0).audio = true;
            if let Some(data) = step.get("data") {
                gather.audio(0, data);
            }
        }
        _ => {
            if let Some(text) = step.get("text") {
                gather.text(0, text);
            }
            cite(step, gather);
        }
    }
}

/// A piece of a step: words, or arguments, in pieces for functions and whole for tools of Google's own.
fn piece(index: Option<u64>, delta: JsonValue<'_>, gather: &mut Gather<'_>) {
    match delta.get("arguments") {
        Some(arguments) => arguments_of(index, delta, arguments, gather),
        None => words(delta, gather),
    }
}

fn arguments_of(
    index: Option<u64>,
    holder: JsonValue<'_>,
    value: JsonValue<'_>,
    gather: &mut Gather<'_>,
) {
    let at = call(index, holder, gather);
    gather.arguments(0, at, value);
}

fn call(index: Option<u64>, step: JsonValue<'_>, gather: &mut Gather<'_>) -> usize {
    let known = mark(index, step).unwrap_or(Mark {
        index,
        ..Mark::default()
    });
    gather.call(0, known)
}

/// Calls among the steps: functions wait for us, all others run at Google and are called by their type.
fn mark(index: Option<u64>, step: JsonValue<'_>) -> Option<Mark<'_>> {
    let kind = step
        .get("type")
        .filter(|kind| kind.kind() == JsonKind::String)?;
    let named = kind.as_str()?;
    let ours = named == "function_call";
    named.ends_with("_call").then(|| Mark {
        index,
        id: step.get("id"),
        name: step.get("name").or(Some(kind).filter(|_| !ours)),
        hosted: !ours,
        is_text: false,
    })
}

fn cite(holder: JsonValue<'_>, gather: &mut Gather<'_>) {
    let annotations = holder.get("annotations");
    for annotation in annotations.into_iter().flat_map(JsonValue::items) {
        if let Some(found) = citation(annotation) {
            gather.citation(0, found, annotation);
        }
    }
}

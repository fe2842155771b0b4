//! Gemini Interactions: the newer API beside `generateContent`, with steps in place of candidates.
//! Source: its reference, and what the Vercel AI SDK reads (`packages/google/src/interactions`).
//!
//! ```text
//! interaction.created (step.start step.delta* step.stop)* interaction.completed
//! interaction.status_update: anywhere; error: instead of the rest
//! ```

use crate::chat::builder::AnswerBuilder;
use crate::chat::dialect::{Dialect, ExchangeHeads};
use crate::chat::members::{items_at, text_at};
use crate::chat::profile::DialectProfile;
use crate::chat::tool_calls::ToolCallKey;
use crate::chat::usage;
use crate::json::{JsonKind, JsonValue};
use crate::sdk::SdkFamily;

/// Gemini Interactions.
pub(in crate::chat) struct InteractionsDialect;

static PROFILE: DialectProfile = DialectProfile {
    name: "gemini-interactions",
    sdk_family: SdkFamily::Google,
    ..DialectProfile::BASE
};

impl Dialect for InteractionsDialect {
    fn profile(&self) -> &'static DialectProfile {
        &PROFILE
    }

    fn recognise_request(&self, asked: &ExchangeHeads<'_>) -> Option<&'static str> {
        let is_one = asked.path.contains("/interactions/");
        (is_one || asked.path_ends_with("/interactions")).then_some("the path names interactions")
    }

    fn recognise_body(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        let word = |key| root.get(key).and_then(JsonValue::as_str);
        if word("object").is_some_and(|object| object == "interaction") {
            return Some("the body calls itself an interaction");
        }
        word("event_type")
            .is_some_and(|kind| kind.starts_with("interaction."))
            .then_some("the type of an event begins with interaction.")
    }

    fn read_event(&self, _: &[u8], root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        let kind = text_at(root, "event_type").unwrap_or_default();
        let index = root.get("index").and_then(JsonValue::as_u64);
        let inner = root.get("interaction");
        match &*kind {
            "interaction.created" | "interaction.start" => {
                builder.choice_mut(0);
                builder.set_identity(inner.unwrap_or(root));
            }
            "step.start" | "content.start" => {
                if let Some(step) = root.get("step").or_else(|| root.get("content")) {
                    start_step(index, step, builder);
                }
            }
            "step.delta" | "content.delta" => {
                if let Some(delta) = root.get("delta") {
                    read_step_delta(index, delta, builder);
                }
            }
            "interaction.completed" | "interaction.complete" => {
                let inner = inner.unwrap_or(root);
                builder.choice_mut(0);
                builder.set_identity(inner);
                read_ending(inner, builder);
                builder.mark_done(&kind);
            }
            _ => {}
        }
    }

    fn read_body(&self, root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        builder.set_identity(root);
        // `outputs` until May 2026.
        let steps = root.get("steps").or_else(|| root.get("outputs"));
        if steps.is_none() && root.get("status").is_none() {
            return;
        }
        builder.choice_mut(0);
        for (n, step) in steps.into_iter().flat_map(JsonValue::items).enumerate() {
            start_step(Some(n as u64), step, builder);
            if let Some(arguments) = step.get("arguments") {
                push_arguments(Some(n as u64), step, arguments, builder);
            }
        }
        read_ending(root, builder);
    }
}

fn read_ending(interaction: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    if let Some(counts) = interaction.get("usage") {
        builder.replace_usage(counts, usage::add_up_interactions);
    }
    if let Some(status) = interaction.get("status") {
        builder.set_finish(0, status);
    }
}

/// Reads the start of a step, or a whole step: the name of a call, the content of any other step.
fn start_step(index: Option<u64>, step: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    if tool_call_key(index, step).is_some_and(|mark| mark.name.is_some()) {
        find_or_add_call(index, step, builder);
    } else {
        read_step_text(step, builder);
    }
}

/// Reads text and thoughts from a step or a piece of one.
fn read_step_text(step: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let kind = text_at(step, "type").unwrap_or_default();
    let texts = |key| step.get(key).into_iter().flat_map(JsonValue::items);
    match &*kind {
        "thought" => {
            for text in texts("summary").filter_map(|part| part.get("text")) {
                builder.push_reasoning(0, text);
            }
        }
        "thought_summary" => {
            if let Some(text) = step.get("content").and_then(|part| part.get("text")) {
                builder.push_reasoning(0, text);
            }
        }
        "model_output" => texts("content").for_each(|part| read_step_text(part, builder)),
        "audio" => {
            builder.choice_mut(0).audio = true;
            if let Some(data) = step.get("data") {
                builder.push_audio(0, data);
            }
        }
        _ => {
            if let Some(text) = step.get("text") {
                builder.push_text(0, text);
            }
            for annotation in items_at(step, "annotations") {
                builder.push_citation(0, annotation);
            }
        }
    }
}

/// Reads one piece of a step: text, or arguments. Those of functions come in pieces, those of Google's own tools whole.
fn read_step_delta(index: Option<u64>, delta: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    match delta.get("arguments") {
        Some(arguments) => push_arguments(index, delta, arguments, builder),
        None => read_step_text(delta, builder),
    }
}

fn push_arguments(
    index: Option<u64>,
    holder: JsonValue<'_>,
    value: JsonValue<'_>,
    builder: &mut AnswerBuilder<'_>,
) {
    let at = find_or_add_call(index, holder, builder);
    builder.push_arguments(0, at, value);
}

fn find_or_add_call(
    index: Option<u64>,
    step: JsonValue<'_>,
    builder: &mut AnswerBuilder<'_>,
) -> usize {
    let known = tool_call_key(index, step).unwrap_or(ToolCallKey {
        index,
        ..ToolCallKey::default()
    });
    builder.find_or_add_call(0, known)
}

/// The key of a tool call among the steps. Functions are run by the client; other tools run at Google and are named by
/// their type.
fn tool_call_key(index: Option<u64>, step: JsonValue<'_>) -> Option<ToolCallKey<'_>> {
    let kind = step
        .get("type")
        .filter(|kind| kind.kind() == JsonKind::String)?;
    let named = kind.as_str()?;
    let ours = named == "function_call";
    named.ends_with("_call").then(|| ToolCallKey {
        index,
        id: step.get("id"),
        name: step.get("name").or(Some(kind).filter(|_| !ours)),
        hosted: !ours,
        takes_text: false,
    })
}

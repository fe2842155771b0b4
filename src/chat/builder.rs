//! Joins pieces to an answer, and tells each of them: what all dialects write into.

use std::borrow::Cow;

use super::AnswerRetention;
use super::api_error::ApiError;
use super::completion::{AnswerChoice, AnswerNote, AnswerNoteKind, Citation, Completion};
use super::delta::{AnswerDelta, DeltaKind, DeltaSink};
use super::finish::FinishReason;
use super::usage::{self, TokenUsage, UsageArithmetic};
use crate::json::{JsonKind, JsonValue};
use crate::span::{Moment, Span};

/// How many of each are kept: no real answer has as many, and memory must stay bounded.
const MAX_CHOICES: usize = 1024;
const MAX_CITATIONS: usize = 4096;
const MAX_NOTES: usize = 256;
const MAX_ERRORS: usize = 64;
const MAX_TIMES: usize = 64;

/// Where the JSON stands that is being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventPlace {
    /// Offset of its first byte in the body; `None` if it was joined from several lines.
    pub(super) base: Option<u64>,
    /// All of the event, or of the body.
    pub(super) span: Span,
    /// Number of the event.
    pub(super) event: u64,
    /// When its first byte came.
    pub(super) began: Moment,
    /// When its last byte came.
    pub(super) moment: Moment,
    /// Whether it is an event of a stream.
    pub(super) is_streamed: bool,
}

/// What a dialect writes into while it reads one event, or one body.
pub struct AnswerBuilder<'a> {
    pub(super) completion: &'a mut Completion,
    pub(super) sink: &'a mut dyn DeltaSink,
    pub(super) retention: AnswerRetention,
    pub(super) place: EventPlace,
    /// Whether anything was told.
    pub(super) has_emitted: bool,
    /// Takes what belongs to a choice that is one too many.
    pub(super) spare_choice: AnswerChoice,
}

impl AnswerBuilder<'_> {
    /// Whether it is an event of a stream that is read, not a whole body.
    pub(super) fn is_streamed(&self) -> bool {
        self.place.is_streamed
    }

    pub(super) fn value_span(&self, value: JsonValue<'_>) -> Span {
        let Some(base) = self.place.base else {
            return self.place.span;
        };
        let own = value.span();
        Span::new(base.saturating_add(own.start), base.saturating_add(own.end))
    }

    /// Tells one piece, and keeps what is to be kept of it.
    pub(super) fn emit(&mut self, choice: u32, kind: DeltaKind, text: Cow<'_, str>, span: Span) {
        let delta = AnswerDelta {
            choice,
            kind,
            text,
            span,
            whole: self.place.span,
            event: self.place.event,
            begun: self.place.began,
            moment: self.place.moment,
        };
        self.has_emitted = true;
        if kind.is_token() && !delta.text.is_empty() {
            let moment = self.place.moment;
            self.completion.first_token.get_or_insert(moment);
            self.completion.last_token = Some(moment);
        }
        if self.retention == AnswerRetention::Everything {
            self.completion.deltas.push(delta.to_stamp());
        }
        self.sink.delta(&delta);
    }

    /// Tells something that belongs to no choice and stands nowhere in particular.
    pub(super) fn emit_event(&mut self, kind: DeltaKind, text: &str) {
        self.emit(0, kind, Cow::Borrowed(text), self.place.span);
    }

    /// The choice with that number, made if it is new; one that is thrown away if there are too many.
    pub(super) fn choice_mut(&mut self, index: u32) -> &mut AnswerChoice {
        let choices = &mut self.completion.choices;
        let at = choices.partition_point(|choice| choice.index < index);
        let is_known = choices.get(at).is_some_and(|choice| choice.index == index);
        let has_room = choices.len() < MAX_CHOICES;
        if !is_known && has_room {
            choices.insert(at, AnswerChoice::new(index));
        }
        match choices.get_mut(at) {
            Some(choice) if is_known || has_room => choice,
            _ => &mut self.spare_choice,
        }
    }

    /// The id of the answer; a change of it is told once.
    pub(super) fn set_id(&mut self, value: JsonValue<'_>) {
        let Some(id) = value.as_str().filter(|id| !id.is_empty()) else {
            return;
        };
        let known = self.completion.id.as_deref();
        if known == Some(&*id) {
            return;
        }
        if let Some(known) = known {
            let text = format!(
                "the id changes from {known} to {id}: a router or a retry joined two streams"
            );
            let span = self.value_span(value);
            self.push_note_once(AnswerNoteKind::IdChanged, text, Some(span));
            return;
        }
        self.completion.id = Some(id.into_owned());
    }

    /// The model that answers; the last that is named counts.
    pub(super) fn set_model(&mut self, value: JsonValue<'_>) {
        let Some(model) = value.as_str().filter(|model| !model.is_empty()) else {
            return;
        };
        let known = self.completion.served_model.as_deref();
        if known == Some(&*model) {
            return;
        }
        if let Some(known) = known {
            let text = format!("the model changes from {known} to {model}");
            let span = self.value_span(value);
            self.push_note_once(AnswerNoteKind::ModelChanged, text, Some(span));
        }
        self.completion.served_model = Some(model.into_owned());
    }

    /// Id, model and tier of an object that has them under these names.
    pub(super) fn set_identity(&mut self, object: JsonValue<'_>) {
        for (key, value) in object.members() {
            let Some(key) = key.as_str() else { continue };
            match &*key {
                "id" => self.set_id(value),
                "model" => self.set_model(value),
                "service_tier" => self.set_service_tier(value),
                _ => {}
            }
        }
    }

    /// The tier it is served in.
    pub(super) fn set_service_tier(&mut self, value: JsonValue<'_>) {
        set_if_changed(&mut self.completion.service_tier, value);
    }

    /// The configuration it ran with.
    pub(super) fn set_fingerprint(&mut self, value: JsonValue<'_>) {
        set_if_changed(&mut self.completion.system_fingerprint, value);
    }

    /// Who speaks; told once.
    pub(super) fn set_role(&mut self, choice: u32, value: JsonValue<'_>) {
        let Some(role) = value.as_str().filter(|role| !role.is_empty()) else {
            return;
        };
        let known = &mut self.choice_mut(choice).role;
        if known.as_deref() == Some(&*role) {
            return;
        }
        *known = Some(role.clone().into_owned());
        let span = self.value_span(value);
        self.emit(choice, DeltaKind::Role, role, span);
    }

    /// A piece of the answer. Anything but a string is none.
    pub(super) fn push_text(&mut self, choice: u32, value: JsonValue<'_>) {
        let Some(text) = value.as_str() else { return };
        let keep = self.retention;
        let own = self.choice_mut(choice);
        keep.append(&mut own.text, own.text_bytes, &text);
        own.text_bytes = own.text_bytes.saturating_add(text.len() as u64);
        self.emit_piece(choice, DeltaKind::Text, text, value);
    }

    /// A piece of what the model thinks.
    pub(super) fn push_reasoning(&mut self, choice: u32, value: JsonValue<'_>) {
        let Some(text) = value.as_str() else { return };
        let keep = self.retention;
        let own = self.choice_mut(choice);
        keep.append(&mut own.reasoning, own.reasoning_bytes, &text);
        own.reasoning_bytes = own.reasoning_bytes.saturating_add(text.len() as u64);
        self.emit_piece(choice, DeltaKind::Reasoning, text, value);
    }

    /// A piece of a refusal.
    pub(super) fn push_refusal(&mut self, choice: u32, value: JsonValue<'_>) {
        let Some(text) = value.as_str().filter(|text| !text.is_empty()) else {
            return;
        };
        let keep = self.retention;
        let own = self.choice_mut(choice).refusal.get_or_insert_default();
        keep.append(own, own.len() as u64, &text);
        self.emit_piece(choice, DeltaKind::Refusal, text, value);
    }

    /// Empty pieces are told by nobody: providers begin streams with them.
    pub(super) fn emit_piece(
        &mut self,
        choice: u32,
        kind: DeltaKind,
        text: Cow<'_, str>,
        value: JsonValue<'_>,
    ) {
        if !text.is_empty() {
            let span = self.value_span(value);
            self.emit(choice, kind, text, span);
        }
    }

    /// Audio: a string of base64, of which only the size is told.
    pub(super) fn push_audio(&mut self, choice: u32, data: JsonValue<'_>) {
        self.choice_mut(choice).audio = true;
        let size = data.span().len().saturating_sub(2);
        if size > 0 && data.kind() == JsonKind::String {
            let span = self.value_span(data);
            self.emit(choice, DeltaKind::Audio, Cow::Owned(size.to_string()), span);
        }
    }

    /// Something the answer refers to. What was told before is not told again.
    pub(super) fn push_citation(&mut self, choice: u32, citation: Citation, value: JsonValue<'_>) {
        let known = &mut self.choice_mut(choice).citations;
        if known.len() >= MAX_CITATIONS || known.contains(&citation) {
            return;
        }
        let text = citation.source.clone();
        known.push(citation);
        let span = self.value_span(value);
        self.emit(choice, DeltaKind::Citation, Cow::Owned(text), span);
    }

    /// Why a choice stopped.
    pub(super) fn set_finish(&mut self, choice: u32, value: JsonValue<'_>) {
        if let Some(named) = non_empty_str(value) {
            let span = self.value_span(value);
            self.set_finish_reason(choice, &named, span);
        }
    }

    /// The same, in a word that stands nowhere as it is.
    pub(super) fn set_finish_reason(&mut self, choice: u32, named: &str, span: Span) {
        let known = &mut self.choice_mut(choice).finish;
        match known {
            Some(known) if known.named == named => return,
            Some(known) => {
                let text = format!(
                    "choice {choice} finished as {}, and then as {named}",
                    known.named
                );
                *known = FinishReason::new(named);
                self.push_note(AnswerNoteKind::FinishChanged, text, Some(span));
            }
            None => *known = Some(FinishReason::new(named)),
        }
        self.emit(choice, DeltaKind::Finish, Cow::Borrowed(named), span);
    }

    /// Token counts that replace those before.
    pub(super) fn replace_usage(&mut self, object: JsonValue<'_>, add: UsageArithmetic) {
        let mut usage = TokenUsage::default();
        usage.merge_counts(object);
        self.apply_usage(usage, object, add);
    }

    /// Token counts that add to, or correct, those before.
    pub(super) fn merge_usage(&mut self, object: JsonValue<'_>, add: UsageArithmetic) {
        let mut usage = self.completion.usage.clone().unwrap_or_default();
        usage.merge_counts(object);
        self.apply_usage(usage, object, add);
    }

    fn apply_usage(&mut self, mut usage: TokenUsage, object: JsonValue<'_>, add: UsageArithmetic) {
        if usage.named.is_empty() {
            return;
        }
        let note = add(&mut usage);
        self.completion.cost = usage::read_reported_cost(object).or(self.completion.cost.take());
        let text = match (usage.input, usage.output) {
            (Some(input), Some(output)) => format!("{input} in, {output} out"),
            (Some(input), None) => format!("{input} in"),
            (None, Some(output)) => format!("{output} out"),
            (None, None) => String::new(),
        };
        self.completion.usage = Some(usage);
        let span = self.value_span(object);
        // A running count gives no sum yet; the last one decides.
        self.completion
            .notes
            .retain(|note| note.kind != AnswerNoteKind::UsageSum);
        if let Some(note) = note {
            self.push_note(AnswerNoteKind::UsageSum, note, Some(span));
        }
        self.emit(0, DeltaKind::Usage, Cow::Owned(text), span);
    }

    /// Times among the members of `object`, each told by its ending: `_time` in seconds (Groq, Cerebras), `_ms`
    /// (llama.cpp), `_duration` in nanoseconds (Ollama).
    pub(super) fn record_times(&mut self, prefix: &str, object: JsonValue<'_>) {
        for (key, value) in object.members() {
            let Some(key) = key.as_str().filter(|key| !key.contains("_per_")) else {
                continue;
            };
            let ends = [("_time", 1e6), ("_ms", 1e3), ("_duration", 1e-3)];
            let unit = ends.iter().find(|(end, _)| key.ends_with(end));
            let (Some((_, unit)), Some(number)) = (unit, value.as_f64()) else {
                continue;
            };
            // The cast saturates.
            let micros = (number * unit).round() as u64;
            let name = format!("{prefix}{key}");
            let known = &mut self.completion.times;
            let has_room = known.len() < MAX_TIMES;
            match known.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = micros,
                None if has_room => known.push((name, micros)),
                None => {}
            }
        }
    }

    /// Something went wrong. What was told before is not told again.
    pub(super) fn push_error(&mut self, mut error: ApiError, span: Span) {
        error.in_stream = self.place.is_streamed;
        error.span = Some(span);
        let known = &mut self.completion.errors;
        if known.len() >= MAX_ERRORS || known.iter().any(|known| known.is_repeat_of(&error)) {
            return;
        }
        let text = error.message.clone();
        known.push(error);
        self.emit(0, DeltaKind::Error, Cow::Owned(text), span);
    }

    /// The end mark of the dialect.
    pub(super) fn mark_done(&mut self, text: &str) {
        self.completion.done = true;
        self.emit_event(DeltaKind::Done, text);
    }

    /// Something that deserves a word.
    pub(super) fn push_note(&mut self, kind: AnswerNoteKind, text: String, span: Option<Span>) {
        let notes = &mut self.completion.notes;
        if notes.len() < MAX_NOTES {
            notes.push(AnswerNote { kind, text, span });
        }
    }

    /// The same, for what would be told of every event.
    pub(super) fn push_note_once(
        &mut self,
        kind: AnswerNoteKind,
        text: String,
        span: Option<Span>,
    ) {
        if !self.completion.notes.iter().any(|note| note.kind == kind) {
            self.push_note(kind, text, span);
        }
    }
}

/// A string that is not empty.
pub(super) fn non_empty_str(value: JsonValue<'_>) -> Option<Cow<'_, str>> {
    value.as_str().filter(|text| !text.is_empty())
}

fn set_if_changed(place: &mut Option<String>, value: JsonValue<'_>) {
    if let Some(text) = non_empty_str(value)
        && place.as_deref() != Some(&*text)
    {
        *place = Some(text.into_owned());
    }
}

/// A number of a choice or an item.
pub(super) fn read_index(value: Option<JsonValue<'_>>) -> Option<u32> {
    u32::try_from(value?.as_u64()?).ok()
}

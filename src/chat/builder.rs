//! Builds a [`Completion`] from the pieces that a dialect reads, and passes each piece on as a delta.

use std::borrow::Cow;

use super::AnswerRetention;
use super::api_error::ApiError;
use super::completion::{AnswerChoice, Citation, Completion};
use super::delta::{AnswerDelta, DeltaKind, DeltaSink};
use super::finish::FinishReason;
use super::members::{named_members, non_empty_str, text_at};
use super::note::{AnswerNote, AnswerPlace, NoteFacts, rule};
use super::stream_state::StreamState;
use super::usage::{self, TokenUsage, UsageArithmetic};
use crate::json::{JsonKind, JsonValue};
use crate::span::{Moment, Span};

// Most choices, citations, notes, errors and server times that are kept: no real answer has as many, and memory must
// stay bounded.
const MAX_CHOICES: usize = 1024;
const MAX_CITATIONS: usize = 4096;
const MAX_NOTES: usize = 256;
// Notes of one rule that keep a place of their own; later ones are only counted. Enough to see a pattern.
const MAX_NOTES_OF_A_RULE: usize = 8;
const MAX_ERRORS: usize = 64;
const MAX_TIMES: usize = 64;

/// Position and time of the event, or plain body, that is being read; the default is the place of notes that belong to
/// no event.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EventPlace {
    /// Offset of its first JSON byte in the body; `None` if the JSON was joined from several `data` lines.
    pub(super) base: Option<u64>,
    /// Span of the whole event, or of the whole body.
    pub(super) span: Span,
    /// Number of the event, from zero.
    pub(super) event: u64,
    /// Arrival time of its first byte.
    pub(super) began: Moment,
    /// Arrival time of its last byte.
    pub(super) moment: Moment,
    /// Whether it is an event of a stream.
    pub(super) is_streamed: bool,
    /// Whether the number of the event is known.
    pub(super) has_number: bool,
}

impl EventPlace {
    /// The place of the bytes `span` of this event.
    pub(super) fn with_span(&self, span: Span) -> AnswerPlace {
        AnswerPlace {
            event: self.has_number.then_some(self.event),
            span: Some(span),
            at: Some(self.moment),
        }
    }
}

/// Collects what a dialect reads from one event or one plain body.
pub struct AnswerBuilder<'a> {
    pub(super) completion: &'a mut Completion,
    pub(super) sink: &'a mut dyn DeltaSink,
    pub(super) retention: AnswerRetention,
    pub(super) place: EventPlace,
    /// Facts about the events before this one.
    pub(super) state: &'a mut StreamState,
    /// Whether this event produced a delta.
    pub(super) has_emitted: bool,
    /// Receives pieces of choices beyond the limit; it is thrown away.
    pub(super) spare_choice: AnswerChoice,
}

impl AnswerBuilder<'_> {
    /// Whether an event of a stream is being read, not a plain body.
    pub(super) fn is_streamed(&self) -> bool {
        self.place.is_streamed
    }

    /// The place of `value`: its span, with the number and the time of its event.
    pub(super) fn place_of(&self, value: JsonValue<'_>) -> AnswerPlace {
        self.place.with_span(self.value_span(value))
    }

    /// The place of the whole event, or of the whole plain body.
    pub(super) fn event_place(&self) -> AnswerPlace {
        self.place.with_span(self.place.span)
    }

    pub(super) fn value_span(&self, value: JsonValue<'_>) -> Span {
        let Some(base) = self.place.base else {
            return self.place.span;
        };
        let own = value.span();
        Span::new(base.saturating_add(own.start), base.saturating_add(own.end))
    }

    /// Passes one piece on to the sink, and keeps as much of it as the options ask for.
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
        // Millions of comments are a cheap attack on memory: they are only counted.
        if self.retention == AnswerRetention::Everything && kind != DeltaKind::Comment {
            self.completion.deltas.push(delta.to_stamp());
        }
        self.sink.delta(&delta);
    }

    /// Reports a delta that belongs to no choice and has no span of its own.
    pub(super) fn emit_event(&mut self, kind: DeltaKind, text: &str) {
        self.emit(0, kind, Cow::Borrowed(text), self.place.span);
    }

    /// The choice with that number, created if it is new; a throw-away choice beyond the limit.
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

    /// Records the id of the answer; a change of the id is noted once.
    pub(super) fn set_id(&mut self, value: JsonValue<'_>) {
        let Some(id) = value.as_str().filter(|id| !id.is_empty()) else {
            return;
        };
        let known = self.completion.id.as_deref();
        if known == Some(&*id) {
            return;
        }
        if let Some(known) = known {
            let facts = vec![("before", known.to_owned()), ("after", id.into_owned())];
            let place = self.place_of(value);
            self.note_once(rule::CHAT_ID_CHANGES, place, facts);
            return;
        }
        self.completion.id = Some(id.into_owned());
    }

    /// Records the model that answers; the last name counts.
    pub(super) fn set_model(&mut self, value: JsonValue<'_>) {
        let Some(model) = value.as_str().filter(|model| !model.is_empty()) else {
            return;
        };
        let known = self.completion.served_model.as_deref();
        if known == Some(&*model) {
            return;
        }
        let place = self.place_of(value);
        match known {
            Some(known) => {
                let facts = vec![
                    ("before", known.to_owned()),
                    ("after", model.clone().into_owned()),
                ];
                self.note_once(rule::MODEL_CHANGES, place, facts);
            }
            None => self.completion.model_place = place,
        }
        self.completion.served_model = Some(model.into_owned());
    }

    /// Records `id`, `model` and `service_tier` of an object that uses these names.
    pub(super) fn set_identity(&mut self, object: JsonValue<'_>) {
        for (key, value) in named_members(object) {
            match &*key {
                "id" => self.set_id(value),
                "model" => self.set_model(value),
                "service_tier" => self.set_service_tier(value),
                _ => {}
            }
        }
    }

    /// Records the service tier.
    pub(super) fn set_service_tier(&mut self, value: JsonValue<'_>) {
        self.completion.tier_place = self.place_of(value);
        set_if_changed(&mut self.completion.service_tier, value);
    }

    /// Records the fingerprint of the configuration (`system_fingerprint`).
    pub(super) fn set_fingerprint(&mut self, value: JsonValue<'_>) {
        set_if_changed(&mut self.completion.system_fingerprint, value);
    }

    /// Records the role of a choice; reported as a delta once.
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

    /// Adds a piece of the answer's text. Ignores values that are not strings.
    pub(super) fn push_text(&mut self, choice: u32, value: JsonValue<'_>) {
        let Some(text) = value.as_str() else { return };
        let keep = self.retention;
        let place = self.place_of(value);
        let own = self.choice_mut(choice);
        if own.text_bytes == 0 {
            own.text_place = place;
        }
        keep.append(&mut own.text, own.text_bytes, &text);
        own.text_bytes = own.text_bytes.saturating_add(text.len() as u64);
        self.emit_piece(choice, DeltaKind::Text, text, value);
    }

    /// Adds a piece of reasoning.
    pub(super) fn push_reasoning(&mut self, choice: u32, value: JsonValue<'_>) {
        let Some(text) = value.as_str() else { return };
        let keep = self.retention;
        let own = self.choice_mut(choice);
        keep.append(&mut own.reasoning, own.reasoning_bytes, &text);
        own.reasoning_bytes = own.reasoning_bytes.saturating_add(text.len() as u64);
        self.emit_piece(choice, DeltaKind::Reasoning, text, value);
    }

    /// Adds a piece of a refusal.
    pub(super) fn push_refusal(&mut self, choice: u32, value: JsonValue<'_>) {
        let Some(text) = value.as_str().filter(|text| !text.is_empty()) else {
            return;
        };
        let keep = self.retention;
        let own = self.choice_mut(choice).refusal.get_or_insert_default();
        keep.append(own, own.len() as u64, &text);
        self.emit_piece(choice, DeltaKind::Refusal, text, value);
    }

    /// Adds a piece of text of any kind. Empty pieces are dropped: providers begin streams with them.
    pub(super) fn emit_piece(
        &mut self,
        choice: u32,
        kind: DeltaKind,
        text: Cow<'_, str>,
        value: JsonValue<'_>,
    ) {
        if !text.is_empty() {
            self.note_after_finish(choice, kind, value);
            let span = self.value_span(value);
            self.emit(choice, kind, text, span);
        }
    }

    /// Notes a piece of the answer that comes in a later event than the finish reason of its choice.
    fn note_after_finish(&mut self, choice: u32, kind: DeltaKind, value: JsonValue<'_>) {
        let event = self.place.event;
        let finish = self.choice_mut(choice).finish.as_ref();
        let finished = finish.and_then(|finish| finish.place.event);
        if self.place.is_streamed && kind.is_token() && finished.is_some_and(|at| at < event) {
            let place = self.place_of(value);
            self.note_once(rule::CHAT_TEXT_AFTER_FINISH, place, vec![]);
        }
    }

    /// Adds audio, a base64 string, of which only the size is reported.
    pub(super) fn push_audio(&mut self, choice: u32, data: JsonValue<'_>) {
        self.choice_mut(choice).audio = true;
        let size = data.span().len().saturating_sub(2);
        if size > 0 && data.kind() == JsonKind::String {
            let span = self.value_span(data);
            self.emit(choice, DeltaKind::Audio, Cow::Owned(size.to_string()), span);
        }
    }

    /// Adds an image, whose data is base64 or an address, of which only the size is reported.
    pub(super) fn push_image(&mut self, choice: u32, data: JsonValue<'_>) {
        let own = self.choice_mut(choice);
        own.images = own.images.saturating_add(1);
        let size = data.span().len().saturating_sub(2);
        let span = self.value_span(data);
        self.emit(choice, DeltaKind::Image, Cow::Owned(size.to_string()), span);
    }

    /// Adds the source that an object names by an address, the id of a file or a title, unless the answer already has it.
    pub(super) fn push_citation(&mut self, choice: u32, object: JsonValue<'_>) {
        let word = |keys: &[&str]| {
            let found = keys.iter().find_map(|key| text_at(object, key));
            found.map(Cow::into_owned)
        };
        let cited = word(&["cited_text"]);
        // Anthropic cites documents that have neither address nor title.
        let source = word(&["url", "uri", "file_id", "source", "document_title"])
            .or_else(|| cited.as_ref().map(|_| String::new()));
        if let Some(source) = source {
            let citation = Citation {
                source,
                title: word(&["title", "filename", "document_title"]),
                cited,
            };
            self.add_citation(choice, citation, object);
        }
    }

    /// Adds a citation, unless the answer already has it.
    pub(super) fn add_citation(&mut self, choice: u32, citation: Citation, value: JsonValue<'_>) {
        let known = &mut self.choice_mut(choice).citations;
        if known.len() >= MAX_CITATIONS || known.contains(&citation) {
            return;
        }
        let text = citation.source.clone();
        known.push(citation);
        let span = self.value_span(value);
        self.emit(choice, DeltaKind::Citation, Cow::Owned(text), span);
    }

    /// Records why a choice stopped.
    pub(super) fn set_finish(&mut self, choice: u32, value: JsonValue<'_>) {
        if let Some(named) = non_empty_str(value) {
            let place = self.place_of(value);
            self.set_finish_reason(choice, &named, place);
        }
    }

    /// Records why a choice stopped, by a word that the dialect derived.
    pub(super) fn set_finish_reason(&mut self, choice: u32, named: &str, place: AnswerPlace) {
        let known = &mut self.choice_mut(choice).finish;
        match known {
            Some(known) if known.named == named => return,
            Some(known) => {
                let facts = vec![("before", known.named.clone()), ("after", named.to_owned())];
                *known = FinishReason::new(named, place);
                self.note(rule::CHAT_FINISH_TWICE, place, facts);
            }
            None => *known = Some(FinishReason::new(named, place)),
        }
        let span = place.span.unwrap_or(self.place.span);
        self.emit(choice, DeltaKind::Finish, Cow::Borrowed(named), span);
    }

    /// Replaces the token counts.
    pub(super) fn replace_usage(&mut self, object: JsonValue<'_>, add: UsageArithmetic) {
        let mut usage = TokenUsage::default();
        usage.merge_counts(object);
        self.apply_usage(usage, object, add);
    }

    /// Merges token counts into those before.
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
        let place = self.place_of(object);
        self.completion.usage_place = place;
        self.state.count_usage(self.event_place());
        // A running count gives no sum yet; the last one decides.
        self.state.usage_note = note.map(|note| note.at(place));
        let span = self.value_span(object);
        self.emit(0, DeltaKind::Usage, Cow::Owned(text), span);
    }

    /// Records server times among the members of `object`, recognised by suffix: `_time` in seconds (Groq, Cerebras),
    /// `_ms` (llama.cpp), `Ms` (Bedrock), `_duration` in nanoseconds (Ollama).
    pub(super) fn record_times(&mut self, prefix: &str, object: JsonValue<'_>) {
        for (key, value) in object.members() {
            let Some(key) = key.as_str().filter(|key| !key.contains("_per_")) else {
                continue;
            };
            let ends = [
                ("_time", 1e6),
                ("_ms", 1e3),
                ("Ms", 1e3),
                ("_duration", 1e-3),
            ];
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

    /// Adds an error, unless the answer already has it.
    pub(super) fn push_error(&mut self, error: ApiError, span: Span) {
        if self.place.is_streamed {
            let place = self.event_place();
            self.note(rule::ERROR_IN_STREAM, place, vec![]);
        }
        self.push_hidden_error(error, span);
    }

    /// Adds an error that no client sees as one, unless the answer already has it.
    pub(super) fn push_hidden_error(&mut self, mut error: ApiError, span: Span) {
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

    /// Records the end mark of the dialect.
    pub(super) fn mark_done(&mut self, text: &str) {
        self.completion.done = true;
        self.state.has_ended = true;
        self.emit_event(DeltaKind::Done, text);
    }

    /// A note about the whole event.
    pub(super) fn event_note(&self, rule: &'static str, facts: NoteFacts) -> AnswerNote {
        AnswerNote::new(rule, self.event_place(), facts)
    }

    /// Adds a note about the rule `rule`, unless there are many of them already: then it is counted.
    pub(super) fn note(&mut self, rule: &'static str, place: AnswerPlace, facts: NoteFacts) {
        self.add_note(AnswerNote::new(rule, place, facts), MAX_NOTES_OF_A_RULE);
    }

    /// Adds a note whose later occurrences in the same answer are only counted.
    pub(super) fn note_once(&mut self, rule: &'static str, place: AnswerPlace, facts: NoteFacts) {
        self.add_note(AnswerNote::new(rule, place, facts), 1);
    }

    /// Adds `note`, or counts it where the answer has `most` notes of its rule.
    pub(super) fn add_note(&mut self, note: AnswerNote, most: usize) {
        let notes = &mut self.completion.notes;
        let is_full = notes.len() >= MAX_NOTES;
        let mut same = notes.iter_mut().filter(|known| known.rule == note.rule);
        let count = same.by_ref().take(most.saturating_sub(1)).count();
        match same.next() {
            Some(last) if count.saturating_add(1) >= most => {
                last.count = last.count.saturating_add(1);
            }
            _ if is_full => {}
            _ => notes.push(note),
        }
    }
}

fn set_if_changed(place: &mut Option<String>, value: JsonValue<'_>) {
    if let Some(text) = non_empty_str(value)
        && place.as_deref() != Some(&*text)
    {
        *place = Some(text.into_owned());
    }
}

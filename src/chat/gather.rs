//! Joins pieces to an answer, and tells each of them: what all dialects write into.

use std::borrow::Cow;

use super::Keep;
use super::completion::{Choice, Citation, Completion, Note, NoteKind};
use super::delta::{Delta, DeltaKind, Hear};
use super::errors::ApiError;
use super::finish::Finish;
use super::usage::{self, Arithmetic, Usage};
use crate::json::{JsonKind, JsonValue};
use crate::span::{Moment, Span};

/// How many of each are kept: no real answer has as many, and memory must stay bounded.
const CHOICES: usize = 1024;
const CITATIONS: usize = 4096;
const NOTES: usize = 256;
const ERRORS: usize = 64;
const TIMES: usize = 64;

/// Where the JSON stands that is being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Offset of its first byte in the body; `None` if it was joined from several lines.
    pub(super) base: Option<u64>,
    /// All of the event, or of the body.
    pub(super) span: Span,
    /// Number of the event.
    pub(super) event: u64,
    /// When its first byte came.
    pub(super) begun: Moment,
    /// When its last byte came.
    pub(super) moment: Moment,
    /// Whether it is an event of a stream.
    pub(super) streamed: bool,
}

/// What a dialect writes into while it reads one event, or one body.
pub struct Gather<'a> {
    pub(super) completion: &'a mut Completion,
    pub(super) hear: &'a mut dyn Hear,
    pub(super) keep: Keep,
    pub(super) place: Place,
    /// Whether anything was told.
    pub(super) told: bool,
    /// Takes what belongs to a choice that is one too many.
    pub(super) spare: Choice,
}

impl Gather<'_> {
    /// Whether it is an event of a stream that is read, not a whole body.
    pub(super) fn is_streamed(&self) -> bool {
        self.place.streamed
    }

    pub(super) fn span(&self, value: JsonValue<'_>) -> Span {
        let Some(base) = self.place.base else {
            return self.place.span;
        };
        let own = value.span();
        Span::new(base.saturating_add(own.start), base.saturating_add(own.end))
    }

    /// Tells one piece, and keeps what is to be kept of it.
    pub(super) fn tell(&mut self, choice: u32, kind: DeltaKind, text: Cow<'_, str>, span: Span) {
        let delta = Delta {
            choice,
            kind,
            text,
            span,
            whole: self.place.span,
            event: self.place.event,
            begun: self.place.begun,
            moment: self.place.moment,
        };
        self.told = true;
        if kind.is_token() && !delta.text.is_empty() {
            let moment = self.place.moment;
            self.completion.first_token.get_or_insert(moment);
            self.completion.last_token = Some(moment);
        }
        if self.keep == Keep::All {
            self.completion.deltas.push(delta.stamp());
        }
        self.hear.delta(&delta);
    }

    /// Tells something that belongs to no choice and stands nowhere in particular.
    pub(super) fn tell_event(&mut self, kind: DeltaKind, text: &str) {
        self.tell(0, kind, Cow::Borrowed(text), self.place.span);
    }

    /// The choice with that number, made if it is new; one that is thrown away if there are too many.
    pub(super) fn choice(&mut self, index: u32) -> &mut Choice {
        let choices = &mut self.completion.choices;
        let at = choices.partition_point(|choice| choice.index < index);
        let is_known = choices.get(at).is_some_and(|choice| choice.index == index);
        let has_room = choices.len() < CHOICES;
        if !is_known && has_room {
            choices.insert(at, Choice::new(index));
        }
        match choices.get_mut(at) {
            Some(choice) if is_known || has_room => choice,
            _ => &mut self.spare,
        }
    }

    /// The id of the answer; a change of it is told once.
    pub(super) fn id(&mut self, value: JsonValue<'_>) {
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
            let span = self.span(value);
            self.note_once(NoteKind::IdChanged, text, Some(span));
            return;
        }
        self.completion.id = Some(id.into_owned());
    }

    /// The model that answers; the last that is named counts.
    pub(super) fn model(&mut self, value: JsonValue<'_>) {
        let Some(model) = value.as_str().filter(|model| !model.is_empty()) else {
            return;
        };
        let known = self.completion.served_model.as_deref();
        if known == Some(&*model) {
            return;
        }
        if let Some(known) = known {
            let text = format!("the model changes from {known} to {model}");
            let span = self.span(value);
            self.note_once(NoteKind::ModelChanged, text, Some(span));
        }
        self.completion.served_model = Some(model.into_owned());
    }

    /// Id, model and tier of an object that has them under these names.
    pub(super) fn identity(&mut self, object: JsonValue<'_>) {
        for (key, value) in object.members() {
            let Some(key) = key.as_str() else { continue };
            match &*key {
                "id" => self.id(value),
                "model" => self.model(value),
                "service_tier" => self.service_tier(value),
                _ => {}
            }
        }
    }

    /// The tier it is served in.
    pub(super) fn service_tier(&mut self, value: JsonValue<'_>) {
        set(&mut self.completion.service_tier, value);
    }

    /// The configuration it ran with.
    pub(super) fn fingerprint(&mut self, value: JsonValue<'_>) {
        set(&mut self.completion.system_fingerprint, value);
    }

    /// Who speaks; told once.
    pub(super) fn role(&mut self, choice: u32, value: JsonValue<'_>) {
        let Some(role) = value.as_str().filter(|role| !role.is_empty()) else {
            return;
        };
        let known = &mut self.choice(choice).role;
        if known.as_deref() == Some(&*role) {
            return;
        }
        *known = Some(role.clone().into_owned());
        let span = self.span(value);
        self.tell(choice, DeltaKind::Role, role, span);
    }

    /// A piece of the answer. Anything but a string is none.
    pub(super) fn text(&mut self, choice: u32, value: JsonValue<'_>) {
        let Some(text) = value.as_str() else { return };
        let keep = self.keep;
        let own = self.choice(choice);
        keep.append(&mut own.text, own.text_bytes, &text);
        own.text_bytes = own.text_bytes.saturating_add(text.len() as u64);
        self.piece(choice, DeltaKind::Text, text, value);
    }

    /// A piece of what the model thinks.
    pub(super) fn reasoning(&mut self, choice: u32, value: JsonValue<'_>) {
        let Some(text) = value.as_str() else { return };
        let keep = self.keep;
        let own = self.choice(choice);
        keep.append(&mut own.reasoning, own.reasoning_bytes, &text);
        own.reasoning_bytes = own.reasoning_bytes.saturating_add(text.len() as u64);
        self.piece(choice, DeltaKind::Reasoning, text, value);
    }

    /// A piece of a refusal.
    pub(super) fn refusal(&mut self, choice: u32, value: JsonValue<'_>) {
        let Some(text) = value.as_str().filter(|text| !text.is_empty()) else {
            return;
        };
        let keep = self.keep;
        let own = self.choice(choice).refusal.get_or_insert_default();
        keep.append(own, own.len() as u64, &text);
        self.piece(choice, DeltaKind::Refusal, text, value);
    }

    /// Empty pieces are told by nobody: providers begin streams with them.
    pub(super) fn piece(
        &mut self,
        choice: u32,
        kind: DeltaKind,
        text: Cow<'_, str>,
        value: JsonValue<'_>,
    ) {
        if !text.is_empty() {
            let span = self.span(value);
            self.tell(choice, kind, text, span);
        }
    }

    /// Audio: a string of base64, of which only the size is told.
    pub(super) fn audio(&mut self, choice: u32, data: JsonValue<'_>) {
        self.choice(choice).audio = true;
        let size = data.span().len().saturating_sub(2);
        if size > 0 && data.kind() == JsonKind::String {
            let span = self.span(data);
            self.tell(choice, DeltaKind::Audio, Cow::Owned(size.to_string()), span);
        }
    }

    /// Something the answer refers to. What was told before is not told again.
    pub(super) fn citation(&mut self, choice: u32, citation: Citation, value: JsonValue<'_>) {
        let known = &mut self.choice(choice).citations;
        if known.len() >= CITATIONS || known.contains(&citation) {
            return;
        }
        let text = citation.source.clone();
        known.push(citation);
        let span = self.span(value);
        self.tell(choice, DeltaKind::Citation, Cow::Owned(text), span);
    }

    /// Why a choice stopped.
    pub(super) fn finish(&mut self, choice: u32, value: JsonValue<'_>) {
        if let Some(named) = filled(value) {
            let span = self.span(value);
            self.finish_named(choice, &named, span);
        }
    }

    /// The same, in a word that stands nowhere as it is.
    pub(super) fn finish_named(&mut self, choice: u32, named: &str, span: Span) {
        let known = &mut self.choice(choice).finish;
        match known {
            Some(known) if known.named == named => return,
            Some(known) => {
                let text = format!(
                    "choice {choice} finished as {}, and then as {named}",
                    known.named
                );
                *known = Finish::new(named);
                self.note(NoteKind::FinishChanged, text, Some(span));
            }
            None => *known = Some(Finish::new(named)),
        }
        self.tell(choice, DeltaKind::Finish, Cow::Borrowed(named), span);
    }

    /// Token counts that replace those before.
    pub(super) fn usage(&mut self, object: JsonValue<'_>, add: Arithmetic) {
        let mut usage = Usage::default();
        usage.take(object);
        self.settle(usage, object, add);
    }

    /// Token counts that add to, or correct, those before.
    pub(super) fn more_usage(&mut self, object: JsonValue<'_>, add: Arithmetic) {
        let mut usage = self.completion.usage.clone().unwrap_or_default();
        usage.take(object);
        self.settle(usage, object, add);
    }

    fn settle(&mut self, mut usage: Usage, object: JsonValue<'_>, add: Arithmetic) {
        if usage.named.is_empty() {
            return;
        }
        let note = add(&mut usage);
        self.completion.cost = usage::cost(object).or(self.completion.cost.take());
        let text = match (usage.input, usage.output) {
            (Some(input), Some(output)) => format!("{input} in, {output} out"),
            (Some(input), None) => format!("{input} in"),
            (None, Some(output)) => format!("{output} out"),
            (None, None) => String::new(),
        };
        self.completion.usage = Some(usage);
        let span = self.span(object);
        // A running count gives no sum yet; the last one decides.
        self.completion
            .notes
            .retain(|note| note.kind != NoteKind::UsageSum);
        if let Some(note) = note {
            self.note(NoteKind::UsageSum, note, Some(span));
        }
        self.tell(0, DeltaKind::Usage, Cow::Owned(text), span);
    }

    /// Times among the members of `object`, each told by its ending: `_time` in seconds (Groq, Cerebras), `_ms`
    /// (llama.cpp), `_duration` in nanoseconds (Ollama).
    pub(super) fn times(&mut self, prefix: &str, object: JsonValue<'_>) {
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
            let has_room = known.len() < TIMES;
            match known.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = micros,
                None if has_room => known.push((name, micros)),
                None => {}
            }
        }
    }

    /// Something went wrong. What was told before is not told again.
    pub(super) fn error(&mut self, mut error: ApiError, span: Span) {
        error.in_stream = self.place.streamed;
        error.span = Some(span);
        let known = &mut self.completion.errors;
        if known.len() >= ERRORS || known.iter().any(|known| known.repeats(&error)) {
            return;
        }
        let text = error.message.clone();
        known.push(error);
        self.tell(0, DeltaKind::Error, Cow::Owned(text), span);
    }

    /// The end mark of the dialect.
    pub(super) fn done(&mut self, text: &str) {
        self.completion.done = true;
        self.tell_event(DeltaKind::Done, text);
    }

    /// Something that deserves a word.
    pub(super) fn note(&mut self, kind: NoteKind, text: String, span: Option<Span>) {
        let notes = &mut self.completion.notes;
        if notes.len() < NOTES {
            notes.push(Note { kind, text, span });
        }
    }

    /// The same, for what would be told of every event.
    pub(super) fn note_once(&mut self, kind: NoteKind, text: String, span: Option<Span>) {
        if !self.completion.notes.iter().any(|note| note.kind == kind) {
            self.note(kind, text, span);
        }
    }
}

/// A string that is not empty.
pub(super) fn filled(value: JsonValue<'_>) -> Option<Cow<'_, str>> {
    value.as_str().filter(|text| !text.is_empty())
}

fn set(place: &mut Option<String>, value: JsonValue<'_>) {
    if let Some(text) = filled(value)
        && place.as_deref() != Some(&*text)
    {
        *place = Some(text.into_owned());
    }
}

/// A number of a choice or an item.
pub(super) fn number(value: Option<JsonValue<'_>>) -> Option<u32> {
    u32::try_from(value?.as_u64()?).ok()
}

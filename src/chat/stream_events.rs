//! Reads the events of a streamed answer: end marks, JSON, errors, events of others, and what cannot be read.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::AnswerRetention;
use super::api_error::ApiError;
use super::builder::{AnswerBuilder, EventPlace};
use super::completion::{AnswerChoice, BodyMediaType, Completion};
use super::delta::{DeltaKind, DeltaSink};
use super::dialect::Dialect;
use super::members::{non_empty_str, text_at};
use super::note::{AnswerPlace, NoteFacts, Severity, rule};
use super::profile::{EndSignal, EventNaming};
use super::reader::AnswerReader;
use super::stream_state::StreamState;
use crate::json::{JsonDocument, JsonError, JsonKind, JsonValue};
use crate::span::Span;
use crate::sse::{SseEvent, StreamItem, TruncatedEvent};
use crate::tape::Window;

/// Most bytes of an unreadable event that its finding repeats: enough to recognise it.
const MAX_QUOTED: usize = 200;

impl AnswerReader {
    /// Reads one item of a stream. Only events with data are numbered.
    pub(super) fn take_item(
        &mut self,
        item: StreamItem,
        seen: Window<'_>,
        place: EventPlace,
        sink: &mut dyn DeltaSink,
    ) {
        let is_numbered = item.is_numbered();
        match item {
            StreamItem::Separator(span) => self.note_bom(span, seen),
            StreamItem::Event(event) => self.take_event(event, seen, place, sink),
            StreamItem::Comment { text, .. } => {
                self.completion.comments = self.completion.comments.saturating_add(1);
                let text = String::from_utf8_lossy(seen.slice(text));
                self.with_builder(place, sink, |builder| {
                    builder.emit_event(DeltaKind::Comment, &text);
                });
            }
            StreamItem::WithoutData(event) => {
                self.with_builder(place, sink, |builder| {
                    note_form(&event, seen, builder);
                    builder.emit_event(DeltaKind::Other, "");
                });
            }
            StreamItem::TooLong(span) => {
                let facts = vec![("bytes", span.len().to_string())];
                self.with_builder(place, sink, |builder| {
                    builder.note(rule::ANSWER_TOO_LARGE, builder.event_place(), facts);
                    builder.emit_event(DeltaKind::Other, "");
                });
            }
            StreamItem::Truncated(cut) => self.take_cut_event(cut, seen, place, sink),
            StreamItem::Unframed { fault, .. } => {
                self.note_frame_fault(rule::EVENTSTREAM_FRAMING_LOST, fault, place, sink);
                self.with_builder(place, sink, |builder| {
                    builder.emit_event(DeltaKind::Other, "bytes without framing");
                });
            }
        }
        self.next_event = self.next_event.saturating_add(is_numbered.into());
    }

    fn note_bom(&mut self, span: Span, seen: Window<'_>) {
        if span.start == 0 && seen.slice(span) == b"\xef\xbb\xbf" {
            let place = AnswerPlace::bytes(span);
            self.note(rule::SSE_BOM, place, vec![]);
        }
    }

    /// Reads a body's last event, which lacks its blank line. If its JSON is whole, it lacks nothing else.
    fn take_cut_event(
        &mut self,
        cut: TruncatedEvent,
        seen: Window<'_>,
        place: EventPlace,
        sink: &mut dyn DeltaSink,
    ) {
        let event = cut.with_line;
        let data = event.data(seen);
        let is_mark = data.trim_ascii() == b"[DONE]";
        let is_whole =
            is_mark || JsonDocument::parse(&data).is_ok_and(|json| is_container(json.root()));
        // What comes after the end mark is no part of the answer.
        if is_whole && event.first_data.is_some() && !self.completion.done {
            self.with_builder(place, sink, |builder| {
                let note = builder.event_note(rule::NO_BLANK_LINE_AT_END, vec![]);
                let severity = if is_mark {
                    Severity::Warning
                } else {
                    Severity::Error
                };
                builder.add_note(note.with_severity(severity), 1);
            });
            let event = SseEvent {
                span: cut.span,
                ..event
            };
            return self.take_event(event, seen, place, sink);
        }
        let text = String::from_utf8_lossy(seen.slice(cut.span));
        let errors = self.completion.errors.len();
        self.with_builder(place, sink, |builder| note_form(&event, seen, builder));
        // A line without a known field name can only hold an error.
        if event.first_data.is_none() && self.completion.errors.len() > errors {
            return;
        }
        self.cut_span = Some(cut.span);
        let facts = vec![("bytes", quote(seen.slice(cut.span)))];
        self.with_builder(place, sink, |builder| {
            if !cut.span.is_empty() {
                builder.note(rule::EVENT_CUT, builder.event_place(), facts);
            }
            builder.emit_event(DeltaKind::Cut, &text);
        });
    }

    fn take_event(
        &mut self,
        event: SseEvent,
        seen: Window<'_>,
        place: EventPlace,
        sink: &mut dyn DeltaSink,
    ) {
        let base = event.first_data.filter(|_| event.data_lines == 1);
        let place = EventPlace {
            base: base.map(|span| span.start),
            span: event.span,
            ..place
        };
        let (data, name) = (event.data(seen), event.name(seen));
        self.completion.first_event.get_or_insert(place.moment);
        self.with_builder(place, sink, |builder| note_form(&event, seen, builder));
        if data.trim_ascii().starts_with(b"[DONE]") {
            return self.take_done_mark(place, sink);
        }
        if self.has_done_mark() && self.completion.done {
            self.with_builder(place, sink, |builder| {
                builder.note_once(rule::SSE_DATA_AFTER_DONE, builder.event_place(), vec![]);
            });
        }
        self.completion.events = self.completion.events.saturating_add(1);
        if let Some(facts) = event.frame
            && self.take_frame_facts(facts, &event, seen, place, sink)
        {
            return;
        }
        match JsonDocument::parse(&data) {
            Ok(document)
                if event.frame.is_some()
                    && self.take_wrapped_event(document.root(), place, sink) => {}
            Ok(document) => self.take_json_event(name, document.root(), place, sink),
            Err(error) => self.take_unreadable_event(&error, name, &data, place, sink),
        }
    }

    /// Whether `[DONE]` ends a stream of this dialect.
    fn has_done_mark(&self) -> bool {
        self.end_signal()
            .is_none_or(|signal| signal != EndSignal::LastEvent)
    }

    fn take_done_mark(&mut self, place: EventPlace, sink: &mut dyn DeltaSink) {
        let is_mark = self.has_done_mark();
        self.with_builder(place, sink, |builder| match is_mark {
            true => builder.mark_done("[DONE]"),
            false => {
                builder.note_once(rule::SSE_DONE_IN_TYPED, builder.event_place(), vec![]);
                builder.emit_event(DeltaKind::Done, "[DONE]");
            }
        });
    }

    pub(super) fn take_json_event(
        &mut self,
        name: &[u8],
        root: JsonValue<'_>,
        place: EventPlace,
        sink: &mut dyn DeltaSink,
    ) {
        self.recognise_dialect(name, root);
        let dialect = self.dialect;
        let is_own = |dialect: &dyn Dialect| dialect.recognise_body(name, root).is_some();
        self.dialect_confirmed |= !self.dialect_confirmed && dialect.is_some_and(is_own);
        let is_file = dialect.is_some_and(|dialect| dialect.profile().is_file);
        if let Some(inner) = dialect.and_then(|dialect| dialect.inner_answer(root)) {
            self.add_inner_answer(inner);
        }
        let is_named_stream = self.media == Some(BodyMediaType::Sse);
        self.with_builder(place, sink, |builder| {
            note_characters(root, builder);
            if let Some(dialect) = dialect.filter(|_| is_named_stream) {
                note_event_name(dialect, name, root, builder);
            }
            let error = ApiError::from_error_key(root);
            let fails = dialect.is_none_or(|dialect| dialect.fails_answer(root));
            let error = error.or_else(|| ApiError::from_error_event(name, root));
            if let Some(error) = error.filter(|_| fails && !is_file) {
                let naming = dialect.map(|dialect| dialect.profile().event_naming);
                let is_typed = matches!(naming, Some(EventNaming::ByType { .. }));
                if is_typed && text_at(root, "type").is_none() {
                    builder.note(rule::ERROR_FOREIGN_SHAPE, builder.event_place(), vec![]);
                }
                note_error_shape(root, dialect, &error, builder);
                builder.push_error(error, builder.value_span(root));
            } else if let Some(dialect) =
                dialect.filter(|dialect| is_foreign(*dialect, name) && !is_own(*dialect))
            {
                note_foreign(dialect, name, builder);
                return builder.emit_event(DeltaKind::Other, &String::from_utf8_lossy(name));
            }
            if let Some(dialect) = dialect {
                dialect.read_event(name, root, builder);
            }
            // An event without a piece of the answer is seen all the same.
            if !builder.has_emitted {
                let kinds = ["type", "event_type", "object"];
                let kind = kinds.iter().find_map(|key| non_empty_str(root.get(key)?));
                let kind = kind.unwrap_or_default();
                builder.emit_event(DeltaKind::Other, &kind);
            }
        });
    }

    /// Reads an event whose data is not JSON as far as possible, and records that a piece may be missing.
    pub(super) fn take_unreadable_event(
        &mut self,
        error: &JsonError,
        name: &[u8],
        data: &[u8],
        place: EventPlace,
        sink: &mut dyn DeltaSink,
    ) {
        let text = match String::from_utf8_lossy(data) {
            Cow::Borrowed(text) => Cow::Borrowed(text),
            Cow::Owned(text) => {
                self.note_invalid_utf8(rule::EVENT_NOT_UTF8, data, place, sink);
                // A bad byte costs that byte, not the whole piece.
                if let Ok(document) = JsonDocument::parse(text.as_bytes()) {
                    let place = EventPlace {
                        base: None,
                        ..place
                    };
                    return self.take_json_event(name, document.root(), place, sink);
                }
                Cow::Owned(text)
            }
        };
        let Some(dialect) = self.dialect.filter(|_| !text.trim().is_empty()) else {
            return self.with_builder(place, sink, |builder| {
                builder.emit_event(DeltaKind::Other, &text)
            });
        };
        if name != b"error" && is_foreign(dialect, name) {
            return self.with_builder(place, sink, |builder| {
                note_foreign(dialect, name, builder);
                builder.emit_event(DeltaKind::Other, &text);
            });
        }
        let is_words = name == b"error" || is_plain_text(&text);
        let (rule, facts) = match name {
            b"error" => (None, vec![]),
            _ => {
                let (rule, facts) = describe_damage(error, data, dialect);
                (Some(rule), facts)
            }
        };
        if !is_words {
            self.count_damaged_event();
        }
        self.with_builder(place, sink, |builder| {
            if let Some(rule) = rule {
                builder.note(rule, builder.event_place(), facts);
            }
            if is_words {
                builder.push_error(ApiError::from_text(text.as_bytes()), builder.place.span);
            }
            builder.emit_event(DeltaKind::Other, &text);
        });
    }

    /// Counts an event of which a piece may be missing.
    pub(super) fn count_damaged_event(&mut self) {
        self.completion.damaged_events = self.completion.damaged_events.saturating_add(1);
    }

    /// Notes the bytes of `data` that are not UTF-8.
    pub(super) fn note_invalid_utf8(
        &mut self,
        rule: &'static str,
        data: &[u8],
        place: EventPlace,
        sink: &mut dyn DeltaSink,
    ) {
        let invalid = data.utf8_chunks().map(|chunk| chunk.invalid());
        let invalid: Vec<_> = invalid.filter(|bytes| !bytes.is_empty()).collect();
        let count: usize = invalid.iter().map(|bytes| bytes.len()).sum();
        self.completion.invalid_bytes = self.completion.invalid_bytes.saturating_add(count as u64);
        let first = invalid.first().copied().unwrap_or_default();
        let facts = vec![("count", count.to_string()), ("bytes", hex::encode(first))];
        self.with_builder(place, sink, |builder| {
            builder.note(rule, builder.event_place(), facts)
        });
    }
}

fn is_container(value: JsonValue<'_>) -> bool {
    matches!(value.kind(), JsonKind::Object | JsonKind::Array)
}

/// The beginning of `bytes` as text, to be quoted.
pub(super) fn quote(bytes: &[u8]) -> String {
    let kept = bytes.get(..MAX_QUOTED).unwrap_or(bytes);
    String::from_utf8_lossy(kept).trim().to_owned()
}

/// Whether a text is words rather than damaged JSON: `Internal Server Error`, `[ERROR] out of memory`, a page.
fn is_plain_text(text: &str) -> bool {
    let mut letters = text.trim_start().chars();
    match letters.next() {
        Some('[') => letters
            .next()
            .is_some_and(|letter| letter.is_ascii_alphabetic()),
        Some('{' | '"' | ']' | '}' | ',' | ':') => false,
        first => first.is_some_and(|first| !first.is_ascii_digit()),
    }
}

/// The rule that data which is not JSON breaks, with its facts.
fn describe_damage(
    error: &JsonError,
    data: &[u8],
    dialect: &dyn Dialect,
) -> (&'static str, NoteFacts) {
    let mut texts = serde_json::Deserializer::from_slice(data).into_iter::<IgnoredAny>();
    let mut starts = vec![0];
    while texts.next().is_some_and(|text| text.is_ok()) {
        starts.push(texts.byte_offset());
    }
    let is_whole = data
        .get(texts.byte_offset()..)
        .is_some_and(|rest| rest.trim_ascii().is_empty());
    if is_whole && starts.len() > 2 {
        let count = starts.len().saturating_sub(1);
        let pieces = starts.iter().zip(starts.iter().skip(1));
        let pieces = pieces.filter_map(|(start, end)| data.get(*start..*end));
        let facts = vec![
            ("count", count.to_string()),
            ("holds", describe_pieces(pieces, dialect)),
        ];
        return (rule::EVENTS_NOT_SEPARATED, facts);
    }
    let marks: [&[u8]; 4] = [b"data: {", b"data:{", b"event: ", b"data: ["];
    let spliced = marks
        .iter()
        .filter_map(|mark| memchr::memmem::find(data, mark))
        .min();
    match spliced.filter(|at| *at > 0) {
        Some(at) => {
            let facts = vec![("offset", at.to_string()), ("bytes", quote(data))];
            (rule::FRAME_SPLICED, facts)
        }
        None => {
            let facts = vec![("error", error.to_string()), ("bytes", quote(data))];
            (rule::EVENT_NOT_JSON, facts)
        }
    }
}

/// Notes the form of an event's lines: what the standard ignores, and what only some readers accept.
fn note_form(event: &SseEvent, seen: Window<'_>, builder: &mut AnswerBuilder<'_>) {
    if let Some(line) = event.unknown {
        note_unknown_field(line, seen, builder);
    }
    let forms = [
        (event.has_bare_cr, rule::SSE_CR),
        (event.lacks_space, rule::SSE_NO_SPACE),
        (event.data_lines > 1, rule::SSE_MULTI_LINE),
    ];
    for (_, rule) in forms.into_iter().filter(|(has, _)| *has) {
        builder.note_once(rule, builder.event_place(), vec![]);
    }
}

/// Notes a line that the standard ignores; one that holds an error is read as an error.
fn note_unknown_field(line: Span, seen: Window<'_>, builder: &mut AnswerBuilder<'_>) {
    let bytes = seen.slice(line);
    let text = bytes.trim_ascii();
    let place = builder.place.with_span(line);
    let field = text.split(|byte| *byte == b':').next().unwrap_or_default();
    let rest = text
        .get(field.len().saturating_add(1)..)
        .unwrap_or_default()
        .trim_ascii();
    let is_error = field.trim_ascii().eq_ignore_ascii_case(b"error");
    if !is_error && !is_page(text) {
        let facts = vec![("line", quote(text))];
        return builder.note(rule::SSE_UNKNOWN_FIELD, place, facts);
    }
    let document = JsonDocument::parse(rest).ok();
    let root = document.as_ref().map(JsonDocument::root);
    let read = |root| ApiError::from_error_key(root).or_else(|| ApiError::from_body(root));
    let error = root.and_then(read).or_else(|| match is_error {
        true => Some(ApiError::from_text(rest)),
        false => ApiError::from_page(text),
    });
    builder.note(rule::SSE_ERROR_FIELD, place, vec![("line", quote(text))]);
    if let Some(error) = error {
        builder.push_hidden_error(error, line);
    }
}

/// Whether a line is the beginning of an HTML page.
fn is_page(text: &[u8]) -> bool {
    let marks: [&[u8]; 4] = [b"<!doctype", b"<html", b"<head", b"<title"];
    marks.iter().any(|mark| {
        let start = text.get(..mark.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(mark))
    })
}

/// Notes characters that the server broke, and keys that an object has twice.
pub(super) fn note_characters(root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    if builder.place.base.is_some()
        && let Some(found) = find_replacement_character(root.raw())
    {
        let start = builder.value_span(root).start;
        let span = Span::new(
            start.saturating_add(found.start),
            start.saturating_add(found.end),
        );
        builder.note(
            rule::REPLACEMENT_CHARACTER,
            builder.place.with_span(span),
            vec![],
        );
    }
    if let Some(key) = root.find_repeated_key() {
        let facts = vec![("key", key.as_str().unwrap_or_default().into_owned())];
        builder.note(rule::JSON_DUPLICATE_KEY, builder.place_of(key), facts);
    }
}

/// The first U+FFFD in a JSON text, as a character or as an escape.
fn find_replacement_character(text: &[u8]) -> Option<Span> {
    // One search for the first byte of both forms: most texts have neither.
    const FIRST_BYTE: u8 = 0xEF;
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        let found = memchr::memchr2(FIRST_BYTE, b'\\', rest)?;
        at = at.saturating_add(found);
        let here = text.get(at..)?;
        let is_escape = |escape: &[u8]| escape.eq_ignore_ascii_case(b"\\ufffd");
        let length = match here {
            [FIRST_BYTE, 0xBF, 0xBD, ..] => 3,
            _ if here.get(..6).is_some_and(is_escape) => 6,
            // The character after a backslash begins no escape.
            [b'\\', ..] => {
                at = at.saturating_add(2);
                continue;
            }
            _ => {
                at = at.saturating_add(1);
                continue;
            }
        };
        return Some(Span::new(at as u64, at.saturating_add(length) as u64));
    }
}

/// Notes the name of an event that is missing, or differs from the type in its data.
fn note_event_name(
    dialect: &dyn Dialect,
    name: &[u8],
    root: JsonValue<'_>,
    builder: &mut AnswerBuilder<'_>,
) {
    let EventNaming::ByType { when_missing } = dialect.profile().event_naming else {
        return;
    };
    let Some(kind) = text_at(root, "type") else {
        return;
    };
    let place = builder.event_place();
    if name.is_empty() {
        let note = builder.event_note(rule::EVENT_NAME_MISSING, vec![]);
        builder.add_note(note.with_severity(when_missing), 1);
    } else if name != kind.as_bytes() && dialect.knows_event(kind.as_bytes()) {
        let name = String::from_utf8_lossy(name).into_owned();
        let facts = vec![("name", name), ("type", kind.into_owned())];
        builder.note(rule::EVENT_NAME_DIFFERS, place, facts);
    }
}

/// Whether the name of an event is none of the dialect.
fn is_foreign(dialect: &dyn Dialect, name: &[u8]) -> bool {
    !name.is_empty() && !dialect.knows_event(name)
}

fn note_foreign(dialect: &dyn Dialect, name: &[u8], builder: &mut AnswerBuilder<'_>) {
    let name = String::from_utf8_lossy(name).into_owned();
    let note = builder.event_note(rule::FOREIGN_EVENT, vec![("name", name)]);
    // Clients that choose by name leave unknown names out.
    let note = match dialect.profile().event_naming {
        EventNaming::Unnamed => note,
        _ => note.with_severity(Severity::Info),
    };
    builder.add_note(note, 1);
}

/// Notes an error that is not an object, or that hides the provider's own.
pub(super) fn note_error_shape(
    root: JsonValue<'_>,
    dialect: Option<&'static dyn Dialect>,
    error: &ApiError,
    builder: &mut AnswerBuilder<'_>,
) {
    if let Some(inner) = &error.upstream {
        let facts = vec![
            ("message", inner.message.clone()),
            (
                "provider",
                inner
                    .provider
                    .clone()
                    .unwrap_or_else(|| "the provider".to_owned()),
            ),
        ];
        let place = root.get("error").and_then(|error| error.get("metadata"));
        let place = place.map_or(builder.event_place(), |place| builder.place_of(place));
        builder.note(rule::ERROR_HIDDEN, place, facts);
    }
    let wants_object = dialect.is_some_and(|dialect| dialect.profile().errors_are_objects);
    let is_text = root
        .get("error")
        .is_some_and(|error| error.kind() == JsonKind::String);
    if wants_object && (root.kind() == JsonKind::Array || (is_text && root.get("code").is_none())) {
        builder.note(rule::ERROR_NOT_AN_OBJECT, builder.event_place(), vec![]);
    }
}

/// The answer that `pieces` hold, each the data of one event, in a few words: text and tool calls.
fn describe_pieces<'a>(pieces: impl Iterator<Item = &'a [u8]>, dialect: &dyn Dialect) -> String {
    let mut completion = Completion::default();
    let mut builder = AnswerBuilder {
        completion: &mut completion,
        sink: &mut (),
        retention: AnswerRetention::TextStart,
        place: EventPlace {
            is_streamed: true,
            has_number: true,
            ..EventPlace::default()
        },
        state: &mut StreamState::default(),
        has_emitted: false,
        spare_choice: AnswerChoice::default(),
    };
    for piece in pieces {
        if let Ok(document) = JsonDocument::parse(piece) {
            dialect.read_event(b"", document.root(), &mut builder);
        }
    }
    let mut parts = Vec::new();
    for choice in &completion.choices {
        parts.extend(Some(choice.text.clone()).filter(|text| !text.is_empty()));
        let calls = choice.tool_calls.iter();
        parts.extend(calls.map(|call| format!("{}({})", call.name, call.arguments)));
    }
    match parts.is_empty() {
        true => "no text".to_owned(),
        false => parts.join(", "),
    }
}

//! Reads bodies that are not streamed: one JSON text, or an error page.

use std::borrow::Cow;

use super::api_error::ApiError;
use super::builder::{AnswerBuilder, EventPlace};
use super::completion::BodyMediaType;
use super::delta::{DeltaKind, DeltaSink};
use super::dialect::Dialect;
use super::note::{AnswerPlace, rule};
use super::reader::{AnswerReader, MomentLookup};
use super::stream_events::{note_characters, note_error_shape};
use crate::json::{JsonDocument, JsonError, JsonFault, JsonKind, JsonValue, NestingScanner};
use crate::span::Span;
use crate::tape::Window;

impl AnswerReader {
    /// Reads a body that is not streamed, once it is whole.
    pub(super) fn step_plain(
        &mut self,
        media: BodyMediaType,
        seen: Window<'_>,
        moments: MomentLookup<'_>,
        sink: &mut dyn DeltaSink,
    ) -> u64 {
        let held = seen.bytes.len() as u64;
        if self.plain_done {
            self.follow_large_json(seen);
            return seen.end();
        }
        let enough = match media {
            BodyMediaType::Json => self.size_limit,
            _ => MAX_PAGE_BYTES,
        };
        if !seen.ended && held <= enough {
            return seen.base;
        }
        self.plain_done = true;
        if self.is_file() {
            return seen.end();
        }
        let place = EventPlace {
            base: Some(seen.base),
            span: Span::new(seen.base, seen.end()),
            event: 0,
            began: moments(seen.base),
            moment: moments(seen.end().saturating_sub(1)),
            is_streamed: false,
            has_number: false,
        };
        match media {
            BodyMediaType::Json if held > self.size_limit => {
                // The limit, since the bytes held so far depend on the reads.
                let facts = vec![("bytes", format!("more than {}", self.size_limit))];
                self.note(rule::ANSWER_TOO_LARGE, AnswerPlace::default(), facts);
                self.large_json = Some(NestingScanner::default());
                self.follow_large_json(seen);
            }
            BodyMediaType::Json => self.read_document(seen, place, sink),
            _ => self.read_error_page(seen, place, sink),
        }
        seen.end()
    }

    /// Follows a JSON body that is too large to be read: at its end, it is cut if a bracket or a string is open.
    fn follow_large_json(&mut self, seen: Window<'_>) {
        let Some(nesting) = &mut self.large_json else {
            return;
        };
        nesting.push(seen.bytes);
        if seen.ended && nesting.is_open() {
            self.cut_span = Some(Span::new(0, seen.end()));
        }
    }

    fn read_document(&mut self, seen: Window<'_>, place: EventPlace, sink: &mut dyn DeltaSink) {
        self.note_blank_lines(seen);
        let bytes = seen
            .bytes
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(seen.bytes);
        let skipped = seen.bytes.len().saturating_sub(bytes.len()) as u64;
        if skipped > 0 {
            let mark = AnswerPlace::bytes(Span::new(0, skipped));
            self.note(rule::JSON_BOM, mark, vec![]);
        }
        let lossy = String::from_utf8_lossy(bytes);
        let (document, place) = match (JsonDocument::parse(bytes), &lossy) {
            (Ok(document), _) => (document, place),
            (Err(error), Cow::Borrowed(_)) => {
                return self.take_invalid_json(&error, seen, place, sink);
            }
            // A bad byte costs that byte, not the whole answer.
            (Err(_), Cow::Owned(text)) => {
                self.note_invalid_utf8(rule::JSON_NOT_UTF8, bytes, place, sink);
                match JsonDocument::parse(text.as_bytes()) {
                    Ok(document) => (
                        document,
                        EventPlace {
                            base: None,
                            ..place
                        },
                    ),
                    Err(error) => return self.take_invalid_json(&error, seen, place, sink),
                }
            }
        };
        let root = document.root();
        let place = EventPlace {
            base: place.base.map(|base| base.saturating_add(skipped)),
            ..place
        };
        self.recognise_dialect(b"", root);
        self.completion.first_event.get_or_insert(place.moment);
        let (dialect, failed) = (self.dialect, self.is_error_status());
        let is_answer = dialect.is_none_or(|dialect| dialect.recognise_body(b"", root).is_some());
        self.with_builder(place, sink, |builder| {
            note_characters(root, builder);
            let error = match failed {
                true => ApiError::from_body(root),
                false => ApiError::from_successful_body(root, is_answer),
            };
            if let Some(error) = error {
                note_error_shape(root, dialect, &error, builder);
                if !failed && dialect.is_some() {
                    builder.note(rule::ERROR_INSIDE_200, builder.event_place(), vec![]);
                }
                builder.push_error(error, builder.value_span(root));
            } else if let Some(dialect) = dialect.filter(|_| !failed && !is_answer) {
                note_other_shape(root, dialect, builder);
            }
            if let Some(dialect) = dialect.filter(|_| !failed) {
                dialect.read_body(root, builder);
            }
        });
    }

    /// Notes empty lines before the answer: DeepSeek sends them under load.
    fn note_blank_lines(&mut self, seen: Window<'_>) {
        let blank = seen
            .bytes
            .len()
            .saturating_sub(seen.bytes.trim_ascii_start().len());
        let lines = memchr::memchr_iter(b'\n', seen.bytes.get(..blank).unwrap_or_default()).count();
        if lines > 0 {
            let place = AnswerPlace::bytes(Span::new(0, blank as u64));
            self.note(
                rule::KEEP_ALIVE_LINES,
                place,
                vec![("lines", lines.to_string())],
            );
        }
    }

    /// Whether the body is the content of a file, which may be anything.
    pub(super) fn is_file(&self) -> bool {
        let is_file = |dialect: &dyn Dialect| dialect.profile().is_file;
        self.dialect.is_some_and(is_file) && !self.is_error_status()
    }

    fn is_error_status(&self) -> bool {
        self.completion.status.is_some_and(|status| status >= 400)
    }

    /// Handles a body that is not valid JSON. JSON that ends too early was cut; other faults were sent.
    fn take_invalid_json(
        &mut self,
        error: &JsonError,
        seen: Window<'_>,
        place: EventPlace,
        sink: &mut dyn DeltaSink,
    ) {
        if matches!(error.kind, JsonFault::Truncated { .. }) {
            self.cut_span = Some(place.span);
        }
        let facts = vec![("error", error.to_string())];
        self.note(
            rule::JSON_BODY_BROKEN,
            AnswerPlace::bytes(place.span),
            facts,
        );
        self.read_error_page(seen, place, sink);
    }

    /// Reads a body that is neither JSON nor a stream as an error. Only its beginning is read, so that the result does not
    /// depend on how much of it has arrived.
    fn read_error_page(&mut self, seen: Window<'_>, place: EventPlace, sink: &mut dyn DeltaSink) {
        let is_page = matches!(self.media, Some(BodyMediaType::Html | BodyMediaType::Text));
        let may_be_error = self.is_error_status() || (is_page && self.dialect.is_some());
        if !may_be_error || self.media == Some(BodyMediaType::Binary) {
            return;
        }
        if self.media == Some(BodyMediaType::Html) && !self.is_named && self.is_error_status() {
            self.completion.dialect = None;
            self.completion.why = "a page is the answer of no model".to_owned();
            self.dialect = None;
        }
        let start = seen.base;
        let begins = Span::new(start, seen.end().min(start.saturating_add(MAX_PAGE_BYTES)));
        let place = EventPlace {
            span: begins,
            ..place
        };
        if let Some(mut error) = ApiError::from_page(seen.slice(begins)) {
            error.span = Some(begins);
            let text = error.message.clone();
            self.completion.errors.push(error);
            self.with_builder(place, sink, |builder| {
                builder.emit_event(DeltaKind::Error, &text);
            });
        }
    }
}

/// Notes a body that is not the answer of the dialect: `null`, or an answer inside another object.
fn note_other_shape(root: JsonValue<'_>, dialect: &dyn Dialect, builder: &mut AnswerBuilder<'_>) {
    if root.kind() == JsonKind::Null {
        return builder.note(rule::JSON_BODY_NULL, builder.event_place(), vec![]);
    }
    let is_own = |value: JsonValue<'_>| dialect.recognise_body(b"", value).is_some();
    let wrapped = root.members().find(|(_, value)| is_own(*value));
    if let Some((key, _)) = wrapped {
        let facts = vec![("key", key.as_str().unwrap_or_default().into_owned())];
        builder.note(rule::JSON_WRAPPED, builder.place_of(key), facts);
    }
}

/// Bytes of an error page that are read: its title is in the first few hundred.
const MAX_PAGE_BYTES: u64 = 4096;

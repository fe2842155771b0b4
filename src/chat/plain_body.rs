//! Reads bodies that are not streamed: one JSON text, or an error page.

use super::api_error::ApiError;
use super::builder::EventPlace;
use super::completion::{AnswerNoteKind, BodyMediaType};
use super::delta::{DeltaKind, DeltaSink};
use super::reader::{AnswerReader, MomentLookup};
use crate::json::{JsonDocument, JsonError, JsonFault};
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
        let place = EventPlace {
            base: Some(seen.base),
            span: Span::new(seen.base, seen.end()),
            event: 0,
            began: moments(seen.base),
            moment: moments(seen.end().saturating_sub(1)),
            is_streamed: false,
        };
        match media {
            BodyMediaType::Json if held > self.size_limit => {
                self.with_builder(place, sink, |builder| {
                    let text = "the body is too large to be read".to_owned();
                    builder.push_note(AnswerNoteKind::TooLarge, text, None);
                })
            }
            BodyMediaType::Json => self.read_document(seen, place, sink),
            _ => self.read_error_page(seen, place, sink),
        }
        seen.end()
    }

    fn read_document(&mut self, seen: Window<'_>, place: EventPlace, sink: &mut dyn DeltaSink) {
        self.note_blank_lines(seen);
        let bytes = seen
            .bytes
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(seen.bytes);
        let skipped = seen.bytes.len().saturating_sub(bytes.len()) as u64;
        let document = match JsonDocument::parse(bytes) {
            Ok(document) => document,
            Err(error) => return self.take_invalid_json(&error, seen, place, sink),
        };
        let root = document.root();
        let place = EventPlace {
            base: place.base.map(|base| base.saturating_add(skipped)),
            ..place
        };
        self.recognise_dialect(b"", root);
        self.completion.first_event.get_or_insert(place.moment);
        let (dialect, failed) = (self.dialect, self.is_error_status());
        self.with_builder(place, sink, |builder| {
            let error = if failed {
                ApiError::from_body(root)
            } else {
                ApiError::from_error_key(root)
            };
            if let Some(error) = error {
                builder.push_error(error, builder.value_span(root));
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
            let text = match lines {
                1 => "an empty line came before the answer, as a sign of life".to_owned(),
                _ => format!("{lines} empty lines came before the answer, as signs of life"),
            };
            self.push_note(
                AnswerNoteKind::KeepAlive,
                text,
                Some(Span::new(0, blank as u64)),
            );
        }
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
        let text = format!("the body is not JSON: {error}");
        self.with_builder(place, sink, |builder| {
            builder.push_note(AnswerNoteKind::NotJson, text, Some(place.span));
        });
        self.read_error_page(seen, place, sink);
    }

    /// Reads a body that is neither JSON nor a stream as an error. Only its beginning is read, so that the result does not
    /// depend on how much of it has arrived.
    fn read_error_page(&mut self, seen: Window<'_>, place: EventPlace, sink: &mut dyn DeltaSink) {
        if !self.is_error_status() || self.media == Some(BodyMediaType::Binary) {
            return;
        }
        if self.media == Some(BodyMediaType::Html) && !self.is_named {
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

/// Bytes of an error page that are read: its title is in the first few hundred.
const MAX_PAGE_BYTES: u64 = 4096;

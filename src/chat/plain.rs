//! Bodies that are no stream: one JSON text, or a page that says what went wrong.

use super::completion::{Media, NoteKind};
use super::delta::{DeltaKind, Hear};
use super::errors::ApiError;
use super::gather::Place;
use super::reader::{Moments, Reader};
use crate::json::{JsonDocument, JsonError, JsonFault};
use crate::span::Span;
use crate::tape::Window;

impl Reader {
    /// A body that is no stream is read when it is whole.
    pub(super) fn plain(
        &mut self,
        media: Media,
        seen: Window<'_>,
        moments: Moments<'_>,
        hear: &mut dyn Hear,
    ) -> u64 {
        let held = seen.bytes.len() as u64;
        if self.read {
            return seen.end();
        }
        let enough = match media {
            Media::Json => self.limit,
            _ => PAGE,
        };
        if !seen.ended && held <= enough {
            return seen.base;
        }
        self.read = true;
        let place = Place {
            base: Some(seen.base),
            span: Span::new(seen.base, seen.end()),
            event: 0,
            begun: moments(seen.base),
            moment: moments(seen.end().saturating_sub(1)),
            streamed: false,
        };
        match media {
            Media::Json if held > self.limit => self.with(place, hear, |gather| {
                let text = "the body is too large to be read".to_owned();
                gather.note(NoteKind::TooLarge, text, None);
            }),
            Media::Json => self.document(seen, place, hear),
            _ => self.page(seen, place, hear),
        }
        seen.end()
    }

    fn document(&mut self, seen: Window<'_>, place: Place, hear: &mut dyn Hear) {
        self.alive(seen);
        let bytes = seen
            .bytes
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(seen.bytes);
        let skipped = seen.bytes.len().saturating_sub(bytes.len()) as u64;
        let document = match JsonDocument::parse(bytes) {
            Ok(document) => document,
            Err(error) => return self.not_json(&error, seen, place, hear),
        };
        let root = document.root();
        let place = Place {
            base: place.base.map(|base| base.saturating_add(skipped)),
            ..place
        };
        self.recognise(b"", root);
        self.completion.first_event.get_or_insert(place.moment);
        let (dialect, failed) = (self.dialect, self.failed());
        self.with(place, hear, |gather| {
            let error = if failed {
                ApiError::any(root)
            } else {
                ApiError::named(root)
            };
            if let Some(error) = error {
                gather.error(error, gather.span(root));
            }
            if let Some(dialect) = dialect.filter(|_| !failed) {
                dialect.body(root, gather);
            }
        });
    }

    /// Under load, DeepSeek sends empty lines until there is an answer.
    fn alive(&mut self, seen: Window<'_>) {
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
            self.with(Place::nowhere(), &mut (), |gather| {
                gather.note(NoteKind::KeepAlive, text, Some(Span::new(0, blank as u64)));
            });
        }
    }

    fn failed(&self) -> bool {
        self.completion.status.is_some_and(|status| status >= 400)
    }

    /// JSON that stops too early was cut; any other fault was sent so.
    fn not_json(&mut self, error: &JsonError, seen: Window<'_>, place: Place, hear: &mut dyn Hear) {
        if matches!(error.kind, JsonFault::Truncated { .. }) {
            self.cut = Some(place.span);
        }
        let text = format!("the body is not JSON: {error}");
        self.with(place, hear, |gather| {
            gather.note(NoteKind::NotJson, text, Some(place.span));
        });
        self.page(seen, place, hear);
    }

    /// What is neither JSON nor a stream can only be an error. Only its beginning is looked at, so that it
    /// does not matter how much of it is at hand.
    fn page(&mut self, seen: Window<'_>, place: Place, hear: &mut dyn Hear) {
        if !self.failed() || self.media == Some(Media::Binary) {
            return;
        }
        if self.media == Some(Media::Html) && !self.is_named {
            self.completion.dialect = None;
            self.completion.why = "a page is the answer of no model".to_owned();
            self.dialect = None;
        }
        let start = seen.base;
        let begins = Span::new(start, seen.end().min(start.saturating_add(PAGE)));
        let place = Place {
            span: begins,
            ..place
        };
        if let Some(mut error) = ApiError::page(seen.slice(begins)) {
            error.span = Some(begins);
            let text = error.message.clone();
            self.completion.errors.push(error);
            self.with(place, hear, |gather| {
                gather.tell_event(DeltaKind::Error, &text);
            });
        }
    }
}

/// How much of a page is looked at.
const PAGE: u64 = 4096;

//! A line of an event stream as name and value, and an iterator over the lines of an event.

use memchr::{memchr, memchr2};

use crate::span::Span;
use crate::tape::Window;

/// One line of an event in an event stream: the spans of the line, its name and its value.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
pub struct SseField {
    /// The line with its line end.
    pub line: Span,
    /// The name, before the colon; empty for a comment, the whole line if it has no colon.
    pub name: Span,
    /// The value, after the colon and at most one space.
    pub value: Span,
}

/// The spans of name and value in a line with the bytes `content` that begins at offset `start`.
pub(super) fn split_field(start: u64, content: &[u8]) -> (Span, Span) {
    let at = |offset: usize| start.saturating_add(offset as u64);
    let end = at(content.len());
    let Some(colon) = memchr(b':', content) else {
        return (Span::new(start, end), Span::empty_at(end));
    };
    let after = colon.saturating_add(1);
    let space = usize::from(content.get(after) == Some(&b' '));
    (
        Span::new(start, at(colon)),
        Span::new(at(after.saturating_add(space)), end),
    )
}

/// Iterator over the lines of an event; see [`super::SseEvent::fields`].
#[derive(Clone, Debug)]
pub struct SseFields<'a> {
    seen: Window<'a>,
    rest: Span,
}

impl<'a> SseFields<'a> {
    pub(super) fn new(seen: Window<'a>, rest: Span) -> Self {
        Self { seen, rest }
    }
}

impl Iterator for SseFields<'_> {
    type Item = SseField;

    fn next(&mut self) -> Option<SseField> {
        let bytes = self.seen.slice(self.rest);
        if bytes.is_empty() {
            return None;
        }
        let length = memchr2(b'\r', b'\n', bytes).unwrap_or(bytes.len());
        let content = bytes.get(..length).unwrap_or_default();
        let ending = match bytes.get(length..).unwrap_or_default() {
            [b'\r', b'\n', ..] => 2,
            [] => 0,
            _ => 1,
        };
        let start = self.rest.start;
        let end = start.saturating_add(length as u64).saturating_add(ending);
        let (name, value) = split_field(start, content);
        self.rest.start = end;
        Some(SseField {
            line: Span::new(start, end),
            name,
            value,
        })
    }
}

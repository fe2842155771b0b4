//! Reads JSON lines: one JSON text a line, ended by LF; CR and other white space around it is ignored.

use memchr::memchr;

use super::{EventDecoder, SseEvent, StreamItem};
use crate::json::JsonDocument;
use crate::span::Span;
use crate::tape::Window;

impl EventDecoder {
    pub(super) fn step_lines(&mut self, seen: Window<'_>) -> Option<StreamItem> {
        let rest = seen.slice_from(self.scanned);
        let Some(found) = memchr(b'\n', rest) else {
            self.scanned = seen.end();
            self.wait_for_more(seen);
            return seen.ended.then(|| self.finish_lines(seen))?;
        };
        let end = self.scanned.saturating_add(found as u64).saturating_add(1);
        let line = Span::new(self.line_start, end);
        self.advance_to(end);
        Some(self.item_from_line(seen, line))
    }

    fn item_from_line(&mut self, seen: Window<'_>, line: Span) -> StreamItem {
        // The start of a long line is gone, so it cannot be known whether it was blank; it is skipped either way.
        if self.skipping || line.len() > self.limit.saturating_add(1) {
            self.skipping = false;
            return StreamItem::TooLong(line);
        }
        match trimmed_span(seen, line) {
            value if value.is_empty() => StreamItem::Separator(line),
            value => StreamItem::Event(SseEvent {
                span: line,
                first_data: Some(value),
                data_lines: 1,
                ..SseEvent::default()
            }),
        }
    }

    /// Ends the stream. A last line without LF is an event if it is whole JSON.
    fn finish_lines(&mut self, seen: Window<'_>) -> Option<StreamItem> {
        self.finished = true;
        let line = Span::new(self.line_start, seen.end());
        self.advance_to(seen.end());
        if line.is_empty() {
            return None;
        }
        let too_long = self.skipping || line.len() > self.limit;
        let cut = SseEvent {
            span: line,
            first_data: Some(trimmed_span(seen, line)),
            data_lines: 1,
            ..SseEvent::default()
        };
        if too_long {
            return Some(self.truncated_item(cut, line, SseEvent::default()));
        }
        match self.item_from_line(seen, line) {
            StreamItem::Event(_) if JsonDocument::parse(seen.slice(line)).is_err() => {
                Some(self.truncated_item(cut, line, SseEvent::default()))
            }
            item => Some(item),
        }
    }
}

/// The span of `line` without the white space around its text.
fn trimmed_span(seen: Window<'_>, line: Span) -> Span {
    let bytes = seen.slice(line);
    let start = bytes.len().saturating_sub(bytes.trim_ascii_start().len());
    let start = line.start.saturating_add(start as u64);
    Span::new(start, start.saturating_add(bytes.trim_ascii().len() as u64))
}

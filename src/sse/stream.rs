//! The event-stream grammar (WHATWG HTML, sections 9.2.5 and 9.2.6): line ends, comments, fields, blank lines.

use memchr::memchr2;

use super::field::split_field;
use super::{EventDecoder, SseEvent, StreamItem};
use crate::span::Span;
use crate::tape::Window;

impl EventDecoder {
    pub(super) fn step_stream(&mut self, seen: Window<'_>) -> Option<StreamItem> {
        loop {
            let rest = seen.slice_from(self.scanned);
            let Some(found) = memchr2(b'\r', b'\n', rest) else {
                self.scanned = seen.end();
                self.wait_for_more(seen);
                return seen.ended.then(|| self.finish_stream(seen))?;
            };
            let text = Span::new(self.line_start, self.scanned.saturating_add(found as u64));
            // The first byte of a blank line ends the event: an LF after its CR need not be awaited.
            if text.is_empty()
                && let Some(event) = self.open_event.take()
            {
                self.advance_to(text.end);
                self.ready_at = text.end.saturating_add(1);
                return Some(self.finish_event(event));
            }
            let after = rest.get(found.saturating_add(1)).copied();
            let is_pair = match (rest.get(found), after) {
                (Some(b'\n'), _) => false,
                (_, None) if !seen.ended => {
                    self.scanned = text.end;
                    self.wait_for_more(seen);
                    return None;
                }
                (_, after) => after == Some(b'\n'),
            };
            let end = text.end.saturating_add(1).saturating_add(is_pair.into());
            if let Some(item) = self.take_line(seen, text, end) {
                return Some(item);
            }
        }
    }

    /// Handles the line `text`, whose line end stops at offset `end`. Returns the item that it completes.
    fn take_line(&mut self, seen: Window<'_>, text: Span, end: u64) -> Option<StreamItem> {
        let line = Span::new(text.start, end);
        self.remember_line_start(seen, text.end);
        let (first, second) = (self.first_byte, self.second_byte);
        match first {
            None => {
                self.advance_to(end);
                return Some(StreamItem::Separator(line));
            }
            Some(b':') if self.open_event.is_none() => {
                self.skipping = false;
                self.advance_to(end);
            }
            Some(first) => {
                self.add_line_to_event(seen, text, end, first);
                self.ready_at = end;
            }
        }
        let space = u64::from(second == Some(b' '));
        let start = text.start.saturating_add(1).saturating_add(space);
        let text = Span::new(start, text.end);
        (first == Some(b':')).then_some(StreamItem::Comment { span: line, text })
    }

    /// Adds the line `text` to the open event, or begins one with it.
    fn add_line_to_event(&mut self, seen: Window<'_>, text: Span, end: u64, first: u8) {
        let event = self.open_event.get_or_insert(SseEvent {
            span: Span::empty_at(text.start),
            ..SseEvent::default()
        });
        event.span.end = end;
        let ending = Span::new(text.end, end);
        event.has_bare_cr |= seen.slice(ending) == b"\r";
        if first != b':' && !self.skipping {
            add_field(event, seen, text.start, seen.slice(text));
        }
        self.scanned = end;
        self.line_start = end;
        self.first_byte = None;
        self.second_byte = None;
    }

    fn finish_stream(&mut self, seen: Window<'_>) -> Option<StreamItem> {
        self.finished = true;
        let line = Span::new(self.line_start, seen.end());
        let event = self.open_event.take();
        self.advance_to(seen.end());
        if event.is_none() && line.is_empty() {
            return None;
        }
        let event = event.unwrap_or(SseEvent {
            span: Span::empty_at(line.start),
            ..SseEvent::default()
        });
        let mut with_line = event;
        let text = seen.slice(line);
        if !text.is_empty() && !text.starts_with(b":") && !self.skipping {
            add_field(&mut with_line, seen, line.start, text);
        }
        Some(self.truncated_item(event, line, with_line))
    }
}

/// Adds the field in the line `content`, which begins at offset `start`, to `event`.
fn add_field(event: &mut SseEvent, seen: Window<'_>, start: u64, content: &[u8]) {
    let (name, value) = split_field(start, content);
    match seen.slice(name) {
        b"data" => {
            event.first_data.get_or_insert(value);
            event.data_lines = event.data_lines.saturating_add(1);
            event.lacks_space |= !value.is_empty() && value.start == name.end.saturating_add(1);
        }
        b"event" => event.name = Some(value),
        b"id" if !seen.slice(value).contains(&0) => event.id = Some(value),
        b"retry" => event.retry = parse_retry(seen.slice(value)).or(event.retry),
        b"id" => {}
        _ => {
            let line = Span::new(name.start, value.end);
            event.unknown.get_or_insert(line);
        }
    }
}

/// Reads a `retry` value; `None` unless it has only digits (WHATWG HTML, 9.2.6).
fn parse_retry(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

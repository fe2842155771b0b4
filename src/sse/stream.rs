//! The event-stream grammar (WHATWG HTML, sections 9.2.5 and 9.2.6): line ends, comments, fields, blank lines.

use memchr::memchr2;

use super::field::split;
use super::{Decoder, Event, Item};
use crate::span::Span;
use crate::tape::Window;

impl Decoder {
    pub(super) fn step_stream(&mut self, seen: Window<'_>) -> Option<Item> {
        loop {
            let rest = seen.from(self.scanned);
            let Some(found) = memchr2(b'\r', b'\n', rest) else {
                self.scanned = seen.end();
                self.wait(seen);
                return seen.ended.then(|| self.stream_end(seen))?;
            };
            let text = Span::new(self.line, self.scanned.saturating_add(found as u64));
            // The first byte of a blank line is enough: nobody has to wait for an LF after its CR.
            if text.is_empty()
                && let Some(event) = self.open.take()
            {
                self.pass(text.end);
                self.told = text.end.saturating_add(1);
                return Some(self.within_limit(event));
            }
            let after = rest.get(found.saturating_add(1)).copied();
            let is_pair = match (rest.get(found), after) {
                (Some(b'\n'), _) => false,
                (_, None) if !seen.ended => {
                    self.scanned = text.end;
                    self.wait(seen);
                    return None;
                }
                (_, after) => after == Some(b'\n'),
            };
            let end = text.end.saturating_add(1).saturating_add(is_pair.into());
            if let Some(item) = self.line(seen, text, end) {
                return Some(item);
            }
        }
    }

    /// Takes in the line `text`, which ends, line end included, at `end`.
    fn line(&mut self, seen: Window<'_>, text: Span, end: u64) -> Option<Item> {
        let line = Span::new(text.start, end);
        self.remember(seen, text.end);
        let (first, second) = (self.first, self.second);
        match first {
            None => {
                self.pass(end);
                return Some(Item::Between(line));
            }
            Some(b':') if self.open.is_none() => {
                self.skipping = false;
                self.pass(end);
            }
            Some(first) => {
                self.within_event(seen, text, end, first);
                self.told = end;
            }
        }
        let space = u64::from(second == Some(b' '));
        let start = text.start.saturating_add(1).saturating_add(space);
        let text = Span::new(start, text.end);
        (first == Some(b':')).then_some(Item::Comment { span: line, text })
    }

    /// The same for a line that belongs to an event, or begins one.
    fn within_event(&mut self, seen: Window<'_>, text: Span, end: u64, first: u8) {
        let event = self.open.get_or_insert(Event {
            span: Span::at(text.start),
            ..Event::default()
        });
        event.span.end = end;
        if first != b':' && !self.skipping {
            take(event, seen, text.start, seen.slice(text));
        }
        self.scanned = end;
        self.line = end;
        self.first = None;
        self.second = None;
    }

    fn stream_end(&mut self, seen: Window<'_>) -> Option<Item> {
        self.over = true;
        let line = Span::new(self.line, seen.end());
        let event = self.open.take();
        self.pass(seen.end());
        if event.is_none() && line.is_empty() {
            return None;
        }
        let event = event.unwrap_or(Event {
            span: Span::at(line.start),
            ..Event::default()
        });
        Some(self.cut(event, line))
    }
}

/// Adds one field to an event.
fn take(event: &mut Event, seen: Window<'_>, start: u64, content: &[u8]) {
    let (name, value) = split(start, content);
    match seen.slice(name) {
        b"data" => {
            event.first_data.get_or_insert(value);
            event.data_lines = event.data_lines.saturating_add(1);
        }
        b"event" => event.name = Some(value),
        b"id" if !seen.slice(value).contains(&0) => event.id = Some(value),
        b"retry" => event.retry = milliseconds(seen.slice(value)).or(event.retry),
        _ => {}
    }
}

/// A `retry` counts only if it is digits and nothing else.
fn milliseconds(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

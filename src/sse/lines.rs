//! JSON lines: one JSON text a line, ended by LF; CR and other white space around it does not count.

use memchr::memchr;

use super::{Decoder, Event, Item};
use crate::json::Document;
use crate::span::Span;
use crate::tape::Window;

impl Decoder {
    pub(super) fn step_lines(&mut self, seen: Window<'_>) -> Option<Item> {
        let rest = seen.from(self.scanned);
        let Some(found) = memchr(b'\n', rest) else {
            self.scanned = seen.end();
            self.wait(seen);
            return seen.ended.then(|| self.lines_end(seen))?;
        };
        let end = self.scanned.saturating_add(found as u64).saturating_add(1);
        let line = Span::new(self.line, end);
        self.pass(end);
        Some(self.one_line(seen, line))
    }

    fn one_line(&mut self, seen: Window<'_>, line: Span) -> Item {
        // Whether a long line is blank can no longer be told; it is skipped either way.
        if self.skipping || line.len() > self.limit.saturating_add(1) {
            self.skipping = false;
            return Item::Skipped(line);
        }
        match value(seen, line) {
            value if value.is_empty() => Item::Between(line),
            value => Item::Event(Event {
                span: line,
                first_data: Some(value),
                data_lines: 1,
                ..Event::default()
            }),
        }
    }

    /// A last line may lack its LF. It is an event if it is whole, which JSON can tell.
    fn lines_end(&mut self, seen: Window<'_>) -> Option<Item> {
        self.over = true;
        let line = Span::new(self.line, seen.end());
        self.pass(seen.end());
        if line.is_empty() {
            return None;
        }
        let too_long = self.skipping || line.len() > self.limit;
        let cut = Event {
            span: line,
            first_data: Some(value(seen, line)),
            data_lines: 1,
            ..Event::default()
        };
        if too_long {
            return Some(self.cut(cut, line));
        }
        match self.one_line(seen, line) {
            Item::Event(_) if Document::parse(seen.slice(line)).is_err() => {
                Some(self.cut(cut, line))
            }
            item => Some(item),
        }
    }
}

/// What stands in `line` without the white space around it.
fn value(seen: Window<'_>, line: Span) -> Span {
    let bytes = seen.slice(line);
    let start = bytes.len().saturating_sub(bytes.trim_ascii_start().len());
    let start = line.start.saturating_add(start as u64);
    Span::new(start, start.saturating_add(bytes.trim_ascii().len() as u64))
}

//! Splits a JSON array into its items by brackets and quotes alone, so that an item is returned as soon as its last
//! byte is there. The items are not checked: their reader parses them as JSON.

use memchr::memchr2;

use super::{EventDecoder, SseEvent, StreamItem};
use crate::span::Span;
use crate::tape::Window;

/// The state of the scanner that splits a JSON array into its items.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ArrayScanner {
    /// Whether the outer bracket has been seen.
    opened: bool,
    /// Whether the outer bracket has been closed.
    closed: bool,
    /// Start offset of the item that is being read.
    item_start: Option<u64>,
    /// Number of open brackets of that item.
    depth: u64,
    /// Whether the next byte is inside a string.
    in_string: bool,
    /// Whether the next byte of that string is escaped.
    escaped: bool,
}

/// The start or end of an array item at one byte, if any.
enum ItemBoundary {
    NoBoundary,
    /// The item begins with this byte.
    Begins,
    /// The item ended before this byte.
    EndsBefore,
    /// The item ends with this byte.
    EndsWith,
}

impl EventDecoder {
    pub(super) fn step_array(&mut self, seen: Window<'_>) -> Option<StreamItem> {
        while let Some(&byte) = seen.slice_from(self.scanned).first() {
            if self.array.in_string {
                self.skip_string(seen);
                continue;
            }
            let here = self.scanned;
            match self.array.scan_byte(byte) {
                ItemBoundary::NoBoundary => self.scanned = here.saturating_add(1),
                ItemBoundary::EndsBefore => {
                    return Some(self.finish_item(here, here.saturating_add(1)));
                }
                ItemBoundary::EndsWith => {
                    let end = here.saturating_add(1);
                    return Some(self.finish_item(end, end));
                }
                ItemBoundary::Begins => {
                    self.array.item_start = Some(here);
                    let before = Span::new(self.line_start, here);
                    self.line_start = here;
                    if !before.is_empty() {
                        self.at = here;
                        self.ready_at = here.saturating_add(1);
                        return Some(StreamItem::Separator(before));
                    }
                }
            }
        }
        self.wait_in_array();
        seen.ended.then(|| self.finish_array(seen))?
    }

    /// Ends the array item at `end`. Its end was known when the byte before `known_at` arrived.
    fn finish_item(&mut self, end: u64, known_at: u64) -> StreamItem {
        let start = self.array.item_start.take().unwrap_or(end);
        self.advance_to(end);
        self.ready_at = known_at;
        let span = Span::new(start, end);
        self.finish_event(event_from_item(span))
    }

    fn skip_string(&mut self, seen: Window<'_>) {
        let rest = seen.slice_from(self.scanned);
        if self.array.escaped {
            self.array.escaped = false;
            self.scanned = self.scanned.saturating_add(1);
            return;
        }
        let Some(found) = memchr2(b'"', b'\\', rest) else {
            self.scanned = seen.end();
            return;
        };
        self.array.escaped = rest.get(found) == Some(&b'\\');
        self.array.in_string = self.array.escaped;
        self.scanned = self.scanned.saturating_add(found as u64).saturating_add(1);
    }

    fn wait_in_array(&mut self) {
        let start = self.array.item_start.unwrap_or(self.scanned);
        if self.array.item_start.is_some() && self.scanned.saturating_sub(start) > self.limit {
            self.skipping = true;
        }
        self.at = if self.skipping { self.scanned } else { start };
    }

    fn finish_array(&mut self, seen: Window<'_>) -> Option<StreamItem> {
        let (end, rest) = (seen.end(), Span::new(self.line_start, seen.end()));
        let item = self.array.item_start.take();
        if item.is_none() && !rest.is_empty() {
            self.advance_to(end);
            return Some(StreamItem::Separator(rest));
        }
        self.finished = true;
        self.advance_to(end);
        if item.is_none() && (self.array.closed || !self.array.opened) {
            return None;
        }
        let span = Span::new(item.unwrap_or(end), end);
        Some(self.truncated_item(event_from_item(span), span, SseEvent::default()))
    }
}

impl ArrayScanner {
    /// Advances by one byte outside strings.
    fn scan_byte(&mut self, byte: u8) -> ItemBoundary {
        if self.item_start.is_none() {
            return match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' => ItemBoundary::NoBoundary,
                b'[' if !self.opened => {
                    self.opened = true;
                    ItemBoundary::NoBoundary
                }
                b']' => {
                    self.closed = true;
                    ItemBoundary::NoBoundary
                }
                _ => ItemBoundary::Begins,
            };
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            b'}' | b']' if self.depth == 1 => {
                self.depth = 0;
                return ItemBoundary::EndsWith;
            }
            b'}' | b']' if self.depth > 1 => self.depth = self.depth.saturating_sub(1),
            b']' | b',' | b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 => {
                return ItemBoundary::EndsBefore;
            }
            _ => {}
        }
        ItemBoundary::NoBoundary
    }
}

fn event_from_item(span: Span) -> SseEvent {
    SseEvent {
        span,
        first_data: Some(span),
        data_lines: 1,
        ..SseEvent::default()
    }
}

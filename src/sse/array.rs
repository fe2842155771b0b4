//! A JSON array, item by item: found by its brackets and quotes alone, so that an item is told when its last
//! byte is there. Whether each is JSON is for its reader to say.

use memchr::memchr2;

use super::{Decoder, Event, Item};
use crate::span::Span;
use crate::tape::Window;

/// Where in the array the search stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// Whether the outer bracket has been seen.
    opened: bool,
    /// Whether the outer bracket has been closed.
    closed: bool,
    /// Where the item that is being read began.
    item: Option<u64>,
    /// How many brackets of that item are open.
    depth: u64,
    /// Inside a string.
    quoted: bool,
    /// The next byte of that string is escaped.
    escaped: bool,
}

/// What one byte tells.
enum Found {
    Nothing,
    /// The item begins here.
    Begins,
    /// The item ended before this byte.
    EndsBefore,
    /// The item ends with this byte.
    EndsWith,
}

impl Decoder {
    pub(super) fn step_array(&mut self, seen: Window<'_>) -> Option<Item> {
        while let Some(&byte) = seen.from(self.scanned).first() {
            if self.array.quoted {
                self.skip_string(seen);
                continue;
            }
            let here = self.scanned;
            match self.array.take(byte) {
                Found::Nothing => self.scanned = here.saturating_add(1),
                Found::EndsBefore => return Some(self.item(here, here.saturating_add(1))),
                Found::EndsWith => {
                    let end = here.saturating_add(1);
                    return Some(self.item(end, end));
                }
                Found::Begins => {
                    self.array.item = Some(here);
                    let before = Span::new(self.line, here);
                    self.line = here;
                    if !before.is_empty() {
                        self.at = here;
                        self.told = here.saturating_add(1);
                        return Some(Item::Between(before));
                    }
                }
            }
        }
        self.array_wait();
        seen.ended.then(|| self.array_end(seen))?
    }

    /// The item up to `end` is whole, which the byte before `told` said.
    fn item(&mut self, end: u64, told: u64) -> Item {
        let start = self.array.item.take().unwrap_or(end);
        self.pass(end);
        self.told = told;
        let span = Span::new(start, end);
        self.within_limit(whole(span))
    }

    fn skip_string(&mut self, seen: Window<'_>) {
        let rest = seen.from(self.scanned);
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
        self.array.quoted = self.array.escaped;
        self.scanned = self.scanned.saturating_add(found as u64).saturating_add(1);
    }

    fn array_wait(&mut self) {
        let start = self.array.item.unwrap_or(self.scanned);
        if self.array.item.is_some() && self.scanned.saturating_sub(start) > self.limit {
            self.skipping = true;
        }
        self.at = if self.skipping { self.scanned } else { start };
    }

    fn array_end(&mut self, seen: Window<'_>) -> Option<Item> {
        let (end, rest) = (seen.end(), Span::new(self.line, seen.end()));
        let item = self.array.item.take();
        if item.is_none() && !rest.is_empty() {
            self.pass(end);
            return Some(Item::Between(rest));
        }
        self.over = true;
        self.pass(end);
        if item.is_none() && (self.array.closed || !self.array.opened) {
            return None;
        }
        let span = Span::new(item.unwrap_or(end), end);
        Some(self.cut(whole(span), span))
    }
}

impl Place {
    /// Takes in a byte that stands in no string.
    fn take(&mut self, byte: u8) -> Found {
        if self.item.is_none() {
            return match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' => Found::Nothing,
                b'[' if !self.opened => {
                    self.opened = true;
                    Found::Nothing
                }
                b']' => {
                    self.closed = true;
                    Found::Nothing
                }
                _ => Found::Begins,
            };
        }
        match byte {
            b'"' => self.quoted = true,
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            b'}' | b']' if self.depth == 1 => {
                self.depth = 0;
                return Found::EndsWith;
            }
            b'}' | b']' if self.depth > 1 => self.depth = self.depth.saturating_sub(1),
            b']' | b',' | b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 => {
                return Found::EndsBefore;
            }
            _ => {}
        }
        Found::Nothing
    }
}

fn whole(span: Span) -> Event {
    Event {
        span,
        first_data: Some(span),
        data_lines: 1,
        ..Event::default()
    }
}

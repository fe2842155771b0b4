//! The tiles of both streams: which byte has which role, from the first to the last.

use crate::exchange::{Listen, Reader};
use crate::http1::{Event, Keep, Limits, Role};
use crate::span::{Moment, Side, Span};
use crate::tape::{Tape, Window};

/// Bytes with one role.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct Tile {
    /// Which stream.
    pub side: Side,
    /// What they are.
    pub role: Role,
    /// The field's name, for fields and trailers.
    pub name: Option<String>,
    /// Where they are.
    pub span: Span,
}

/// The tiles of both streams, in order.
pub fn tiles(tape: &Tape, limits: Limits) -> Vec<Tile> {
    let mut gather = Gather(Vec::new());
    let mut reader = Reader::new(Keep::Heads, limits);
    for stream in [&tape.sent, &tape.received] {
        for (span, moment) in stream.runs() {
            reader.bytes(stream.side, moment, stream.slice(span), &mut gather);
        }
        reader.ended(stream.side, &mut gather);
    }
    gather.0
}

struct Gather(Vec<Tile>);

impl Listen for Gather {
    fn event(&mut self, side: Side, _: Moment, event: &Event, seen: Window<'_>) {
        let Some((role, span)) = event.covers() else {
            return;
        };
        let name = match event {
            Event::Field(field) | Event::Trailer(field) => {
                Some(String::from_utf8_lossy(seen.slice(field.name)).into_owned())
            }
            _ => None,
        };
        match self.0.last_mut() {
            // Neighbouring data is one tile, whatever reads it came in.
            Some(last)
                if (last.side, last.role) == (side, role)
                    && last.span.end == span.start
                    && matches!(role, Role::Data | Role::Unframed) =>
            {
                last.span.end = span.end;
            }
            _ => self.0.push(Tile {
                side,
                role,
                name,
                span,
            }),
        }
    }
}

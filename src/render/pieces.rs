//! The pieces of an answer as they come: one line an event, or the text alone as it grows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::escape::{Keep, escape};
use super::{Look, Style, words};
use crate::chat::{Delta, DeltaKind, Hear};
use crate::span::{Moment, Span};

/// How much of a piece one line shows, in characters.
const PIECE: usize = 60;

/// How much of the end of a tool call's arguments is remembered, in characters.
const ARGUMENTS: usize = 4 * PIECE;

/// Of how many tool calls.
const CALLS: usize = 4096;

/// An event that took longer, in microseconds, to come than this is told to: below, it is the cut of a read.
const SLOW: u64 = 1_000;

/// Lines of events: moment, time since the one before, bytes, what it carried.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// Number, moment and place of the event whose pieces are being told.
    open: Option<(u64, Moment, Span)>,
    parts: Vec<(Look, String)>,
    /// How long before its last byte its first one came, if that is worth a word.
    slow: Option<u64>,
    before: Option<Moment>,
    /// The ends of the arguments of tool calls so far.
    calls: BTreeMap<(u32, u64), String>,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    number: u64,
    moment: Moment,
    gap: Option<u64>,
    bytes: u64,
    parts: Vec<(Look, String)>,
}

impl Hear for Events {
    fn delta(&mut self, delta: &Delta<'_>) {
        if self.open.is_none_or(|(number, ..)| number != delta.event) {
            self.close();
            self.open = Some((delta.event, delta.moment, delta.whole));
            self.slow =
                Some(delta.moment.micros_since(delta.begun)).filter(|micros| *micros >= SLOW);
        }
        let part = self.part(delta);
        self.parts.push(part);
    }
}

impl Events {
    fn part(&mut self, delta: &Delta<'_>) -> (Look, String) {
        let text = || clip(&delta.text, PIECE);
        let quoted = |name: &str| format!("{name} \"{}\"", text());
        let of = match delta.choice {
            0 => String::new(),
            choice => format!("[{choice}] "),
        };
        let (look, words) = match delta.kind {
            DeltaKind::Role => (Look::Dim, format!("role {}", text())),
            DeltaKind::Text => (Look::Text, quoted("text")),
            DeltaKind::Reasoning => (Look::Dim, quoted("reasoning")),
            DeltaKind::Refusal => (Look::Odd, quoted("refusal")),
            DeltaKind::ToolName { index } => (Look::Name, format!("tool {index} {}", text())),
            DeltaKind::ToolCall { index } => (Look::Name, self.arguments(delta, index)),
            DeltaKind::Audio => (Look::Dim, format!("audio {}", text())),
            DeltaKind::Citation => (Look::Dim, format!("citation {}", text())),
            DeltaKind::Finish => (Look::Good, format!("finish {}", text())),
            DeltaKind::Usage => (Look::Number, format!("usage {}", text())),
            DeltaKind::Error => (Look::Bad, format!("ERROR {}", text())),
            DeltaKind::Ping => (Look::Dim, "ping".to_owned()),
            DeltaKind::Comment => (Look::Dim, format!("comment: {}", text())),
            DeltaKind::Done => (Look::Good, "end mark".to_owned()),
            DeltaKind::Cut => (Look::Bad, format!("CUT {}", text())),
            DeltaKind::Other => (Look::Dim, format!("other {}", text())),
        };
        (look, format!("{of}{}", words.trim_end()))
    }

    fn arguments(&mut self, delta: &Delta<'_>, index: u64) -> String {
        let key = (delta.choice, index);
        if self.calls.len() >= CALLS && !self.calls.contains_key(&key) {
            self.calls.clear();
        }
        let so_far = self.calls.entry(key).or_default();
        so_far.push_str(&delta.text);
        let shown = format!("tool {index} arguments so far {}", tail(so_far, PIECE));
        if let Some((start, _)) = so_far.char_indices().nth_back(ARGUMENTS) {
            so_far.drain(..start);
        }
        shown
    }

    /// The event is over: another one begins, or nothing more came with it.
    fn close(&mut self) {
        let Some((number, moment, span)) = self.open.take() else {
            return;
        };
        let slow = self.slow.take().map(|micros| {
            let text = format!("its first byte {} earlier", words::time(micros));
            (Look::Odd, text)
        });
        self.parts.extend(slow);
        self.lines.push(Line {
            number,
            moment,
            gap: self.before.map(|before| moment.micros_since(before)),
            bytes: span.len(),
            parts: std::mem::take(&mut self.parts),
        });
        self.before = Some(moment);
    }

    /// Appends the lines of all events that are whole to `out`.
    pub(super) fn take(&mut self, style: &Style, out: &mut String) {
        self.close();
        for line in self.lines.drain(..) {
            let gap = match line.gap {
                None => String::new(),
                // It came in one read with the one before.
                Some(0) => "=".to_owned(),
                Some(gap) => format!("+{}", words::time(gap)),
            };
            let times = format!(
                "{} {gap:>11}  #{:<4} {:>7} B ",
                words::moment(line.moment),
                line.number,
                words::count(line.bytes)
            );
            let parts: Vec<_> = line
                .parts
                .iter()
                .map(|(look, text)| style.paint(*look, text))
                .collect();
            let _ = writeln!(out, "{} {}", style.dim(&times), parts.join(", "));
        }
    }
}

/// The text of an answer, as it grows.
#[derive(Debug, Default)]
pub(super) struct Text {
    /// What has come and was not taken: what it is, and the text.
    pieces: Vec<(Look, String)>,
    /// The last piece that was told, so that another choice or kind begins on a new line.
    last: Option<(u32, bool)>,
    /// Whether reasoning is told too.
    reasoning: bool,
}

impl Hear for Text {
    fn delta(&mut self, delta: &Delta<'_>) {
        let (look, thinks) = match delta.kind {
            DeltaKind::Text => (Look::Plain, false),
            DeltaKind::Refusal => (Look::Odd, false),
            DeltaKind::Reasoning if self.reasoning => (Look::Dim, true),
            _ => return,
        };
        let place = (delta.choice, thinks);
        if self.last.is_some_and(|last| last != place) {
            self.pieces.push((Look::Plain, "\n".to_owned()));
        }
        self.last = Some(place);
        self.pieces.push((look, delta.text.clone().into_owned()));
    }
}

impl Text {
    /// The text alone, or with the reasoning before it.
    pub(super) fn new(reasoning: bool) -> Self {
        Self {
            reasoning,
            ..Self::default()
        }
    }

    /// Appends what has come to `out`; on a screen made safe to look at.
    pub(super) fn take(&mut self, style: &Style, on_screen: bool, out: &mut String) {
        for (look, text) in self.pieces.drain(..) {
            match on_screen {
                true => out.push_str(&style.paint(look, &escape(text.as_bytes(), Keep::Lines))),
                false => out.push_str(&text),
            }
        }
    }

    /// Whether a last line wants its end.
    pub(super) fn is_open(&self) -> bool {
        self.last.is_some()
    }
}

fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => words::line(text).into_owned(),
        Some((end, _)) => format!("{}...", words::line(text.get(..end).unwrap_or(text))),
    }
}

fn tail(text: &str, most: usize) -> String {
    let skipped = text.chars().count().saturating_sub(most);
    let start = text
        .char_indices()
        .nth(skipped)
        .map_or(0, |(start, _)| start);
    let dots = if skipped > 0 { "..." } else { "" };
    format!("{dots}{}", words::line(text.get(start..).unwrap_or(text)))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn long_arguments_are_shown_by_their_end() {
        let mut events = Events::default();
        let mut out = String::new();
        for number in 0..200_u64 {
            events.delta(&Delta {
                choice: 0,
                kind: DeltaKind::ToolCall { index: 0 },
                text: Cow::Owned(format!("é{number:039} ")),
                span: Span::empty_at(0),
                whole: Span::empty_at(0),
                event: number,
                begun: Moment::default(),
                moment: Moment::from_micros(2_000),
            });
            out.clear();
            events.take(&Style::default(), &mut out);
            assert!(out.contains(&format!("{number:039}")), "{out}");
        }
        assert!(
            out.trim_end().ends_with("its first byte 2.00 ms earlier"),
            "{out}"
        );
        assert!(events.calls[&(0, 0)].chars().count() <= ARGUMENTS + 1);
    }
}

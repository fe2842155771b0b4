//! The deltas of an answer as they arrive: one line for each event, or only the text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::escape::{KeptWhitespace, escape};
use super::{OutputStyle, TextStyle, wording};
use crate::chat::{AnswerDelta, DeltaKind, DeltaSink};
use crate::span::{Moment, Span};

/// Characters of a delta that a line shows: with moment and size the line fits 100 columns.
const PIECE_LIMIT: usize = 60;

/// Characters kept of the end of a tool call's arguments: enough for a line even if each is escaped as `\u{..}`.
const ARGUMENTS_KEPT: usize = 4 * PIECE_LIMIT;

/// Tool calls whose arguments are kept; a bound on memory that no real answer reaches.
const CALLS_KEPT: usize = 4096;

/// Arrival times of an event shorter than this (in microseconds) are not shown: they come from how the read was split.
const SLOW_ARRIVAL: u64 = 1_000;

/// Writes a line for each event: moment, time since the previous event, bytes, deltas.
#[derive(Debug, Default)]
pub(super) struct EventLines {
    /// Number, moment and span of the event whose deltas are arriving.
    open_event: Option<(u64, Moment, Span)>,
    parts: Vec<(TextStyle, String)>,
    /// Time from its first to its last byte, if longer than [`SLOW_ARRIVAL`].
    slow_arrival: Option<u64>,
    previous_moment: Option<Moment>,
    /// The last characters of the arguments of each tool call so far.
    argument_tails: BTreeMap<(u32, u64), String>,
    lines: Vec<EventLine>,
}

#[derive(Debug)]
struct EventLine {
    number: u64,
    moment: Moment,
    gap: Option<u64>,
    bytes: u64,
    parts: Vec<(TextStyle, String)>,
}

impl DeltaSink for EventLines {
    fn delta(&mut self, delta: &AnswerDelta<'_>) {
        if self.open_event.is_none_or(|(.., span)| span != delta.whole) {
            self.close_event();
            self.open_event = Some((delta.event, delta.moment, delta.whole));
            self.slow_arrival = Some(delta.moment.micros_since(delta.begun))
                .filter(|micros| *micros >= SLOW_ARRIVAL);
        }
        let part = self.describe_delta(delta);
        self.parts.push(part);
    }
}

impl EventLines {
    fn describe_delta(&mut self, delta: &AnswerDelta<'_>) -> (TextStyle, String) {
        let text =
            || wording::escape_line(&wording::clip_text(&delta.text, PIECE_LIMIT)).into_owned();
        let quoted = |name: &str| format!("{name} \"{}\"", text());
        let of = match delta.choice {
            0 => String::new(),
            choice => format!("[{choice}] "),
        };
        let (look, words) = match delta.kind {
            DeltaKind::Role => (TextStyle::Dim, format!("role {}", text())),
            DeltaKind::Text => (TextStyle::Text, quoted("text")),
            DeltaKind::Reasoning => (TextStyle::Dim, quoted("reasoning")),
            DeltaKind::Refusal => (TextStyle::Warning, quoted("refusal")),
            DeltaKind::ToolName { index } => (TextStyle::Name, format!("tool {index} {}", text())),
            DeltaKind::ToolCall { index } => {
                (TextStyle::Name, self.describe_arguments(delta, index))
            }
            DeltaKind::Audio => (TextStyle::Dim, format!("audio {}", text())),
            DeltaKind::Image => (TextStyle::Dim, format!("image {}", text())),
            DeltaKind::Citation => (TextStyle::Dim, format!("citation {}", text())),
            DeltaKind::Finish => (TextStyle::Success, format!("finish {}", text())),
            DeltaKind::Usage => (TextStyle::Number, format!("usage {}", text())),
            DeltaKind::Error => (TextStyle::Error, format!("ERROR {}", text())),
            DeltaKind::Ping => (TextStyle::Dim, "ping".to_owned()),
            DeltaKind::Comment => (TextStyle::Dim, format!("comment: {}", text())),
            DeltaKind::Done => (TextStyle::Success, "end mark".to_owned()),
            DeltaKind::Cut => (TextStyle::Error, format!("CUT {}", text())),
            DeltaKind::Other => (TextStyle::Dim, format!("other {}", text())),
        };
        (look, format!("{of}{}", words.trim_end()))
    }

    fn describe_arguments(&mut self, delta: &AnswerDelta<'_>, index: u64) -> String {
        let key = (delta.choice, index);
        if self.argument_tails.len() >= CALLS_KEPT && !self.argument_tails.contains_key(&key) {
            self.argument_tails.clear();
        }
        let so_far = self.argument_tails.entry(key).or_default();
        so_far.push_str(&delta.text);
        let shown = format!(
            "tool {index} arguments so far {}",
            clip_start(so_far, PIECE_LIMIT)
        );
        if let Some((start, _)) = so_far.char_indices().nth_back(ARGUMENTS_KEPT) {
            so_far.drain(..start);
        }
        shown
    }

    /// Ends the line of the current event.
    fn close_event(&mut self) {
        let Some((number, moment, span)) = self.open_event.take() else {
            return;
        };
        let slow = self.slow_arrival.take().map(|micros| {
            let text = format!(
                "its first byte {} earlier",
                wording::format_duration(micros)
            );
            (TextStyle::Warning, text)
        });
        self.parts.extend(slow);
        self.lines.push(EventLine {
            number,
            moment,
            gap: self
                .previous_moment
                .map(|before| moment.micros_since(before)),
            bytes: span.len(),
            parts: std::mem::take(&mut self.parts),
        });
        self.previous_moment = Some(moment);
    }

    /// Appends the lines of all complete events to `out`.
    pub(super) fn take_lines(&mut self, style: &OutputStyle, out: &mut String) {
        self.close_event();
        for line in self.lines.drain(..) {
            let gap = match line.gap {
                None => String::new(),
                // It arrived in the same read as the previous event.
                Some(0) => "=".to_owned(),
                Some(gap) => format!("+{}", wording::format_duration(gap)),
            };
            let times = format!(
                "{} {gap:>11}  #{:<4} {:>7} B ",
                wording::moment_column(line.moment),
                line.number,
                wording::format_count(line.bytes)
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

/// The text of an answer as it arrives.
#[derive(Debug, Default)]
pub(super) struct AnswerText {
    /// The style and text of deltas that were not written yet.
    pieces: Vec<(TextStyle, String)>,
    /// Choice and kind of the last delta: another choice or kind begins on a new line.
    last_source: Option<(u32, bool)>,
    /// Whether reasoning is shown too.
    with_reasoning: bool,
}

impl DeltaSink for AnswerText {
    fn delta(&mut self, delta: &AnswerDelta<'_>) {
        let (look, thinks) = match delta.kind {
            DeltaKind::Text => (TextStyle::Plain, false),
            DeltaKind::Refusal => (TextStyle::Warning, false),
            DeltaKind::Reasoning if self.with_reasoning => (TextStyle::Dim, true),
            _ => return,
        };
        let place = (delta.choice, thinks);
        if self.last_source.is_some_and(|last| last != place) {
            self.pieces.push((TextStyle::Plain, "\n".to_owned()));
        }
        self.last_source = Some(place);
        self.pieces.push((look, delta.text.clone().into_owned()));
    }
}

impl AnswerText {
    /// Shows the text, and with `reasoning` the reasoning before it.
    pub(super) fn new(reasoning: bool) -> Self {
        Self {
            with_reasoning: reasoning,
            ..Self::default()
        }
    }

    /// Appends the waiting text to `out`, escaped if it goes to a terminal.
    pub(super) fn take_text(&mut self, style: &OutputStyle, on_screen: bool, out: &mut String) {
        for (look, text) in self.pieces.drain(..) {
            match on_screen {
                true => out
                    .push_str(&style.paint(look, &escape(text.as_bytes(), KeptWhitespace::Lines))),
                false => out.push_str(&text),
            }
        }
    }

    /// Whether the last line is still open.
    pub(super) fn needs_line_end(&self) -> bool {
        self.last_source.is_some()
    }
}

fn clip_start(text: &str, most: usize) -> String {
    let skipped = text.chars().count().saturating_sub(most);
    let start = text
        .char_indices()
        .nth(skipped)
        .map_or(0, |(start, _)| start);
    let dots = if skipped > 0 { "..." } else { "" };
    format!(
        "{dots}{}",
        wording::escape_line(text.get(start..).unwrap_or(text))
    )
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn long_arguments_are_shown_by_their_end() {
        let mut events = EventLines::default();
        let mut out = String::new();
        for number in 0..200_u64 {
            events.delta(&AnswerDelta {
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
            events.take_lines(&OutputStyle::default(), &mut out);
            assert!(out.contains(&format!("{number:039}")), "{out}");
        }
        assert!(
            out.trim_end().ends_with("its first byte 2.00 ms earlier"),
            "{out}"
        );
        assert!(events.argument_tails[&(0, 0)].chars().count() <= ARGUMENTS_KEPT + 1);
    }
}

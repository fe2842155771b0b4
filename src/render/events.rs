//! Each read and write of an exchange, one line each, between the facts of its connection.

use std::io::{self, Write};

use super::{Style, words};
use crate::span::{Moment, Side, Span};
use crate::tape::{Fact, Tape, Watch};

/// Lists what happened in the order of its moments: moment, time since the line before, what.
pub fn list(tape: &Tape, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = Lines {
        out,
        style,
        before: Moment::default(),
        at: [0, 0],
        result: Ok(()),
    };
    tape.play(&mut lines);
    lines.result
}

struct Lines<'a> {
    out: &'a mut dyn Write,
    style: &'a Style,
    before: Moment,
    /// How far each stream is: sent, received.
    at: [u64; 2],
    result: io::Result<()>,
}

impl Lines<'_> {
    fn line(&mut self, mark: char, moment: Moment, text: &str) {
        if self.result.is_err() {
            return;
        }
        let gap = words::time(moment.since(self.before));
        let times = format!("{} {:>11}", words::moment(moment), format!("+{gap}"));
        self.result = writeln!(self.out, "{mark} {}  {text}", self.style.dim(&times));
        self.before = moment;
    }
}

impl Watch for Lines<'_> {
    fn fact(&mut self, moment: Moment, fact: &Fact) {
        self.line('*', moment, &words::fact(fact));
    }

    fn bytes(&mut self, side: Side, moment: Moment, bytes: &[u8]) {
        let (mark, place, verb) = match side {
            Side::Sent => ('>', 0, "wrote"),
            Side::Received => ('<', 1, "read"),
        };
        let Some(at) = self.at.get_mut(place) else {
            return;
        };
        let span = Span::new(*at, at.saturating_add(bytes.len() as u64));
        *at = span.end;
        let text = format!(
            "{verb} {} ({span})  {}",
            words::bytes(span.len()),
            preview(bytes)
        );
        self.line(mark, moment, &text);
    }
}

/// The first bytes, on one line.
fn preview(bytes: &[u8]) -> String {
    let cut = bytes.len().min(48);
    let text = words::line(&String::from_utf8_lossy(
        bytes.get(..cut).unwrap_or_default(),
    ))
    .into_owned();
    let dots = if cut < bytes.len() { "..." } else { "" };
    format!("{text}{dots}")
}

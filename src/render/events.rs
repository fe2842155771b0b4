//! Each read and write of an exchange, one line each, between the facts of its connection; under a read the
//! events of the answer that it completed. And the events themselves, byte for byte.

use std::io::{self, Write};

use super::escape::{Keep, escape};
use super::live::Live;
use super::plan::{Answer, Decode, Parts, Plan, Screen};
use super::{Painted, Style, head, words};
use crate::chat::Dialect;
use crate::content;
use crate::http1::HttpLimits;
use crate::price::Prices;
use crate::span::{Moment, Span, StreamSide};
use crate::sse::{EventDecoder, StreamFormat, StreamItem};
use crate::tape::{ConnectionFact, Tape, Window, WireSink};

/// Lists what happened in the order of its moments: moment, time since the line before, what. Answers how it
/// ended.
pub fn list(
    tape: &Tape,
    limits: (HttpLimits, content::DecodeLimits),
    dialect: Option<&'static dyn Dialect>,
    style: &Style,
    out: &mut dyn Write,
) -> Painted {
    let plan = Plan {
        parts: Parts {
            response_body: true,
            ..Parts::default()
        },
        marked: false,
        decode: Decode::All,
        answer: Answer::Events,
        pretty: false,
        pretty_notes: false,
        on_screen: true,
    };
    let body = Screen {
        out: Vec::new(),
        style: *style,
    };
    let notes = Screen {
        out: io::sink(),
        style: Style::default(),
    };
    let mut lines = Lines {
        out,
        style,
        before: Moment::default(),
        at: [0, 0],
        events: Live::new(body, notes, plan, limits, dialect).to_its_end(),
        result: Ok(()),
    };
    tape.replay(&mut lines);
    // What it cost is not shown. An event that was cut off is told only now.
    let painted = lines.events.end(&Prices::default());
    lines.events();
    Painted {
        broken: lines.result.err(),
        ..painted
    }
}

struct Lines<'a> {
    out: &'a mut dyn Write,
    style: &'a Style,
    before: Moment,
    /// How far each stream is: sent, received.
    at: [u64; 2],
    /// Paints the lines of events.
    events: Live<Vec<u8>, io::Sink>,
    result: io::Result<()>,
}

impl Lines<'_> {
    fn line(&mut self, mark: char, moment: Moment, text: &str) {
        let gap = format!("+{}", words::time(moment.micros_since(self.before)));
        let times = format!("{} {gap:>11}", words::moment(moment));
        self.before = moment;
        self.write(&format!("{mark} {}  {text}\n", self.style.dim(&times)));
    }

    fn write(&mut self, text: &str) {
        if self.result.is_ok() {
            self.result = self.out.write_all(text.as_bytes());
        }
    }

    /// The events that the last read completed.
    fn events(&mut self) {
        let lines = std::mem::take(self.events.body());
        for line in String::from_utf8_lossy(&lines).lines() {
            self.write(&format!("    {line}\n"));
        }
    }
}

impl WireSink for Lines<'_> {
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        self.line('*', moment, &words::fact(fact));
    }

    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        let (place, verb) = match side {
            StreamSide::Sent => (0, "wrote"),
            StreamSide::Received => (1, "read"),
        };
        let Some(at) = self.at.get_mut(place) else {
            return;
        };
        let span = Span::new(*at, at.saturating_add(bytes.len() as u64));
        *at = span.end;
        let size = words::bytes(span.len());
        let text = format!("{verb} {size} ({span})  {}", preview(bytes));
        self.line(head::mark(side), moment, &text);
        self.events.bytes(side, moment, bytes);
        self.events();
    }

    fn ended(&mut self, side: StreamSide, moment: Moment) {
        self.events.ended(side, moment);
        self.events();
    }
}

/// The first bytes, on one line.
fn preview(bytes: &[u8]) -> String {
    let cut = bytes.len().min(48);
    let first = bytes.get(..cut).unwrap_or_default();
    let dots = if cut < bytes.len() { "..." } else { "" };
    format!("{}{dots}", escape(first, Keep::Nothing))
}

/// Writes each event of a decoded body as it is, after a line with its number, place and moment. `moment`
/// tells when the byte at an offset of the body came.
pub fn raw(
    body: &[u8],
    format: StreamFormat,
    moment: &dyn Fn(u64) -> Option<Moment>,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let seen = Window {
        base: 0,
        bytes: body,
        ended: true,
    };
    let mut decoder = EventDecoder::new(format);
    let mut number = 0u64;
    while let Some(item) = decoder.step(seen) {
        let (what, span) = match item {
            StreamItem::Event(event) => ("event", event.span),
            StreamItem::WithoutData(event) => ("fields without data", event.span),
            StreamItem::Comment { span, .. } => ("comment", span),
            StreamItem::TooLong(span) => ("too long", span),
            StreamItem::Truncated(cut) => ("CUT", cut.span),
            StreamItem::Separator(_) => continue,
        };
        // As for its line: the blank line's first byte is its last.
        let came = moment(decoder.ready_at().saturating_sub(1));
        let came = came.map_or_else(String::new, |moment| words::time(moment.micros));
        let heading = format!("#{number}  {came}  {what}  {span}");
        writeln!(out, "{}", style.dim(&heading))?;
        writeln!(
            out,
            "{}",
            escape(seen.slice(span), Keep::Lines).trim_end_matches('\n')
        )?;
        number = number.saturating_add(1);
    }
    Ok(())
}

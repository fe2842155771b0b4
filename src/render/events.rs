//! The lists of `wire show --events` and `--raw`: each read and write on a line, with the facts of the connection and
//! the events that a read completed; and the events byte for byte.

use std::io::{self, Write};

use super::escape::{KeptWhitespace, escape};
use super::live::LivePainter;
use super::view_options::{AnswerForm, DecodeLevel, ExchangeParts, StyledOutput, ViewOptions};
use super::{OutputStyle, RenderedExchange, head, wording};
use crate::call::ReadOptions;
use crate::price::PriceTable;
use crate::span::{Moment, Span, StreamSide};
use crate::sse::{EventDecoder, StreamFormat, StreamItem};
use crate::tape::{ConnectionFact, Tape, Window, WireSink};

/// Writes facts, reads, writes and events in the order of their moments, each with the time since the previous
/// line. Returns the exchange and its meaning.
pub fn write_event_list(
    tape: &Tape,
    options: &ReadOptions,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> RenderedExchange {
    let plan = ViewOptions {
        parts: ExchangeParts {
            response_body: true,
            ..ExchangeParts::default()
        },
        with_marks: false,
        decode: DecodeLevel::All,
        answer_form: AnswerForm::Events,
        pretty: false,
        pretty_notes: false,
        on_screen: true,
    };
    let body = StyledOutput {
        out: Vec::new(),
        style: *style,
    };
    let notes = StyledOutput {
        out: io::sink(),
        style: OutputStyle::default(),
    };
    let mut lines = TapeListing {
        out,
        style,
        previous_moment: Moment::default(),
        offsets: [0, 0],
        event_painter: LivePainter::new(body, notes, plan, options).without_limit(),
        write_result: Ok(()),
    };
    tape.replay(&mut lines);
    // The cost is not shown. An event that was cut off is reported only at the end.
    let painted = lines.event_painter.finish_in_place(&PriceTable::default());
    lines.write_events();
    RenderedExchange {
        output_error: lines.write_result.err(),
        ..painted
    }
}

struct TapeListing<'a> {
    out: &'a mut dyn Write,
    style: &'a OutputStyle,
    previous_moment: Moment,
    /// The offsets that were reached: sent, received.
    offsets: [u64; 2],
    /// Writes the lines of events.
    event_painter: LivePainter<Vec<u8>, io::Sink>,
    write_result: io::Result<()>,
}

impl TapeListing<'_> {
    fn write_line(&mut self, mark: char, moment: Moment, text: &str) {
        let gap = format!(
            "+{}",
            wording::format_duration(moment.micros_since(self.previous_moment))
        );
        let times = format!("{} {gap:>11}", wording::moment_column(moment));
        self.previous_moment = moment;
        self.write_text(&format!("{mark} {}  {text}\n", self.style.dim(&times)));
    }

    fn write_text(&mut self, text: &str) {
        if self.write_result.is_ok() {
            self.write_result = self.out.write_all(text.as_bytes());
        }
    }

    /// Writes the events that the last read completed.
    fn write_events(&mut self) {
        let lines = std::mem::take(self.event_painter.body_output());
        for line in String::from_utf8_lossy(&lines).lines() {
            self.write_text(&format!("    {line}\n"));
        }
    }
}

impl WireSink for TapeListing<'_> {
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        self.write_line('*', moment, &wording::describe_fact(fact));
        self.event_painter.fact(moment, fact);
    }

    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        let (place, verb) = match side {
            StreamSide::Sent => (0, "wrote"),
            StreamSide::Received => (1, "read"),
        };
        let Some(at) = self.offsets.get_mut(place) else {
            return;
        };
        let span = Span::new(*at, at.saturating_add(bytes.len() as u64));
        *at = span.end;
        let size = wording::format_bytes(span.len());
        let text = format!("{verb} {size} ({span})  {}", preview(bytes));
        self.write_line(head::direction_mark(side), moment, &text);
        self.event_painter.bytes(side, moment, bytes);
        self.write_events();
    }

    fn ended(&mut self, side: StreamSide, moment: Moment) {
        self.event_painter.ended(side, moment);
        self.write_events();
    }
}

/// The first bytes of a read, on one line.
fn preview(bytes: &[u8]) -> String {
    let cut = bytes.len().min(48);
    let first = bytes.get(..cut).unwrap_or_default();
    let dots = if cut < bytes.len() { "..." } else { "" };
    format!("{}{dots}", escape(first, KeptWhitespace::SpacesOnly))
}

/// Writes each event of a decoded body unchanged, after a line with its number, span and moment. `moment`
/// returns the moment of the byte at an offset of the body.
pub fn write_raw_events(
    body: &[u8],
    format: StreamFormat,
    moment: &dyn Fn(u64) -> Option<Moment>,
    style: &OutputStyle,
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
            StreamItem::Unframed { span, .. } => ("without framing", span),
            StreamItem::Separator(_) => continue,
        };
        // As for its line: the blank line's first byte is its last.
        let came = moment(decoder.ready_at().saturating_sub(1));
        let came = came.map_or_else(String::new, |moment| {
            wording::format_duration(moment.micros)
        });
        let shown = match item.is_numbered() {
            true => format!("#{number}"),
            false => "#-".to_owned(),
        };
        let heading = format!("{shown}  {came}  {what}  {span}");
        writeln!(out, "{}", style.dim(&heading))?;
        writeln!(
            out,
            "{}",
            escape(seen.slice(span), KeptWhitespace::Lines).trim_end_matches('\n')
        )?;
        number = number.saturating_add(item.is_numbered().into());
    }
    Ok(())
}

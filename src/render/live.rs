//! The painter of an exchange on a terminal. It serves running exchanges and captures alike: a capture is
//! replayed to it in the order of its moments.

mod bodies;

use std::io::{self, BufWriter, Write};

use super::body_output::BodyOutput;
use super::delta_view::DeltaView;
use super::findings::fold_findings;
use super::view_options::{AnswerForm, DecodeLevel, StyledOutput, ViewOptions};
use super::{RenderedExchange, TextStyle, head, hex, summary, timing, wording};
use crate::call::{BodyReadOptions, BodyReader, BodyReport, ReadOptions};
use crate::chat::{self, AnswerReadOptions, Severity};
use crate::exchange::phases::ExchangeMilestones;
use crate::exchange::{Exchange, ExchangeReader, HttpEventSink};
use crate::http1::{BodyRetention, Event, MessageEnd};
use crate::lint::{self, CallView, Finding};
use crate::price::PriceTable;
use crate::span::{Moment, StreamSide};
use crate::tape::{ConnectionFact, Window, WireSink};

/// Paints an exchange: the response's body to one output, everything else to another.
#[derive(Debug)]
pub struct LivePainter<O: Write, N> {
    reader: ExchangeReader,
    painter: EventPainter<O, N>,
}

#[derive(Debug)]
struct EventPainter<O: Write, N> {
    /// Flushed after each read: the bytes of one read are written together.
    body_output: StyledOutput<BufWriter<O>>,
    notes_output: StyledOutput<N>,
    view_options: ViewOptions,
    /// The bodies that are being shown; both can be open, since an answer may begin before its request ends.
    request_output: Option<BodyOutput>,
    response_output: Option<BodyOutput>,
    body_options: BodyReadOptions,
    /// Reads both bodies. `None` while it does, and after the end.
    bodies: Option<BodyReader>,
    delta_view: DeltaView,
    /// Text of the delta view that is to be written.
    pending_text: String,
    /// The first bytes that belong to no message.
    unframed_bytes: Vec<u8>,
    /// The first error of the body's output; nothing is written there after it.
    body_error: Option<io::Error>,
    /// The first error of the notes' output; nothing is written there after it.
    notes_error: Option<io::Error>,
}

/// Body bytes gathered before a write; longer pieces are written directly. 16 KiB is the longest TLS record.
const BODY_BUFFER: usize = 16 << 10;

/// Unreadable bytes that the summary shows: eight rows of a hex dump.
const LOST_PREVIEW: usize = 128;

/// Bytes of a stream after which only its last events are read: no model writes as much text, and reading it would slow a
/// download down.
const ANSWER_LIMIT: u64 = 16 << 20;

impl<O: Write, N: Write> LivePainter<O, N> {
    /// A painter of the parts in `plan`.
    pub fn new(
        body: StyledOutput<O>,
        notes: StyledOutput<N>,
        plan: ViewOptions,
        options: &ReadOptions,
    ) -> Self {
        // Events or text are shown to the end.
        let answer_limit = match plan.answer_form {
            AnswerForm::Body => ANSWER_LIMIT,
            AnswerForm::Events | AnswerForm::Text => u64::MAX,
        };
        let body_options = BodyReadOptions {
            content: options.content,
            answer: AnswerReadOptions {
                retention: chat::AnswerRetention::TextStart,
                ..options.answer
            },
            answer_limit,
        };
        // An answer that is not shown has no deltas to show.
        let answer_form = match plan.parts.response_body {
            true => plan.answer_form,
            false => AnswerForm::Body,
        };
        Self {
            reader: ExchangeReader::new(BodyRetention::HeadsOnly, options.http1),
            painter: EventPainter {
                body_output: StyledOutput {
                    out: BufWriter::with_capacity(BODY_BUFFER, body.out),
                    style: body.style,
                },
                notes_output: notes,
                view_options: plan,
                request_output: None,
                response_output: None,
                body_options,
                bodies: Some(BodyReader::new(body_options)),
                delta_view: DeltaView::new(answer_form, plan.on_screen),
                pending_text: String::new(),
                unframed_bytes: Vec::new(),
                body_error: None,
                notes_error: None,
            },
        }
    }

    /// Reads the whole answer, however long: for an exchange that is over, since there is no download to slow down.
    pub fn without_limit(mut self) -> Self {
        self.painter.body_options.answer_limit = u64::MAX;
        self.painter.bodies = Some(BodyReader::new(self.painter.body_options));
        self
    }

    /// The view options.
    pub fn view_options(&self) -> &ViewOptions {
        &self.painter.view_options
    }

    /// The output of the body, with everything painted so far.
    pub fn body_output(&mut self) -> &mut O {
        self.painter.body_output.out.get_mut()
    }

    /// Writes one more line of meta.
    pub fn write_note(&mut self, text: &str) {
        if self.painter.view_options.parts.meta {
            self.painter.write_meta_line(&wording::escape_line(text));
        }
    }

    /// Writes the summary: outcome, oddities, times, meaning.
    pub fn finish(mut self, prices: &PriceTable) -> RenderedExchange {
        self.finish_in_place(prices)
    }

    /// Like [`Self::finish`], but keeps the outputs. Nothing may be painted afterwards.
    pub(super) fn finish_in_place(&mut self, prices: &PriceTable) -> RenderedExchange {
        self.painter.end_body(StreamSide::Sent);
        self.painter.end_body(StreamSide::Received);
        let exchange = &self.reader.exchange;
        let report = self.painter.finish_bodies(exchange, prices);
        if self.painter.view_options.parts.meta {
            let findings = lint::check_call(CallView {
                exchange,
                request_body: &report.request_body,
                decode_error: report.decode_error.as_ref(),
                meaning: report.meaning.as_ref(),
                capture_notes: &[],
            });
            self.painter.write_summary(exchange, &report, &findings);
        }
        self.painter.with_notes(|notes| notes.out.flush());
        // A body that is written undecoded needs no valid coding.
        let minds = self.painter.view_options.decode == DecodeLevel::All;
        RenderedExchange {
            exchange: std::mem::take(&mut self.reader.exchange),
            meaning: report.meaning,
            decode_error: report.decode_error.filter(|_| minds),
            output_error: self.painter.take_error(),
        }
    }
}

impl<O: Write, N: Write> WireSink for LivePainter<O, N> {
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        let before = self.reader.exchange.more_masked;
        self.reader.fact(moment, fact);
        // A peer may repeat a key any number of times; the summary has the count.
        let recorded = self.reader.exchange.more_masked == before;
        if self.painter.view_options.parts.meta && recorded {
            self.painter.pause_bodies();
            self.painter
                .write_fact(&wording::moment_column(moment), fact);
        }
    }

    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        self.reader.bytes(side, moment, bytes, &mut self.painter);
        self.painter.with_notes(|notes| notes.out.flush());
    }

    fn ended(&mut self, side: StreamSide, _moment: Moment) {
        self.reader.ended(side, &mut self.painter);
        self.painter.with_notes(|notes| notes.out.flush());
    }

    /// Whether the reader of the body went away. Without a reader of the notes, or with a full disk, the exchange goes on:
    /// it is still recorded.
    fn is_done(&self) -> bool {
        let error = self.painter.body_error.as_ref();
        error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl<O: Write, N: Write> HttpEventSink for EventPainter<O, N> {
    fn event(
        &mut self,
        exchange: &Exchange,
        side: StreamSide,
        moment: Moment,
        event: &Event,
        seen: Window<'_>,
    ) {
        let raw = self.view_options.decode == DecodeLevel::Nothing;
        match *event {
            Event::Start(_) => {
                self.pause_bodies();
                self.write_head_line(side, event, seen);
            }
            Event::Field(_) => self.write_head_line(side, event, seen),
            Event::HeadEnd(..) => {
                self.write_head_line(side, event, seen);
                self.begin_body(side, exchange);
            }
            Event::Data(span) => {
                if side == StreamSide::Sent || self.view_options.decode != DecodeLevel::All {
                    self.show_body(side, seen.slice(span));
                }
            }
            Event::ChunkHead { line: span, .. }
            | Event::ChunkEnd(span)
            | Event::TrailerEnd(span) => {
                if raw {
                    self.show_body(side, seen.slice(span));
                }
            }
            Event::Trailer(field) if raw => self.show_body(side, seen.slice(field.line)),
            Event::Trailer(_) => {
                self.pause_bodies();
                self.write_head_line(side, event, seen);
            }
            // The frames of a WebSocket are listed by `render::websocket`.
            Event::Unframed(_) if exchange.websocket.is_some() && !raw => {}
            Event::Unframed(span) if side == StreamSide::Received => {
                if raw {
                    self.show_body(side, seen.slice(span));
                }
                self.keep_unframed(seen.slice(span));
            }
            Event::End(end) => {
                // A raw view still shows the bytes after the place where framing was lost.
                if !(raw && matches!(end, MessageEnd::FramingLost { .. })) {
                    self.end_body(side);
                }
            }
            Event::Unframed(span) => self.show_unframed_request(seen.slice(span)),
            Event::Blank(_) | Event::Odd(_) => {}
        }
        self.read_bodies(exchange, side, moment, event, seen);
    }
}

impl<O: Write, N: Write> EventPainter<O, N> {
    /// Runs `act` on the body's output unless it has failed, and keeps its error.
    fn with_body(&mut self, act: impl FnOnce(&mut BufWriter<O>) -> io::Result<()>) {
        if self.body_error.is_none() {
            self.body_error = act(&mut self.body_output.out).err();
        }
    }

    /// Runs `act` on the notes' output unless it has failed, and keeps its error. Flushes the body first: both outputs may
    /// be one terminal.
    fn with_notes(&mut self, act: impl FnOnce(&mut StyledOutput<N>) -> io::Result<()>) {
        self.with_body(BufWriter::flush);
        if self.notes_error.is_none() {
            self.notes_error = act(&mut self.notes_output).err();
        }
    }

    /// The error of an output to report: the body's, or else the notes'. A reader of notes that went away is none.
    fn take_error(&mut self) -> Option<io::Error> {
        let notes = self.notes_error.take();
        let notes = notes.filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
        self.body_error.take().or(notes)
    }

    fn write_fact(&mut self, time: &str, fact: &ConnectionFact) {
        let look = match fact {
            ConnectionFact::Failed { .. } => TextStyle::Error,
            ConnectionFact::Tried { .. } => TextStyle::Warning,
            _ => {
                return self.write_meta_line(&format!(
                    "{}  {}",
                    self.notes_output.style.dim(time),
                    wording::describe_fact(fact)
                ));
            }
        };
        let text = self
            .notes_output
            .style
            .paint(look, &wording::describe_fact(fact));
        self.write_meta_line(&format!("{}  {text}", self.notes_output.style.dim(time)));
    }

    /// Writes one line of meta.
    fn write_meta_line(&mut self, text: &str) {
        self.with_notes(|notes| writeln!(notes.out, "* {text}"));
    }

    fn shows_head(&self, side: StreamSide) -> bool {
        match side {
            StreamSide::Sent => self.view_options.parts.request_head,
            StreamSide::Received => self.view_options.parts.response_head,
        }
    }

    fn write_head_line(&mut self, side: StreamSide, event: &Event, seen: Window<'_>) {
        if !self.shows_head(side) {
            return;
        }
        if !self.view_options.with_marks && !self.view_options.on_screen {
            if let Some((_, span)) = event.role_and_span() {
                self.with_notes(|notes| notes.out.write_all(seen.slice(span)));
            }
            return;
        }
        let Some(rows) = head::head_rows(event, seen, &self.notes_output.style) else {
            return;
        };
        let marked = self.view_options.with_marks;
        self.with_notes(|notes| {
            for row in rows {
                match marked {
                    true if row.is_empty() => {
                        writeln!(notes.out, "{}", head::direction_mark(side))?
                    }
                    true => writeln!(notes.out, "{} {row}", head::direction_mark(side))?,
                    false => writeln!(notes.out, "{row}")?,
                }
            }
            Ok(())
        });
    }

    /// Keeps the first unreadable bytes for the summary.
    fn keep_unframed(&mut self, bytes: &[u8]) {
        let room = LOST_PREVIEW
            .saturating_sub(self.unframed_bytes.len())
            .min(bytes.len());
        let kept = bytes.get(..room).unwrap_or_default();
        self.unframed_bytes.extend_from_slice(kept);
    }

    fn write_summary(&mut self, exchange: &Exchange, report: &BodyReport, findings: &[Finding]) {
        let style = self.notes_output.style;
        // Those about the answer are in its summary.
        let about_exchange = findings
            .iter()
            .filter(|finding| finding.is_about_exchange());
        let folded = fold_findings(about_exchange);
        for finding in folded.shown {
            let look = match finding.severity {
                Severity::Error => TextStyle::Error,
                _ => TextStyle::Warning,
            };
            self.write_meta_line(&style.paint(look, &wording::describe_finding(finding)));
        }
        if let Some(rest) = folded.rest {
            self.write_meta_line(&rest);
        }
        if let Some(masked) = wording::describe_masked(exchange) {
            self.write_meta_line(&wording::escape_line(&masked));
        }
        if report.has_gap {
            let most = wording::format_bytes(ANSWER_LIMIT);
            self.write_meta_line(&format!(
                "answers longer than {most} are not explained while they arrive (`wire show` explains them)"
            ));
        }
        let look = if exchange.outcome().is_whole() {
            TextStyle::Success
        } else {
            TextStyle::Error
        };
        self.write_meta_line(&style.paint(look, &wording::describe_outcome(exchange)));
        let lost = std::mem::take(&mut self.unframed_bytes);
        let at = exchange
            .received
            .bytes
            .saturating_sub(exchange.bytes_after_end);
        let at = exchange.framing_lost_at().unwrap_or(at);
        self.with_notes(|notes| {
            hex::write_rows(&lost, at, "*   ", &mut notes.out)?;
            // Each call in a WebSocket has times and a summary of its own.
            if exchange.websocket.is_some() {
                return Ok(());
            }
            let milestones = ExchangeMilestones::from_exchange(exchange);
            timing::draw_waterfall(&milestones, "* ", &style, &mut notes.out)?;
            match &report.meaning {
                Some(meaning) if report.has_gap => {
                    summary::write_verdict(meaning, "* ", &style, &mut notes.out)
                }
                Some(meaning) => {
                    summary::write_summary(meaning, findings, "* ", &style, &mut notes.out)
                }
                None => Ok(()),
            }
        });
    }
}

#[cfg(test)]
mod tests;

//! The part of the painter that handles bodies: it begins them after their heads, shows what is read of them, and ends
//! them.

use std::io::Write;

use super::EventPainter;
use crate::call::{BodyReader, BodyReport, BodySink};
use crate::chat::{AnswerDelta, DeltaSink};
use crate::content;
use crate::exchange::Exchange;
use crate::http1::{Event, HttpMessage};
use crate::price::PriceTable;
use crate::render::body::BodyPrinter;
use crate::render::body_output::BodyOutput;
use crate::render::view_options::{AnswerForm, DecodeLevel};
use crate::render::wording;
use crate::span::{Moment, StreamSide};
use crate::tape::Window;

/// Most bytes of a request's body that are shown among the notes: some hundred lines, after which the answer would be
/// out of sight.
const REQUEST_SHOWN_LIMIT: u64 = 16 << 10;

impl<O: Write, N: Write> EventPainter<O, N> {
    pub(super) fn begin_body(&mut self, side: StreamSide, exchange: &Exchange) {
        let (parts, answer) = (self.view_options.parts, self.view_options.answer_form);
        match side {
            StreamSide::Sent => {
                let (json, pretty) = (b"application/json", self.view_options.pretty_notes);
                let painter = BodyPrinter::new(json, pretty, self.notes_output.style);
                self.request_output = parts.request_body.then(|| self.new_request_output(painter));
            }
            StreamSide::Received if exchange.response.is_interim() => {}
            StreamSide::Received => {
                let shown = parts.response_body && answer == AnswerForm::Body;
                self.response_output = shown.then(|| self.new_response_output(&exchange.response));
                self.note_unknown_coding(&exchange.response);
            }
        }
        self.with_notes(|notes| notes.out.flush());
    }

    /// Shows sent bytes that belong to no message, after the request.
    pub(super) fn show_unframed_request(&mut self, bytes: &[u8]) {
        let parts = self.view_options.parts;
        if self.request_output.is_none() && (parts.request_head || parts.request_body) {
            self.request_output =
                Some(self.new_request_output(BodyPrinter::for_any_bytes(self.notes_output.style)));
        }
        self.show_body(StreamSide::Sent, bytes);
    }

    fn new_request_output(&self, painter: BodyPrinter) -> BodyOutput {
        match (self.view_options.with_marks, self.view_options.on_screen) {
            (true, _) => BodyOutput::painted(painter).among_notes("> ", REQUEST_SHOWN_LIMIT),
            (false, true) => BodyOutput::painted(painter),
            (false, false) => BodyOutput::unpainted(),
        }
    }

    fn new_response_output(&self, response: &HttpMessage) -> BodyOutput {
        if !self.view_options.on_screen {
            return BodyOutput::unpainted();
        }
        let media = response.head.get("content-type").unwrap_or_default();
        BodyOutput::painted(BodyPrinter::new(
            &media,
            self.view_options.pretty,
            self.body_output.style,
        ))
    }

    /// Writes a note about a content coding that is not known.
    fn note_unknown_coding(&mut self, response: &HttpMessage) {
        if self.view_options.parts.meta
            && let Err(unknown) = content::ContentCoding::parse(response.codings())
        {
            self.write_meta_line(&format!("odd: {unknown}: shown as it came"));
        }
    }

    /// Passes an HTTP event to the reader of bodies, and shows what it returns.
    pub(super) fn read_bodies(
        &mut self,
        exchange: &Exchange,
        side: StreamSide,
        moment: Moment,
        event: &Event,
        seen: Window<'_>,
    ) {
        if let Some(mut bodies) = self.bodies.take() {
            bodies.event(exchange, side, moment, event, seen, self);
            self.bodies = Some(bodies);
            self.write_deltas();
        }
    }

    /// Writes the deltas that are not written yet to the body's output.
    fn write_deltas(&mut self) {
        let mut text = std::mem::take(&mut self.pending_text);
        let (style, screen) = (&self.body_output.style, self.view_options.on_screen);
        self.delta_view.take_shown(style, screen, &mut text);
        if !text.is_empty() {
            self.with_body(|out| out.write_all(text.as_bytes()));
        }
        self.pending_text = text;
        self.pending_text.clear();
    }

    fn side_output(&mut self, side: StreamSide) -> &mut Option<BodyOutput> {
        match side {
            StreamSide::Sent => &mut self.request_output,
            StreamSide::Received => &mut self.response_output,
        }
    }

    fn write_side(&mut self, side: StreamSide, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        match side {
            StreamSide::Sent => self.with_notes(|notes| notes.out.write_all(bytes)),
            StreamSide::Received => self.with_body(|out| out.write_all(bytes)),
        }
    }

    pub(super) fn show_body(&mut self, side: StreamSide, bytes: &[u8]) {
        if let Some(mut flow) = self.side_output(side).take() {
            // The other body may have an open line.
            self.pause_bodies();
            self.write_side(side, flow.push(bytes));
            *self.side_output(side) = Some(flow);
        }
    }

    /// Ends open lines of bodies before other text is written.
    pub(super) fn pause_bodies(&mut self) {
        for side in [StreamSide::Sent, StreamSide::Received] {
            if let Some(mut flow) = self.side_output(side).take() {
                self.write_side(side, flow.break_line());
                *self.side_output(side) = Some(flow);
            }
        }
    }

    pub(super) fn end_body(&mut self, side: StreamSide) {
        let Some(mut flow) = self.side_output(side).take() else {
            return;
        };
        let (last, unshown) = flow.finish();
        self.write_side(side, last);
        if unshown > 0 {
            let more = wording::format_bytes(unshown);
            self.write_meta_line(&format!(
                "{more} more of the request's body (`-p B` shows it all)"
            ));
        }
    }

    /// Ends the reading of both bodies, and writes the last deltas.
    pub(super) fn finish_bodies(&mut self, exchange: &Exchange, prices: &PriceTable) -> BodyReport {
        let unused = BodyReader::new(self.body_options);
        let bodies = self.bodies.take().unwrap_or(unused);
        let report = bodies.finish(exchange, prices, self);
        self.write_deltas();
        if self.delta_view.needs_line_end() {
            self.with_body(|out| out.write_all(b"\n"));
        }
        report
    }
}

impl<O: Write, N: Write> DeltaSink for EventPainter<O, N> {
    fn delta(&mut self, delta: &AnswerDelta<'_>) {
        self.delta_view.delta(delta);
    }
}

impl<O: Write, N: Write> BodySink for EventPainter<O, N> {
    fn decoded(&mut self, _moment: Moment, bytes: &[u8]) {
        self.write_deltas();
        if self.view_options.decode == DecodeLevel::All {
            self.show_body(StreamSide::Received, bytes);
        }
    }
}

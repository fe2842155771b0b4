//! The part of the painter that handles bodies: it begins them after their heads, decodes, shows and reads them,
//! and ends them.

use std::io::Write;

use super::EventPainter;
use crate::call::meaning::CallMeaning;
use crate::content;
use crate::exchange::Exchange;
use crate::http1::HttpMessage;
use crate::price::PriceTable;
use crate::render::answer_tail::AnswerTail;
use crate::render::body::BodyPrinter;
use crate::render::body_output::BodyOutput;
use crate::render::live_answer::LiveAnswer;
use crate::render::view_options::{AnswerForm, DecodeLevel};
use crate::render::wording;
use crate::span::{Moment, StreamSide};

/// Most bytes of a request's body that are shown among the notes: some hundred lines, after which the answer would be
/// out of sight.
const REQUEST_SHOWN_LIMIT: u64 = 16 << 10;

/// Most bytes of a request's body that are kept to read the answer: as many as the longest event that is read live, so
/// that a request with an image fits.
const REQUEST_KEPT_LIMIT: usize = 8 << 20;

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
                self.body_decoder = self.new_decoder(&exchange.response);
                let answer = if parts.response_body {
                    answer
                } else {
                    AnswerForm::Body
                };
                let screen = self.view_options.on_screen;
                let asked = std::mem::take(&mut self.request_body);
                self.live_answer = Some(LiveAnswer::begin(
                    exchange,
                    &asked,
                    self.chat_options,
                    answer,
                    screen,
                ));
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

    fn new_decoder(&mut self, response: &HttpMessage) -> Option<content::ContentDecoder> {
        match content::ContentCoding::parse(response.codings()) {
            Ok(codings) if codings.is_empty() => None,
            Ok(codings) => Some(content::ContentDecoder::new(&codings, self.decode_limits)),
            Err(unknown) => {
                if self.view_options.parts.meta {
                    self.write_meta_line(&format!("odd: {unknown}: shown as it came"));
                }
                None
            }
        }
    }

    pub(super) fn push_body_data(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        if side == StreamSide::Sent {
            let room = REQUEST_KEPT_LIMIT
                .saturating_sub(self.request_body.len())
                .min(bytes.len());
            self.request_body
                .extend_from_slice(bytes.get(..room).unwrap_or_default());
            return self.show_body(side, bytes);
        }
        if self.view_options.decode != DecodeLevel::All {
            self.show_body(side, bytes);
        }
        let Some(mut decoder) = self.body_decoder.take() else {
            return self.push_decoded(moment, bytes);
        };
        let pushed = decoder.push_to(bytes, &mut |decoded| self.push_decoded(moment, decoded));
        if let Err(trouble) = pushed {
            self.decode_error.get_or_insert(trouble);
        }
        self.body_decoder = Some(decoder);
    }

    /// Takes decoded bytes of the response's body.
    fn push_decoded(&mut self, moment: Moment, bytes: &[u8]) {
        if self.view_options.decode == DecodeLevel::All {
            self.show_body(StreamSide::Received, bytes);
        }
        if let Some(tail) = &mut self.answer_tail {
            return tail.push(bytes, moment);
        }
        let Some(mut meaning) = self.live_answer.take() else {
            return;
        };
        let look = (&self.body_output.style, self.view_options.on_screen);
        meaning.push(bytes, moment, look, &mut self.pending_text);
        // A view of events or text has no length limit.
        if self.view_options.answer_form != AnswerForm::Body
            || meaning.completion().bytes < self.answer_limit
        {
            self.live_answer = Some(meaning);
        } else {
            self.too_long = true;
            self.answer_tail = AnswerTail::from_beginning(meaning.completion(), self.chat_options);
        }
        self.write_pending_text();
    }

    /// Writes the pending text to the body's output.
    fn write_pending_text(&mut self) {
        let text = std::mem::take(&mut self.pending_text);
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
        if side == StreamSide::Received
            && let Some(mut decoder) = self.body_decoder.take()
            && let Err(trouble) = decoder.finish()
        {
            self.decode_error.get_or_insert(trouble);
        }
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

    /// The meaning of the finished answer; only its end if it was too long.
    pub(super) fn finish_report(
        &mut self,
        exchange: &Exchange,
        prices: &PriceTable,
    ) -> Option<CallMeaning> {
        if let Some(tail) = self.answer_tail.take() {
            return tail.read_report(exchange, &self.request_body, prices);
        }
        let meaning = self.live_answer.take()?;
        let look = (&self.body_output.style, self.view_options.on_screen);
        let report = meaning.finish(exchange, prices, look, &mut self.pending_text);
        self.write_pending_text();
        Some(report)
    }
}

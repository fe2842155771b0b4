//! The bodies of an exchange that is being painted: begun after their heads, decoded, shown, read for what they
//! mean, ended.

use std::io::Write;

use super::Paint;
use crate::call::meaning::Report;
use crate::content;
use crate::exchange::Exchange;
use crate::price::Prices;
use crate::render::body::Painter;
use crate::render::flow::Flow;
use crate::render::meaning::Meaning;
use crate::render::plan::{Answer, Decode};
use crate::render::tail::Tail;
use crate::render::words;
use crate::span::{Moment, StreamSide};

/// How much of a request's body is shown among the notes.
const REQUEST_ROOM: u64 = 16 << 10;

/// How much of a request's body is remembered.
const ASKED: usize = 8 << 20;

impl<O: Write, N: Write> Paint<O, N> {
    pub(super) fn flow_begins(&mut self, side: StreamSide) {
        let (parts, answer) = (self.plan.parts, self.plan.answer);
        match side {
            StreamSide::Sent => {
                let (json, pretty) = (b"application/json", self.plan.pretty_notes);
                let painter = Painter::new(json, pretty, self.notes.style);
                self.sent = parts.request_body.then(|| self.request_flow(painter));
            }
            StreamSide::Received if self.heads.response.is_interim() => {}
            StreamSide::Received => {
                let shown = parts.response_body && answer == Answer::Body;
                self.received = shown.then(|| self.response_flow());
                self.decoder = self.decoder();
                let answer = if parts.response_body {
                    answer
                } else {
                    Answer::Body
                };
                let screen = self.plan.on_screen;
                let asked = std::mem::take(&mut self.asked);
                self.meaning = Some(Meaning::begin(
                    &self.heads,
                    &asked,
                    self.options,
                    answer,
                    screen,
                ));
            }
        }
        self.noted(|notes| notes.out.flush());
    }

    /// What was sent and is no part of a message: shown with the rest of the request.
    pub(super) fn unframed_request(&mut self, bytes: &[u8]) {
        let parts = self.plan.parts;
        if self.sent.is_none() && (parts.request_head || parts.request_body) {
            self.sent = Some(self.request_flow(Painter::anything(self.notes.style)));
        }
        self.show(StreamSide::Sent, bytes);
    }

    fn request_flow(&self, painter: Painter) -> Flow {
        match (self.plan.marked, self.plan.on_screen) {
            (true, _) => Flow::painted(painter).among_notes("> ", REQUEST_ROOM),
            (false, true) => Flow::painted(painter),
            (false, false) => Flow::plain(),
        }
    }

    fn response_flow(&self) -> Flow {
        if !self.plan.on_screen {
            return Flow::plain();
        }
        let media = self
            .heads
            .response
            .head
            .get("content-type")
            .unwrap_or_default();
        Flow::painted(Painter::new(&media, self.plan.pretty, self.body.style))
    }

    fn decoder(&mut self) -> Option<content::ContentDecoder> {
        match content::ContentCoding::parse(self.heads.response.codings()) {
            Ok(codings) if codings.is_empty() => None,
            Ok(codings) => Some(content::ContentDecoder::new(&codings, self.limits)),
            Err(unknown) => {
                if self.plan.parts.meta {
                    self.line(&format!("odd: {unknown}: shown as it came"));
                }
                None
            }
        }
    }

    pub(super) fn data(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        if side == StreamSide::Sent {
            let room = ASKED.saturating_sub(self.asked.len()).min(bytes.len());
            self.asked
                .extend_from_slice(bytes.get(..room).unwrap_or_default());
            return self.show(side, bytes);
        }
        if self.plan.decode != Decode::All {
            self.show(side, bytes);
        }
        let Some(mut decoder) = self.decoder.take() else {
            return self.plain(moment, bytes);
        };
        let pushed = decoder.push_to(bytes, &mut |decoded| self.plain(moment, decoded));
        if let Err(trouble) = pushed {
            self.trouble.get_or_insert(trouble);
        }
        self.decoder = Some(decoder);
    }

    /// Bytes of the response's body, decoded.
    fn plain(&mut self, moment: Moment, bytes: &[u8]) {
        if self.plan.decode == Decode::All {
            self.show(StreamSide::Received, bytes);
        }
        if let Some(tail) = &mut self.tail {
            return tail.push(bytes, moment);
        }
        let Some(mut meaning) = self.meaning.take() else {
            return;
        };
        let look = (&self.body.style, self.plan.on_screen);
        meaning.push(bytes, moment, look, &mut self.text);
        // Who asked for its pieces gets them all.
        if self.plan.answer != Answer::Body || meaning.completion().bytes < self.most {
            self.meaning = Some(meaning);
        } else {
            self.too_long = true;
            self.tail = Tail::of(meaning.completion(), self.options);
        }
        self.write_text();
    }

    /// Writes what was put into `text`, among the body.
    fn write_text(&mut self) {
        let text = std::mem::take(&mut self.text);
        if !text.is_empty() {
            self.try_to(|paint| paint.body.out.write_all(text.as_bytes()));
        }
        self.text = text;
        self.text.clear();
    }

    fn flow(&mut self, side: StreamSide) -> &mut Option<Flow> {
        match side {
            StreamSide::Sent => &mut self.sent,
            StreamSide::Received => &mut self.received,
        }
    }

    fn write(&mut self, side: StreamSide, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        match side {
            StreamSide::Sent => self.noted(|notes| notes.out.write_all(bytes)),
            StreamSide::Received => self.try_to(|paint| paint.body.out.write_all(bytes)),
        }
    }

    pub(super) fn show(&mut self, side: StreamSide, bytes: &[u8]) {
        if let Some(mut flow) = self.flow(side).take() {
            // The other body may be in the middle of a line.
            self.flows_pause();
            self.write(side, flow.show(bytes));
            *self.flow(side) = Some(flow);
        }
    }

    /// Something else is about to be written where a body may stand.
    pub(super) fn flows_pause(&mut self) {
        for side in [StreamSide::Sent, StreamSide::Received] {
            if let Some(mut flow) = self.flow(side).take() {
                self.write(side, flow.pause());
                *self.flow(side) = Some(flow);
            }
        }
    }

    pub(super) fn flow_ends(&mut self, side: StreamSide) {
        if side == StreamSide::Received
            && let Some(mut decoder) = self.decoder.take()
            && let Err(trouble) = decoder.finish()
        {
            self.trouble.get_or_insert(trouble);
        }
        let Some(mut flow) = self.flow(side).take() else {
            return;
        };
        let (last, unshown) = flow.end();
        self.write(side, last);
        if unshown > 0 {
            let more = words::bytes(unshown);
            self.line(&format!(
                "{more} more of the request's body (`-p B` shows it all)"
            ));
        }
    }

    /// What the answer means, now that it is over; of one that was too long only how it ended.
    pub(super) fn understood(&mut self, exchange: &Exchange, prices: &Prices) -> Option<Report> {
        if let Some(tail) = self.tail.take() {
            return tail.judge(exchange, &self.asked, prices);
        }
        let meaning = self.meaning.take()?;
        let look = (&self.body.style, self.plan.on_screen);
        let report = meaning.finish(exchange, prices, look, &mut self.text);
        self.write_text();
        Some(report)
    }
}

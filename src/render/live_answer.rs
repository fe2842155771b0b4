//! An answer read while it arrives: for the lines of its events, its text, and the summary.

use super::OutputStyle;
use super::deltas::{AnswerText, EventLines};
use super::view_options::AnswerForm;
use crate::call::meaning::CallMeaning;
use crate::chat::timeline;
use crate::chat::{
    AnswerDelta, AnswerReadOptions, AnswerReader, BodyEnding, Completion, DeltaSink,
};
use crate::exchange::Exchange;
use crate::price::PriceTable;
use crate::span::Moment;

/// An answer that is being read.
#[derive(Debug)]
pub(super) struct LiveAnswer {
    reader: AnswerReader,
    delta_sink: LiveDeltaSink,
}

#[derive(Debug)]
struct LiveDeltaSink {
    timeline: timeline::TimelineBuilder,
    view: DeltaView,
}

/// The form in which deltas are shown.
#[derive(Debug)]
enum DeltaView {
    Hidden,
    Events(EventLines),
    Text(AnswerText),
}

impl DeltaSink for LiveDeltaSink {
    fn delta(&mut self, delta: &AnswerDelta<'_>) {
        self.timeline.delta(delta);
        match &mut self.view {
            DeltaView::Hidden => {}
            DeltaView::Events(events) => events.delta(delta),
            DeltaView::Text(text) => text.delta(delta),
        }
    }
}

impl LiveAnswer {
    /// A reader for the answer, made when the head of the response is whole. `exchange` has both heads.
    pub(super) fn begin(
        exchange: &Exchange,
        request_body: &[u8],
        options: AnswerReadOptions,
        answer: AnswerForm,
        on_screen: bool,
    ) -> Self {
        let view = match answer {
            AnswerForm::Body => DeltaView::Hidden,
            AnswerForm::Events => DeltaView::Events(EventLines::default()),
            AnswerForm::Text => DeltaView::Text(AnswerText::new(on_screen)),
        };
        Self {
            reader: AnswerReader::new(exchange, request_body, options),
            delta_sink: LiveDeltaSink {
                timeline: timeline::TimelineBuilder::default(),
                view,
            },
        }
    }

    /// The answer as read so far.
    pub(super) fn completion(&self) -> &Completion {
        self.reader.completion()
    }

    /// Reads decoded bytes of the body and appends the text to show to `out`.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        moment: Moment,
        look: (&OutputStyle, bool),
        out: &mut String,
    ) {
        self.reader.push(bytes, moment, &mut self.delta_sink);
        self.take_shown(look, out);
    }

    fn take_shown(&mut self, (style, on_screen): (&OutputStyle, bool), out: &mut String) {
        match &mut self.delta_sink.view {
            DeltaView::Hidden => {}
            DeltaView::Events(events) => events.take_lines(style, out),
            DeltaView::Text(text) => text.take_text(style, on_screen, out),
        }
    }

    /// Ends the body: appends the last text to show to `out` and returns the meaning of the answer.
    pub(super) fn finish(
        mut self,
        exchange: &Exchange,
        prices: &PriceTable,
        look: (&OutputStyle, bool),
        out: &mut String,
    ) -> CallMeaning {
        let completion = self
            .reader
            .finish(BodyEnding::from_exchange(exchange), &mut self.delta_sink);
        match &mut self.delta_sink.view {
            DeltaView::Hidden => {}
            DeltaView::Events(events) => events.take_lines(look.0, out),
            DeltaView::Text(text) => {
                text.take_text(look.0, look.1, out);
                if text.needs_line_end() {
                    out.push('\n');
                }
            }
        }
        let (sent, last) = (exchange.sent.last, exchange.received.last);
        let timeline = self.delta_sink.timeline.finish(&completion, sent, last);
        CallMeaning::new(exchange, completion, timeline, prices)
    }
}

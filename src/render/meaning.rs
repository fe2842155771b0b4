//! What an answer means, read while it comes: for the lines of its events, its text, and the summary.

use super::Style;
use super::pieces::{Events, Text};
use super::plan::Answer;
use crate::call::meaning::Report;
use crate::chat::timeline;
use crate::chat::{Completion, Delta, Ending, Hear, Options, Reader};
use crate::exchange::Exchange;
use crate::price::Prices;
use crate::span::Moment;

/// One answer that is being read.
#[derive(Debug)]
pub(super) struct Meaning {
    reader: Reader,
    heard: Heard,
}

#[derive(Debug)]
struct Heard {
    timeline: timeline::Gather,
    view: View,
}

/// How the pieces are shown.
#[derive(Debug)]
enum View {
    Nothing,
    Events(Events),
    Text(Text),
}

impl Hear for Heard {
    fn delta(&mut self, delta: &Delta<'_>) {
        self.timeline.delta(delta);
        match &mut self.view {
            View::Nothing => {}
            View::Events(events) => events.delta(delta),
            View::Text(text) => text.delta(delta),
        }
    }
}

impl Meaning {
    /// Begins when the head of the response is whole. `exchange` holds both heads.
    pub(super) fn begin(
        exchange: &Exchange,
        request_body: &[u8],
        options: Options,
        answer: Answer,
        on_screen: bool,
    ) -> Self {
        let view = match answer {
            Answer::Body => View::Nothing,
            Answer::Events => View::Events(Events::default()),
            Answer::Text => View::Text(Text::new(on_screen)),
        };
        Self {
            reader: Reader::begin(exchange, request_body, options),
            heard: Heard {
                timeline: timeline::Gather::default(),
                view,
            },
        }
    }

    /// What is known of the answer so far.
    pub(super) fn completion(&self) -> &Completion {
        self.reader.completion()
    }

    /// Takes in decoded bytes of the body; appends what is to be shown of them to `out`.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        moment: Moment,
        look: (&Style, bool),
        out: &mut String,
    ) {
        self.reader.push(bytes, moment, &mut self.heard);
        self.show(look, out);
    }

    fn show(&mut self, (style, on_screen): (&Style, bool), out: &mut String) {
        match &mut self.heard.view {
            View::Nothing => {}
            View::Events(events) => events.take(style, out),
            View::Text(text) => text.take(style, on_screen, out),
        }
    }

    /// The body is over; appends what is left to be shown, and answers with all of it.
    pub(super) fn finish(
        mut self,
        exchange: &Exchange,
        prices: &Prices,
        look: (&Style, bool),
        out: &mut String,
    ) -> Report {
        let completion = self.reader.finish(Ending::of(exchange), &mut self.heard);
        match &mut self.heard.view {
            View::Nothing => {}
            View::Events(events) => events.take(look.0, out),
            View::Text(text) => {
                text.take(look.0, look.1, out);
                if text.is_open() {
                    out.push('\n');
                }
            }
        }
        let (sent, last) = (exchange.sent.last, exchange.received.last);
        let timeline = self.heard.timeline.finish(&completion, sent, last);
        Report::new(exchange, completion, timeline, prices)
    }
}

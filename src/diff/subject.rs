//! What is compared: one exchange, or a request that was not sent, read once for all layers.

use crate::chat::{Delta, DeltaKind, Hear, Options};
use crate::content::{self, Body};
use crate::exchange::{Exchange, decoded};
use crate::http1::Limits;
use crate::price::Prices;
use crate::report::Report;
use crate::span::Span;
use crate::tape::{Origin, Tape};

/// One side of a comparison.
#[derive(Debug)]
pub struct Subject {
    /// What the user called it.
    pub name: String,
    /// The body of its request, content codings undone.
    pub asked: Body,
    /// The rest; `None` for a request that was not sent.
    pub answered: Option<Answered>,
}

/// An exchange with its meaning.
#[derive(Debug)]
pub struct Answered {
    /// The bytes.
    pub tape: Tape,
    /// The messages.
    pub exchange: Exchange,
    /// The response's body, content codings undone.
    pub body: Body,
    /// What it means.
    pub report: Report,
    /// The events of a stream, in order.
    pub events: Vec<EventKinds>,
}

/// One event of a stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventKinds {
    /// Its number, from zero.
    pub number: u64,
    /// All of it, in the decoded body.
    pub span: Span,
    /// What it carried, in order.
    pub kinds: Vec<DeltaKind>,
}

impl Subject {
    /// Reads a capture.
    pub fn of_capture(
        name: String,
        tape: Tape,
        (http1, content): (Limits, content::Limits),
        options: Options,
        prices: &Prices,
    ) -> Self {
        let exchange = Exchange::read(&tape, http1);
        let asked = decoded(&exchange.request, &tape.sent, content);
        let body = decoded(&exchange.response, &tape.received, content);
        let mut events = Events::default();
        let bodies = [&asked, &body];
        let report = Report::read_bodies(&tape, &exchange, bodies, options, prices, &mut events);
        let answered = Answered {
            tape,
            exchange,
            body,
            report,
            events: events.0,
        };
        Self {
            name,
            asked,
            answered: Some(answered),
        }
    }

    /// A request file: only its body can be compared.
    pub fn of_request(name: String, bytes: Vec<u8>) -> Self {
        let asked = Body {
            bytes,
            ..Body::default()
        };
        Self {
            name,
            asked,
            answered: None,
        }
    }

    /// Where its recording comes from.
    pub fn origin(&self) -> Option<&Origin> {
        self.answered.as_ref().map(|answered| &answered.tape.origin)
    }
}

#[derive(Default)]
struct Events(Vec<EventKinds>);

impl Hear for Events {
    fn delta(&mut self, delta: &Delta<'_>) {
        match self.0.last_mut() {
            Some(last) if last.number == delta.event => last.kinds.push(delta.kind),
            _ => self.0.push(EventKinds {
                number: delta.event,
                span: delta.whole,
                kinds: vec![delta.kind],
            }),
        }
    }
}

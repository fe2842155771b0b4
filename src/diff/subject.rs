//! What is compared: one exchange, or a request that was not sent, read once for all layers.

use crate::call::meaning::Report;
use crate::chat::{Delta, DeltaKind, Hear, Options};
use crate::content::{self, DecodedBody};
use crate::exchange::{Exchange, ExchangeReader, decode_bodies, decode_body};
use crate::http1::{self, BodyRetention, HttpMessage};
use crate::price::Prices;
use crate::span::{Moment, Span, StreamSide};
use crate::tape::{Stream, Tape, TapeOrigin};

/// What may be read: of messages, and of bodies.
pub type Limits = (http1::HttpLimits, content::DecodeLimits);

/// One side of a comparison.
#[derive(Debug)]
pub struct Subject {
    /// What the user called it.
    pub name: String,
    /// Its request; `None` where only a body is known.
    pub request: Option<HttpMessage>,
    /// The body of its request, content codings undone.
    pub asked: DecodedBody,
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
    pub body: DecodedBody,
    /// What it means.
    pub report: Report,
    /// The events of a stream, in order.
    pub events: Vec<EventKinds>,
}

impl Answered {
    /// Whether its body could be decoded, and the answer in it did not break off.
    pub fn is_whole(&self) -> bool {
        self.body.error.is_none() && !self.report.is_broken()
    }
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
        (http1, content): Limits,
        options: Options,
        prices: &Prices,
    ) -> Self {
        let exchange = Exchange::read(&tape, http1);
        let [asked, body] = decode_bodies(&tape, &exchange, content);
        let mut events = Events::default();
        let bodies = [&asked, &body];
        let request = Some(exchange.request.clone());
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
            request,
            asked,
            answered: Some(answered),
        }
    }

    /// A request file: a body, or where it begins as one does, a whole HTTP/1.1 message.
    pub fn of_request(name: String, bytes: Vec<u8>, (http1, content): Limits) -> Self {
        if !begins_a_message(&bytes) {
            let asked = DecodedBody {
                bytes,
                ..DecodedBody::default()
            };
            return Self {
                name,
                request: None,
                asked,
                answered: None,
            };
        }
        let mut reader = ExchangeReader::new(BodyRetention::WholeBody, http1);
        let mut sent = Stream::new(StreamSide::Sent);
        sent.push(Moment::default(), &bytes);
        reader.bytes(StreamSide::Sent, Moment::default(), &bytes, &mut ());
        reader.ended(StreamSide::Sent, &mut ());
        let request = reader.exchange.request;
        Self {
            name,
            asked: decode_body(&request, &sent, content),
            request: Some(request),
            answered: None,
        }
    }

    /// Where its recording comes from.
    pub fn origin(&self) -> Option<&TapeOrigin> {
        self.answered.as_ref().map(|answered| &answered.tape.origin)
    }
}

/// Whether a file begins as a request does: `POST /path HTTP/1.1`.
fn begins_a_message(bytes: &[u8]) -> bool {
    let line = bytes
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let words: Vec<_> = line.trim_ascii_end().split(|&byte| byte == b' ').collect();
    let method = words
        .first()
        .is_some_and(|method| !method.is_empty() && method.iter().all(u8::is_ascii_uppercase));
    method
        && words
            .last()
            .is_some_and(|version| version.starts_with(b"HTTP/"))
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

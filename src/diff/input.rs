//! What is compared: one exchange, or a request that was not sent, read once for all layers.

use crate::call::meaning::CallMeaning;
use crate::chat::{AnswerDelta, AnswerReadOptions, DeltaKind, DeltaSink};
use crate::content::{self, DecodedBody};
use crate::exchange::{Exchange, ExchangeReader, decode_bodies, decode_body};
use crate::http1::{self, BodyRetention, HttpMessage};
use crate::price::PriceTable;
use crate::span::{Moment, Span, StreamSide};
use crate::tape::{Stream, Tape, TapeOrigin};

/// What may be read: of messages, and of bodies.
pub type ReadLimits = (http1::HttpLimits, content::DecodeLimits);

/// One side of a comparison.
#[derive(Debug)]
pub struct DiffInput {
    /// What the user called it.
    pub name: String,
    /// Its request; `None` where only a body is known.
    pub request: Option<HttpMessage>,
    /// The body of its request, content codings undone.
    pub request_body: DecodedBody,
    /// The rest; `None` for a request that was not sent.
    pub answered: Option<AnsweredExchange>,
}

/// An exchange with its meaning.
#[derive(Debug)]
pub struct AnsweredExchange {
    /// The bytes.
    pub tape: Tape,
    /// The messages.
    pub exchange: Exchange,
    /// The response's body, content codings undone.
    pub response_body: DecodedBody,
    /// What it means.
    pub report: CallMeaning,
    /// The events of a stream, in order.
    pub events: Vec<EventDeltas>,
}

impl AnsweredExchange {
    /// Whether its body could be decoded, and the answer in it did not break off.
    pub fn is_whole(&self) -> bool {
        self.response_body.error.is_none() && !self.report.is_broken_off()
    }
}

/// One event of a stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventDeltas {
    /// Its number, from zero.
    pub number: u64,
    /// All of it, in the decoded body.
    pub span: Span,
    /// What it carried, in order.
    pub kinds: Vec<DeltaKind>,
}

impl DiffInput {
    /// Reads a capture.
    pub fn from_capture(
        name: String,
        tape: Tape,
        (http1, content): ReadLimits,
        options: AnswerReadOptions,
        prices: &PriceTable,
    ) -> Self {
        let exchange = Exchange::read(&tape, http1);
        let [asked, body] = decode_bodies(&tape, &exchange, content);
        let mut events = EventCollector::default();
        let bodies = [&asked, &body];
        let request = Some(exchange.request.clone());
        let report =
            CallMeaning::read_bodies(&tape, &exchange, bodies, options, prices, &mut events);
        let answered = AnsweredExchange {
            tape,
            exchange,
            response_body: body,
            report,
            events: events.0,
        };
        Self {
            name,
            request,
            request_body: asked,
            answered: Some(answered),
        }
    }

    /// A request file: a body, or where it begins as one does, a whole HTTP/1.1 message.
    pub fn from_request(name: String, bytes: Vec<u8>, (http1, content): ReadLimits) -> Self {
        if !looks_like_request(&bytes) {
            let asked = DecodedBody {
                bytes,
                ..DecodedBody::default()
            };
            return Self {
                name,
                request: None,
                request_body: asked,
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
            request_body: decode_body(&request, &sent, content),
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
fn looks_like_request(bytes: &[u8]) -> bool {
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
struct EventCollector(Vec<EventDeltas>);

impl DeltaSink for EventCollector {
    fn delta(&mut self, delta: &AnswerDelta<'_>) {
        match self.0.last_mut() {
            Some(last) if last.number == delta.event => last.kinds.push(delta.kind),
            _ => self.0.push(EventDeltas {
                number: delta.event,
                span: delta.whole,
                kinds: vec![delta.kind],
            }),
        }
    }
}

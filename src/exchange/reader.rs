//! The reader that makes an [`Exchange`] from bytes and facts, of a tape or while they cross the wire.

use super::{Exchange, MAX_REMEMBERED};
use crate::http1::{
    BodyFraming, BodyRetention, Event, HttpDecoder, HttpLimits, HttpMessage, HttpOddity,
    MessageEnd, OddityKind, RequestMethod,
};
use crate::span::{Moment, Span, StreamSide};
use crate::tape::{ConnectionFact, RollingBuffer, Tape, Window};

/// A receiver of the HTTP events of both messages, as they are read.
pub trait HttpEventSink {
    /// Takes one event. `seen` still holds the bytes of the event; `moment` is the time of its last byte.
    fn event(&mut self, side: StreamSide, moment: Moment, event: &Event, seen: Window<'_>);
}

impl HttpEventSink for () {
    fn event(&mut self, _: StreamSide, _: Moment, _: &Event, _: Window<'_>) {}
}

/// A reader that builds an [`Exchange`] from facts, reads and writes.
#[derive(Debug)]
pub struct ExchangeReader {
    /// The exchange so far.
    pub exchange: Exchange,
    keep: BodyRetention,
    limits: HttpLimits,
    /// Number of masked places among the facts.
    masked_places: usize,
    sent: SideDecoder,
    received: SideDecoder,
}

#[derive(Debug, Default)]
struct SideDecoder {
    rolling: RollingBuffer,
    decoder: Option<HttpDecoder>,
}

impl ExchangeReader {
    /// A reader of a new exchange.
    pub fn new(keep: BodyRetention, limits: HttpLimits) -> Self {
        Self {
            exchange: Exchange::default(),
            keep,
            limits,
            masked_places: 0,
            sent: SideDecoder::default(),
            received: SideDecoder::default(),
        }
    }

    /// Adds a fact.
    pub fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        let masked = usize::from(matches!(fact, ConnectionFact::Redacted { .. }));
        if masked > 0 && self.masked_places >= MAX_REMEMBERED {
            self.exchange.more_masked = self.exchange.more_masked.saturating_add(1);
            return;
        }
        self.masked_places = self.masked_places.saturating_add(masked);
        self.exchange.facts.push((moment, fact.clone()));
    }

    /// Adds the bytes of one read or write.
    pub fn bytes(
        &mut self,
        side: StreamSide,
        moment: Moment,
        bytes: &[u8],
        sink: &mut dyn HttpEventSink,
    ) {
        if bytes.is_empty() {
            return;
        }
        let traffic = match side {
            StreamSide::Sent => &mut self.exchange.sent,
            StreamSide::Received => &mut self.exchange.received,
        };
        traffic.bytes = traffic.bytes.saturating_add(bytes.len() as u64);
        traffic.runs = traffic.runs.saturating_add(1);
        traffic.first.get_or_insert(moment);
        traffic.last = Some(moment);
        self.feed(side, moment, bytes, false, sink);
    }

    /// Ends one side: no more bytes will come on it.
    pub fn ended(&mut self, side: StreamSide, sink: &mut dyn HttpEventSink) {
        let traffic = match side {
            StreamSide::Sent => &self.exchange.sent,
            StreamSide::Received => &self.exchange.received,
        };
        let moment = traffic.last.unwrap_or_default();
        self.feed(side, moment, &[], true, sink);
    }

    fn feed(
        &mut self,
        side: StreamSide,
        moment: Moment,
        bytes: &[u8],
        ended: bool,
        sink: &mut dyn HttpEventSink,
    ) {
        let half = match side {
            StreamSide::Sent => &mut self.sent,
            StreamSide::Received => &mut self.received,
        };
        let (exchange, keep, limits) = (&mut self.exchange, self.keep, self.limits);
        let decoder = half.decoder.get_or_insert_with(|| match side {
            StreamSide::Sent => HttpDecoder::for_request(0, limits),
            StreamSide::Received => {
                HttpDecoder::for_response(request_method(&exchange.request), 0, limits)
            }
        });
        half.rolling.feed(bytes, ended, |seen| {
            while let Some(event) = decoder.step(seen) {
                sink.event(side, moment, &event, seen);
                exchange.add_event(side, moment, &event, seen, keep);
                let interim = side == StreamSide::Received && exchange.response.is_interim();
                if interim && event == Event::End(MessageEnd::Complete) {
                    exchange.finish_interim();
                    *decoder = HttpDecoder::for_response(
                        request_method(&exchange.request),
                        decoder.at(),
                        limits,
                    );
                }
            }
            exchange.take_after_end(side, moment, decoder, seen, sink)
        });
    }
}

impl Exchange {
    /// Reads the first exchange on `tape`.
    pub fn read(tape: &Tape, limits: HttpLimits) -> Self {
        let mut reader = ExchangeReader::new(BodyRetention::WholeBody, limits);
        for (moment, fact) in &tape.facts {
            reader.fact(*moment, fact);
        }
        for stream in [&tape.sent, &tape.received] {
            for (span, moment) in stream.reads() {
                reader.bytes(stream.side, moment, stream.slice(span), &mut ());
            }
            reader.ended(stream.side, &mut ());
        }
        reader.exchange
    }
}

fn request_method(request: &HttpMessage) -> RequestMethod {
    request
        .method()
        .map_or(RequestMethod::Other, RequestMethod::from_method)
}

impl Exchange {
    fn finish_interim(&mut self) {
        let interim = std::mem::take(&mut self.response);
        if self.interim.len() < MAX_REMEMBERED {
            self.interim.push(interim);
        } else {
            self.more_interim = self.more_interim.saturating_add(1);
        }
    }

    fn add_event(
        &mut self,
        side: StreamSide,
        moment: Moment,
        event: &Event,
        seen: Window<'_>,
        keep: BodyRetention,
    ) {
        match side {
            StreamSide::Sent => self.request.add_event(event, seen, keep),
            StreamSide::Received => {
                self.response.add_event(event, seen, keep);
                if matches!(event, Event::HeadEnd(..)) {
                    self.response_head_at = Some(moment);
                }
            }
        }
    }

    /// Takes the bytes after the end of the message: all are counted, one oddity is reported.
    fn take_after_end(
        &mut self,
        side: StreamSide,
        moment: Moment,
        decoder: &HttpDecoder,
        seen: Window<'_>,
        sink: &mut dyn HttpEventSink,
    ) -> u64 {
        let rest = Span::new(decoder.at(), seen.end());
        if !decoder.is_done() || rest.is_empty() {
            return decoder.at();
        }
        let message = match side {
            StreamSide::Sent => &mut self.request,
            StreamSide::Received => &mut self.response,
        };
        let tunnel = message.framing == Some(BodyFraming::Tunnel);
        let fresh = Span::new(rest.start.max(seen.base), rest.end);
        let is_after_end = |odd: &HttpOddity| odd.kind == OddityKind::AfterEnd;
        if !tunnel && !message.oddities.iter().any(is_after_end) {
            let oddity = HttpOddity {
                kind: OddityKind::AfterEnd,
                at: Span::empty_at(rest.start),
            };
            message.add_oddity(oddity);
            sink.event(side, moment, &Event::Odd(oddity), seen);
        }
        if side == StreamSide::Received {
            self.bytes_after_end = self.bytes_after_end.saturating_add(fresh.len());
        }
        sink.event(side, moment, &Event::Unframed(fresh), seen);
        rest.end
    }
}

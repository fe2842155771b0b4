//! The reader that makes an [`Exchange`] from bytes and facts, of a tape or while they cross the wire.

use super::websocket::{FrameCounters, WebSocketTraffic, opens_websocket};
use super::{Exchange, MAX_REMEMBERED, TrafficTotals};
use crate::http1::{
    BodyFraming, BodyRetention, Connection, ConnectionEvent, Event, HttpLimits, HttpMessage,
    HttpOddity, MessageEnd, MessagePart, OddityKind,
};
use crate::span::{Moment, Span, StreamSide};
use crate::tape::{ConnectionFact, Tape, Window};
use crate::websocket::DeflateParams;

/// A receiver of the HTTP events of both messages, as they are read.
pub trait HttpEventSink {
    /// Takes one event of `exchange`, which has it already. `seen` still holds the bytes of the event; `moment` is the
    /// time of its last byte.
    fn event(
        &mut self,
        exchange: &Exchange,
        side: StreamSide,
        moment: Moment,
        event: &Event,
        seen: Window<'_>,
    );
}

impl HttpEventSink for () {
    fn event(&mut self, _: &Exchange, _: StreamSide, _: Moment, _: &Event, _: Window<'_>) {}
}

/// A reader that builds the first [`Exchange`] of a connection from facts, reads and writes. What follows on the
/// connection counts as bytes after its end.
#[derive(Debug)]
pub struct ExchangeReader {
    /// The exchange so far.
    pub exchange: Exchange,
    keep: BodyRetention,
    /// Number of masked places among the facts.
    masked_places: usize,
    connection: Connection,
    /// The frames of a connection that became a WebSocket.
    frames: FrameCounters,
}

impl ExchangeReader {
    /// A reader of a new exchange.
    pub fn new(keep: BodyRetention, limits: HttpLimits) -> Self {
        Self {
            exchange: Exchange::default(),
            keep,
            masked_places: 0,
            connection: Connection::new(limits),
            frames: FrameCounters::default(),
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
        let (traffic, _) = self.exchange.side_mut(side);
        traffic.bytes = traffic.bytes.saturating_add(bytes.len() as u64);
        traffic.runs = traffic.runs.saturating_add(1);
        traffic.first.get_or_insert(moment);
        traffic.last = Some(moment);
        self.feed(side, bytes, false, sink);
    }

    /// Ends one side: no more bytes will come on it.
    pub fn ended(&mut self, side: StreamSide, sink: &mut dyn HttpEventSink) {
        self.feed(side, &[], true, sink);
        if let Some(traffic) = &mut self.exchange.websocket {
            self.frames.end(traffic, side);
        }
        let (traffic, message) = self.exchange.side_mut(side);
        if traffic.bytes == 0 {
            message.end = Some(MessageEnd::Truncated {
                within: MessagePart::StartLine,
                missing: None,
            });
        }
    }

    fn feed(&mut self, side: StreamSide, bytes: &[u8], ended: bool, sink: &mut dyn HttpEventSink) {
        let (exchange, keep, frames) = (&mut self.exchange, self.keep, &mut self.frames);
        self.connection.feed(side, bytes, ended, |found, seen| {
            let moment = exchange.side_mut(found.side).0.last.unwrap_or_default();
            if let (Event::Unframed(span), Some(traffic)) = (found.event, &mut exchange.websocket) {
                frames.take_bytes(traffic, found.side, span, seen, moment);
            }
            exchange.add_event(found, seen, keep, sink);
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
        if let Some(traffic) = &mut reader.exchange.websocket {
            traffic.set_close_times(tape);
        }
        reader.exchange
    }
}

impl Exchange {
    fn side_mut(&mut self, side: StreamSide) -> (&mut TrafficTotals, &mut HttpMessage) {
        match side {
            StreamSide::Sent => (&mut self.sent, &mut self.request),
            StreamSide::Received => (&mut self.received, &mut self.response),
        }
    }

    fn add_event(
        &mut self,
        found: &ConnectionEvent,
        seen: Window<'_>,
        keep: BodyRetention,
        sink: &mut dyn HttpEventSink,
    ) {
        let ConnectionEvent {
            side, ref event, ..
        } = *found;
        let (traffic, message) = self.side_mut(side);
        let moment = traffic.last.unwrap_or_default();
        if found.exchange > 0 || message.end.is_some_and(MessageEnd::is_whole) {
            if let Some((_, span)) = event.role_and_span() {
                self.add_after_end(side, moment, span, seen, sink);
            }
            return;
        }
        message.add_event(event, seen, keep);
        sink.event(self, side, moment, event, seen);
        if side == StreamSide::Received {
            match event {
                Event::HeadEnd(..) => {
                    self.response_head_at = Some(moment);
                    self.open_websocket();
                }
                Event::End(MessageEnd::Complete) if self.response.is_interim() => {
                    self.finish_interim();
                }
                _ => {}
            }
        }
    }

    fn open_websocket(&mut self) {
        if opens_websocket(&self.response) {
            let extensions = self.response.head.values("sec-websocket-extensions");
            self.websocket = Some(Box::new(WebSocketTraffic {
                deflate: DeflateParams::read(extensions),
                ..WebSocketTraffic::default()
            }));
        }
    }

    fn finish_interim(&mut self) {
        let interim = std::mem::take(&mut self.response);
        if self.interim.len() < MAX_REMEMBERED {
            self.interim.push(interim);
        } else {
            self.more_interim = self.more_interim.saturating_add(1);
        }
    }

    /// Counts bytes after the end of the message, and reports one oddity for all of them.
    fn add_after_end(
        &mut self,
        side: StreamSide,
        moment: Moment,
        span: Span,
        seen: Window<'_>,
        sink: &mut dyn HttpEventSink,
    ) {
        let is_tunnel = self.response.framing == Some(BodyFraming::Tunnel);
        let (_, message) = self.side_mut(side);
        let is_after_end = |odd: &HttpOddity| odd.kind == OddityKind::AfterEnd;
        if !is_tunnel && !message.oddities.iter().any(is_after_end) {
            let oddity = HttpOddity::new(OddityKind::AfterEnd, Span::empty_at(span.start));
            message.add_oddity(oddity);
            sink.event(self, side, moment, &Event::Odd(oddity), seen);
        }
        if side == StreamSide::Received {
            self.bytes_after_end = self.bytes_after_end.saturating_add(span.len());
        }
        sink.event(self, side, moment, &Event::Unframed(span), seen);
    }
}

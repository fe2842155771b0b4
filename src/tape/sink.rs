//! [`WireSink`]: what a receiver of bytes and facts implements, and how sinks combine.

use super::fact::ConnectionFact;
use crate::span::{Moment, StreamSide};

/// A receiver of everything that crosses a connection, while it happens.
///
/// The capture writer, the live view and [`Tape`](super::Tape) itself are all sinks: one feed for all.
pub trait WireSink {
    /// Receives an event of the connection.
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact);
    /// Receives the bytes of one read or write.
    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]);
    /// Is called when no more bytes will come on this side. A sink passes on bytes that it held back.
    fn ended(&mut self, side: StreamSide, moment: Moment) {
        let _ = (side, moment);
    }
    /// Whether the sink wants no more, so that the exchange may stop: its output was closed, for example.
    fn is_done(&self) -> bool {
        false
    }
}

impl<W: WireSink + ?Sized> WireSink for &mut W {
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        (**self).fact(moment, fact);
    }

    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        (**self).bytes(side, moment, bytes);
    }

    fn ended(&mut self, side: StreamSide, moment: Moment) {
        (**self).ended(side, moment);
    }

    fn is_done(&self) -> bool {
        (**self).is_done()
    }
}

/// A sink that may be absent.
impl<W: WireSink> WireSink for Option<W> {
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        if let Some(sink) = self {
            sink.fact(moment, fact);
        }
    }

    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        if let Some(sink) = self {
            sink.bytes(side, moment, bytes);
        }
    }

    fn ended(&mut self, side: StreamSide, moment: Moment) {
        if let Some(sink) = self {
            sink.ended(side, moment);
        }
    }

    fn is_done(&self) -> bool {
        self.as_ref().is_some_and(WireSink::is_done)
    }
}

/// Two sinks of one feed; done as soon as either is.
impl<A: WireSink, B: WireSink> WireSink for (A, B) {
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        self.0.fact(moment, fact);
        self.1.fact(moment, fact);
    }

    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        self.0.bytes(side, moment, bytes);
        self.1.bytes(side, moment, bytes);
    }

    fn ended(&mut self, side: StreamSide, moment: Moment) {
        self.0.ended(side, moment);
        self.1.ended(side, moment);
    }

    fn is_done(&self) -> bool {
        self.0.is_done() || self.1.is_done()
    }
}

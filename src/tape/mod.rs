//! What was seen of one exchange: the bytes of both directions with the moment each crossed, and what
//! happened to the connection. Everything else in `wire` is derived from this.

mod fact;
mod sink;
mod stream;

pub use fact::{
    Certificate, CloseKind, ConnectionFact, ConnectionParty, ExchangeStage, FailureCause,
    TlsSession,
};
pub use sink::WireSink;
pub use stream::{ReadMark, RollingBuffer, Stream, Window};

use serde::{Deserialize, Serialize};

use crate::span::{Moment, StreamSide};

/// All bytes and facts that were seen of one connection, with their times.
#[derive(Clone, Debug)]
pub struct Tape {
    /// Where the recording comes from.
    pub origin: TapeOrigin,
    /// What the program wrote.
    pub sent: Stream,
    /// What it read.
    pub received: Stream,
    /// What happened to the connection, in order.
    pub facts: Vec<(Moment, ConnectionFact)>,
}

impl Tape {
    /// An empty tape.
    pub fn new(origin: TapeOrigin) -> Self {
        Self {
            origin,
            sent: Stream::new(StreamSide::Sent),
            received: Stream::new(StreamSide::Received),
            facts: Vec::new(),
        }
    }

    /// The stream of that side.
    pub fn stream(&self, side: StreamSide) -> &Stream {
        match side {
            StreamSide::Sent => &self.sent,
            StreamSide::Received => &self.received,
        }
    }

    /// Plays the tape to a sink in the order of its moments: facts, reads and writes as they came.
    ///
    /// At one moment, facts come before bytes and sent bytes before received ones; the facts that the connection closed
    /// or failed come last.
    pub fn replay(&self, sink: &mut dyn WireSink) {
        let mut facts = self.facts.iter().peekable();
        let mut sent = self.sent.reads().peekable();
        let mut received = self.received.reads().peekable();
        let never = Moment::from_micros(u64::MAX);
        loop {
            let next_fact = facts
                .peek()
                .map(|(at, fact)| (*at, u8::from(fact.ends_exchange()) * 3));
            let next_sent = sent.peek().map(|(_, at)| (*at, 1));
            let next_received = received.peek().map(|(_, at)| (*at, 2));
            let first = [next_fact, next_sent, next_received]
                .into_iter()
                .flatten()
                .min();
            match first {
                None => break,
                Some((_, 1)) => {
                    if let Some((span, at)) = sent.next() {
                        sink.bytes(StreamSide::Sent, at, self.sent.slice(span));
                    }
                }
                Some((_, 2)) => {
                    if let Some((span, at)) = received.next() {
                        sink.bytes(StreamSide::Received, at, self.received.slice(span));
                    }
                }
                Some(_) => {
                    if let Some((at, fact)) = facts.next() {
                        sink.fact(*at, fact);
                    }
                }
            }
        }
        let last = |stream: &Stream| stream.marks.last().map_or(never, |mark| mark.moment);
        sink.ended(StreamSide::Sent, last(&self.sent));
        sink.ended(StreamSide::Received, last(&self.received));
    }
}

impl WireSink for Tape {
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        self.facts.push((moment, fact.clone()));
    }

    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        match side {
            StreamSide::Sent => self.sent.push(moment, bytes),
            StreamSide::Received => self.received.push(moment, bytes),
        }
    }

    fn ended(&mut self, side: StreamSide, _moment: Moment) {
        match side {
            StreamSide::Sent => self.sent.ended = true,
            StreamSide::Received => self.received.ended = true,
        }
    }
}

/// Where a recording comes from: the first line of a capture.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct TapeOrigin {
    /// Unique, sorts by time (UUID version 7).
    pub id: String,
    /// Wall-clock time of moment zero, UTC.
    pub started: jiff::Timestamp,
    /// Which verb made it: `send`, `record`.
    pub via: String,
    /// Where the request was meant to go, secrets masked.
    pub url: String,
    /// Which program wrote it, with its version.
    pub tool: String,
    /// Its place on the recorded connection; `None` where `wire` made a connection of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionPlace>,
}

/// The place of an exchange on a connection that carries several.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ConnectionPlace {
    /// The same for all exchanges of the connection: the id of the first.
    pub id: String,
    /// Number of the exchange on the connection, from 1.
    pub exchange: u64,
}

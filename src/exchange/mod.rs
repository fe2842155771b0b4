//! One exchange: the messages of both sides and what happened to the connection. [`ExchangeReader`] makes it from a
//! tape, or from the same bytes while they cross the wire.

mod outcome;
pub mod phases;
mod reader;
pub mod roles;
mod websocket;

pub use outcome::ExchangeOutcome;
pub use reader::{ExchangeReader, HttpEventSink};
pub use websocket::{FrameCut, FrameTotals, WebSocketTraffic};

use crate::content::{self, ContentCoding, DecodedBody};
use crate::http1::{HttpMessage, HttpOddity, MessageEnd};
use crate::span::{Moment, StreamSide};
use crate::tape::{ConnectionFact, Stream, Tape, TlsSession};

/// One HTTP request and its responses, with the facts of the connection.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// What happened to the connection, in order.
    pub facts: Vec<(Moment, ConnectionFact)>,
    /// The request.
    pub request: HttpMessage,
    /// The first [`MAX_REMEMBERED`] interim responses (1xx), in order.
    pub interim: Vec<HttpMessage>,
    /// Number of interim responses after the first [`MAX_REMEMBERED`].
    pub more_interim: u64,
    /// Number of masked places after the first [`MAX_REMEMBERED`], which are among the facts.
    pub more_masked: u64,
    /// The final response, as far as it was received.
    pub response: HttpMessage,
    /// Bytes and times of the sent side.
    pub sent: TrafficTotals,
    /// Bytes and times of the received side.
    pub received: TrafficTotals,
    /// Arrival time of the last byte of the final response's head.
    pub response_head_at: Option<Moment>,
    /// Number of bytes received after the end of the response.
    pub bytes_after_end: u64,
    /// The frames after the handshake, if the response opens a WebSocket.
    pub websocket: Option<Box<WebSocketTraffic>>,
}

/// Most interim responses, and most masked places, that are kept. Real exchanges have fewer than ten; a peer can send
/// any number, so memory needs a bound.
pub const MAX_REMEMBERED: usize = 256;

/// Size of the traffic in one direction, with the times of its first and last read or write.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize)]
pub struct TrafficTotals {
    /// Number of bytes, before encryption or after decryption.
    pub bytes: u64,
    /// Number of reads or writes.
    pub runs: u64,
    /// Time of the first read or write.
    pub first: Option<Moment>,
    /// Time of the last read or write.
    pub last: Option<Moment>,
}

/// Bytes that are read after the framing was lost: enough to see what the peer sends there. Nothing in them can mark an
/// end, so a peer could send for ever.
pub const LOST_READ_LIMIT: u64 = 1 << 20;

impl Exchange {
    /// The TLS session, if the server's certificate was not verified.
    pub fn unverified_tls(&self) -> Option<&TlsSession> {
        self.facts.iter().find_map(|(_, fact)| match fact {
            ConnectionFact::Secured(secured) if !secured.verified => Some(secured),
            _ => None,
        })
    }

    /// The rules by which places were masked, in the order of their first places, and the number of places of each. The
    /// places of `more_masked` are not counted.
    pub fn masked_places(&self) -> Vec<(&str, usize)> {
        let mut places: Vec<(&str, usize)> = Vec::new();
        for (_, fact) in &self.facts {
            let ConnectionFact::Redacted { rule, .. } = fact else {
                continue;
            };
            match places.iter_mut().find(|(known, _)| known == rule) {
                Some((_, count)) => *count = count.saturating_add(1),
                None => places.push((rule, 1)),
            }
        }
        places
    }

    /// The oddities of all messages with their side: request, interim responses, final response.
    pub fn oddities(&self) -> impl Iterator<Item = (StreamSide, HttpOddity)> {
        let received = self.interim.iter().chain([&self.response]);
        let received = received.map(|message| (StreamSide::Received, message));
        std::iter::once((StreamSide::Sent, &self.request))
            .chain(received)
            .flat_map(|(side, message)| message.oddities.iter().map(move |oddity| (side, *oddity)))
    }

    /// Offset in the received stream where the framing was lost; `None` when it was not.
    pub fn framing_lost_at(&self) -> Option<u64> {
        match self.response.end {
            Some(MessageEnd::FramingLost { at, .. }) => Some(at),
            _ => None,
        }
    }
}

/// The body of `message` in `stream`, content codings undone. A body with an unknown coding is returned as it is.
pub fn decode_body(
    message: &HttpMessage,
    stream: &Stream,
    limits: content::DecodeLimits,
) -> DecodedBody {
    let codings = ContentCoding::parse(message.codings()).unwrap_or_default();
    // One piece per read, so that each decoded byte has the time of its own read.
    let pieces = message
        .body
        .iter()
        .flat_map(|span| stream.split_at_reads(*span));
    DecodedBody::decode(
        &codings,
        pieces.map(|span| (span, stream.slice(span))),
        limits,
    )
}

/// The bodies of request and response, content codings undone.
pub fn decode_bodies(
    tape: &Tape,
    exchange: &Exchange,
    limits: content::DecodeLimits,
) -> [DecodedBody; 2] {
    [
        decode_body(&exchange.request, &tape.sent, limits),
        decode_body(&exchange.response, &tape.received, limits),
    ]
}

//! All exchanges of one connection: which request a response answers, and where HTTP ends.
//!
//! A [`Connection`] is fed the bytes of both directions and passes on each [`Event`] with the number of its exchange,
//! from 0. It holds the bytes that are not yet part of an event.
//!
//! ```text
//!                            Complete
//!             +-----------------------------------------+
//!             v                                         |
//!  sent      Idle --bytes--> Request n --Upgrade, CONNECT--> Waits --other status--> Idle
//!                               |                             |
//!                               +--lost, cut--> Unframed*     +--101, CONNECT 2xx--> Unframed*
//!
//!             +--------------- final Complete ----------+
//!             v                                         |
//!  received  Waits --method of request n is known--> Response n --lost, cut--> Unframed*
//!                                                     ^   |   |
//!                                                     +---+   +--101, CONNECT 2xx--> Unframed*
//!                                                      1xx
//! ```
//!
//! - A response waits until the method of its request is known, because the framing depends on it. Once the sent
//!   stream has no further request (it ended, or its framing was lost), received bytes are read as the response to a
//!   request other than HEAD and CONNECT.
//! - Sent bytes after a request with `Upgrade` or CONNECT wait for the head of its final response. A 101 that
//!   no `Upgrade` asked for (RFC 9110, 15.2.2) changes the received direction only.
//! - At most [`MAX_WAITING`] bytes wait: with more, a response is read as one to an unknown request, and a switch of
//!   protocols counts as refused.
//! - The bytes of a tunnel are `Unframed` in both directions, with the number of the exchange that opened it.
//! - A request without a response gives `End(Truncated)` once the received stream ended, the first of several.
//! - `Connection: close` changes nothing: bytes that follow all the same are read.
//!
//! Guarantees, held by property tests and fuzzing: any split and any interleaving of the two directions
//! gives the same events of each direction, once neighbouring `Data` and `Unframed` are joined and as long as no more
//! than [`MAX_WAITING`] bytes wait; the spans of each direction tile its stream, except for bytes that still wait.
//!
//! Its users: `exchange::ExchangeReader` (which every view and `client::drive` read with), `capture::Masker`, and
//! `serve`, which reads requests alone and reports each answer with [`Connection::skip_response`].

use std::collections::VecDeque;

use super::decoder::HttpDecoder;
use super::{BodyFraming, Event, HttpFault, HttpLimits, MessageEnd, RequestMethod, StartLine};
use crate::span::{Span, StreamSide};
use crate::tape::{RollingBuffer, Window};

/// An HTTP event on a connection, with its direction and the number of its exchange.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ConnectionEvent {
    /// Number of the exchange on its connection, from 0.
    pub exchange: u64,
    /// The direction whose bytes the event's spans address.
    pub side: StreamSide,
    /// What was read.
    pub event: Event,
}

/// Most bytes of one direction that wait for the other one: as many as the longest head has, since real peers wait for
/// an answer after a few kilobytes.
pub const MAX_WAITING: u64 = 256 << 10;

/// A reader of all exchanges of one connection. See the file's page.
#[derive(Clone, Debug)]
pub struct Connection {
    state: ConnectionState,
    sent: RollingBuffer,
    received: RollingBuffer,
}

impl Connection {
    /// A connection of which both streams begin at offset 0.
    pub fn new(limits: HttpLimits) -> Self {
        Self {
            state: ConnectionState::new(limits),
            sent: RollingBuffer::default(),
            received: RollingBuffer::default(),
        }
    }

    /// Reads the next bytes of `side`; `ended` says that no more will come. `take` gets each event that is certain now,
    /// of either direction, with a window that holds its bytes.
    pub fn feed(
        &mut self,
        side: StreamSide,
        bytes: &[u8],
        ended: bool,
        mut take: impl FnMut(&ConnectionEvent, Window<'_>),
    ) {
        let state = &mut self.state;
        let (own, other, opposite) = match side {
            StreamSide::Sent => (&mut self.sent, &mut self.received, StreamSide::Received),
            StreamSide::Received => (&mut self.received, &mut self.sent, StreamSide::Sent),
        };
        state.direction(side).ended |= ended;
        let (ended, other_ended) = (
            ended || state.direction(side).ended,
            state.direction(opposite).ended,
        );
        // What the other direction holds may become readable.
        other.feed(&[], other_ended, |other_seen| {
            own.feed(bytes, ended, |own_seen| {
                let (sent, received) = match side {
                    StreamSide::Sent => (own_seen, other_seen),
                    StreamSide::Received => (other_seen, own_seen),
                };
                while let Some(found) = state.step(sent, received) {
                    let seen = if found.side == side {
                        own_seen
                    } else {
                        other_seen
                    };
                    take(&found, seen);
                }
                state.direction(side).at
            });
            state.direction(opposite).at
        });
    }

    /// Counts the next response as read, and as no switch of protocols: for a server, which does not feed its own
    /// responses.
    pub fn skip_response(&mut self) {
        self.state.unanswered.pop_front();
        self.state.answered = self.state.answered.saturating_add(1);
    }
}

/// The decoder states of both directions, without their bytes.
#[derive(Clone, Debug)]
struct ConnectionState {
    limits: HttpLimits,
    sent: Direction,
    received: Direction,
    /// Whether the request that is being read asks for another protocol.
    asks_to_switch: bool,
    /// Methods of requests whose responses have not begun.
    unanswered: VecDeque<RequestMethod>,
    /// Whether the sent stream has no further request.
    requests_over: bool,
    /// The method that the current response answers, kept across interim responses.
    answers: Option<RequestMethod>,
    /// Whether the current response is interim (1xx, but not 101).
    interim: bool,
    /// Where the first interim response to the current request began.
    interim_start: Option<u64>,
    /// Exchanges below this number have a final response head, or can get none.
    answered: u64,
    /// The exchange whose response opened a tunnel.
    switched: Option<u64>,
}

/// The decoder state of one direction of a connection.
#[derive(Clone, Debug, Default)]
struct Direction {
    /// Whether no more bytes come.
    ended: bool,
    /// `None` between messages.
    decoder: Option<HttpDecoder>,
    at: u64,
    exchange: u64,
}

impl ConnectionState {
    fn new(limits: HttpLimits) -> Self {
        Self {
            limits,
            sent: Direction::default(),
            received: Direction::default(),
            asks_to_switch: false,
            unanswered: VecDeque::new(),
            requests_over: false,
            answers: None,
            interim: false,
            interim_start: None,
            answered: 0,
            switched: None,
        }
    }

    fn direction(&mut self, side: StreamSide) -> &mut Direction {
        match side {
            StreamSide::Sent => &mut self.sent,
            StreamSide::Received => &mut self.received,
        }
    }

    /// The next event of either direction; `None`: needs more bytes of one of them, or both are over.
    fn step(&mut self, sent: Window<'_>, received: Window<'_>) -> Option<ConnectionEvent> {
        // Sent bytes can wait for a response and a response for sent bytes, so each is tried again after
        // the other. `step_received` without an event changes nothing that the sent direction waits for.
        self.step_sent(sent)
            .or_else(|| self.step_received(received))
    }

    fn step_sent(&mut self, seen: Window<'_>) -> Option<ConnectionEvent> {
        if self.sent.decoder.is_none() && !self.begin_request(seen) {
            let is_tunnel = self.requests_over && self.switched == Some(self.sent.exchange);
            return is_tunnel.then(|| self.sent.read_tunnel(StreamSide::Sent, seen))?;
        }
        let found = self.sent.step(StreamSide::Sent, seen)?;
        match found.event {
            Event::Start(StartLine::Request { method, .. }) => {
                let method = RequestMethod::from_method(seen.slice(method));
                self.asks_to_switch = method == RequestMethod::Connect;
                self.unanswered.push_back(method);
            }
            Event::Field(field) => {
                self.asks_to_switch |= seen.slice(field.name).eq_ignore_ascii_case(b"upgrade");
            }
            Event::End(MessageEnd::Complete | MessageEnd::Closed) => {
                self.sent.decoder = None;
                // A request that asks to switch keeps its number until its response decides.
                if !self.asks_to_switch {
                    self.next_request();
                }
            }
            Event::End(_) => self.requests_over = true,
            _ => {}
        }
        Some(found)
    }

    /// Begins the next request if bytes follow the last one. Returns whether a request is being read.
    fn begin_request(&mut self, seen: Window<'_>) -> bool {
        let waiting = seen.end().saturating_sub(self.sent.at);
        if self.asks_to_switch && (self.answered > self.sent.exchange || waiting > MAX_WAITING) {
            self.asks_to_switch = false;
            if self.switched == Some(self.sent.exchange) {
                self.requests_over = true;
            } else {
                self.next_request();
            }
        }
        if self.asks_to_switch || self.requests_over {
            return false;
        }
        if seen.end() <= self.sent.at {
            self.requests_over = seen.ended;
            return false;
        }
        let decoder = HttpDecoder::new(None, self.sent.at, self.limits);
        self.sent.decoder = Some(decoder);
        true
    }

    fn next_request(&mut self) {
        self.sent.exchange = self.sent.exchange.saturating_add(1);
    }

    fn step_received(&mut self, seen: Window<'_>) -> Option<ConnectionEvent> {
        if self.received.decoder.is_none() {
            if self.switched.is_some() {
                return self.received.read_tunnel(StreamSide::Received, seen);
            }
            let method = self.method_to_answer(seen)?;
            self.answers = Some(method);
            let at = self.received.at;
            let start = self.interim_start.unwrap_or(at);
            self.received.decoder = Some(match at.saturating_sub(start) > self.limits.head {
                true => HttpDecoder::lost(at, HttpFault::InterimTooLong, self.limits),
                false => HttpDecoder::new(Some(method), at, self.limits),
            });
        }
        let message_start = self.received.at;
        let found = self.received.step(StreamSide::Received, seen)?;
        match found.event {
            Event::Start(start) => {
                let status = start.status().unwrap_or_default();
                self.interim = (100..200).contains(&status) && status != 101;
                match self.interim {
                    true => _ = self.interim_start.get_or_insert(message_start),
                    false => self.interim_start = None,
                }
            }
            Event::HeadEnd(_, framing) if !self.interim => {
                self.answered = found.exchange.saturating_add(1);
                if framing == BodyFraming::Tunnel {
                    self.switched = Some(found.exchange);
                    // No response follows a tunnel, so no sent byte waits for one.
                    self.answered = u64::MAX;
                }
            }
            Event::End(MessageEnd::Complete | MessageEnd::Closed) => {
                self.received.decoder = None;
                if !self.interim && self.switched.is_none() {
                    self.answers = None;
                    self.received.exchange = self.received.exchange.saturating_add(1);
                }
            }
            // No response can be read any more, so no sent byte waits for one.
            Event::End(_) => self.answered = u64::MAX,
            _ => {}
        }
        Some(found)
    }

    /// The method that the next response answers; `None` while it is not known.
    fn method_to_answer(&mut self, seen: Window<'_>) -> Option<RequestMethod> {
        let waiting = seen.end().saturating_sub(self.received.at);
        let unasked = waiting > 0 && (self.requests_over || waiting > MAX_WAITING);
        self.answers
            .or_else(|| self.unanswered.pop_front())
            .or_else(|| unasked.then_some(RequestMethod::Other))
    }
}

impl Direction {
    /// Reads bytes after the connection changed from HTTP to another protocol.
    fn read_tunnel(&mut self, side: StreamSide, seen: Window<'_>) -> Option<ConnectionEvent> {
        let span = Span::new(self.at, seen.end().max(self.at));
        self.at = span.end;
        (!span.is_empty()).then_some(ConnectionEvent {
            exchange: self.exchange,
            side,
            event: Event::Unframed(span),
        })
    }

    /// The next event of the current message.
    fn step(&mut self, side: StreamSide, seen: Window<'_>) -> Option<ConnectionEvent> {
        let decoder = self.decoder.as_mut()?;
        let event = decoder.step(seen);
        self.at = decoder.at();
        Some(ConnectionEvent {
            exchange: self.exchange,
            side,
            event: event?,
        })
    }
}

#[doc(hidden)]
pub use checks::fuzz_connection;

/// The promises of the file's page, as assertions for tests and fuzzing.
mod checks {
    use super::*;

    /// Reads `steps sent NUL received`, whole and in the steps of its first four bytes, and asserts what the
    /// file's page promises. The body of a fuzz target.
    pub fn fuzz_connection(bytes: &[u8]) {
        let (steps, bytes) = bytes.split_at(bytes.len().min(4));
        let middle = bytes.iter().position(|&byte| byte == 0);
        let (sent, received) = bytes.split_at(middle.unwrap_or(bytes.len()));
        let received = received.get(1..).unwrap_or_default();
        let whole = read_in_steps(sent, received, &[]);
        let received_first = read_in_steps(sent, received, &[0, u8::MAX]);
        assert_eq!(whole, received_first, "the order of the directions matters");
        assert_eq!(
            whole,
            read_in_steps(sent, received, steps),
            "a split matters"
        );
        assert_tiles(&whole.0, sent);
        assert_tiles(&whole.1, received);
    }

    /// Reads both directions in small steps and returns the events of each. A step feeds `step / 2` bytes: sent ones
    /// if `step` is even, else received ones; `u8::MAX` feeds all received bytes.
    pub(super) fn read_in_steps(
        sent: &[u8],
        received: &[u8],
        steps: &[u8],
    ) -> (Vec<ConnectionEvent>, Vec<ConnectionEvent>) {
        // Low, so that the limits are reached by short inputs.
        let limits = HttpLimits {
            head: 300,
            chunk_head: 40,
        };
        let mut connection = Connection::new(limits);
        let mut events = (Vec::new(), Vec::new());
        let mut feed = |side, bytes: &[u8], ended| {
            connection.feed(side, bytes, ended, |found, _| match found.side {
                StreamSide::Sent => push_joined(&mut events.0, *found),
                StreamSide::Received => push_joined(&mut events.1, *found),
            });
        };
        let (mut sent, mut received) = (sent, received);
        // Eight rounds split the beginning well; the rest comes at once.
        for &step in steps.iter().cycle().take(steps.len().saturating_mul(8)) {
            let length = if step == u8::MAX {
                usize::MAX
            } else {
                usize::from(step / 2)
            };
            let (side, rest) = match step % 2 {
                0 => (StreamSide::Sent, &mut sent),
                _ => (StreamSide::Received, &mut received),
            };
            let (next, after) = rest.split_at(length.min(rest.len()));
            *rest = after;
            feed(side, next, false);
        }
        let mut sides = [(StreamSide::Sent, sent), (StreamSide::Received, received)];
        for (side, rest) in sides {
            feed(side, rest, false);
        }
        if steps.len() % 2 == 1 {
            sides.reverse();
        }
        for (side, _) in sides {
            feed(side, &[], true);
        }
        events
    }

    fn push_joined(events: &mut Vec<ConnectionEvent>, next: ConnectionEvent) {
        if let Some(last) = events
            .last_mut()
            .filter(|last| last.exchange == next.exchange)
        {
            match (&mut last.event, next.event) {
                (Event::Data(last), Event::Data(next))
                | (Event::Unframed(last), Event::Unframed(next)) => {
                    last.end = next.end;
                    return;
                }
                _ => {}
            }
        }
        events.push(next);
    }

    /// Asserts that the spans follow each other from the first byte to the last, and that exchange numbers only grow.
    fn assert_tiles(events: &[ConnectionEvent], stream: &[u8]) {
        let (mut at, mut exchange) = (0, 0);
        for found in events {
            assert!(found.exchange >= exchange, "an exchange came back");
            exchange = found.exchange;
            if let Some((_, span)) = found.event.role_and_span() {
                assert_eq!(span.start, at, "spans do not tile");
                at = span.end;
            }
        }
        assert_eq!(at, stream.len() as u64, "bytes without a role");
    }
}

#[cfg(test)]
mod tests;

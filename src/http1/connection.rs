//! All exchanges of one connection: which request a response answers, and where HTTP ends.
//!
//! A [`Connection`] reads both directions and tags each [`Event`] with the number of its exchange, from 0.
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
//! - A response waits until the method of its request is known, because the framing depends on it: response
//!   bytes that come first stay unread. Once the sent stream has no further request (it ended, or its
//!   framing was lost), such bytes are read as the response to a request other than HEAD and CONNECT.
//! - Sent bytes after a request with `Upgrade` or CONNECT wait for the head of its final response. A 101 that
//!   no `Upgrade` asked for (RFC 9110, 15.2.2) changes the received direction only.
//! - The bytes of a tunnel are `Unframed` in both directions, with the number of the exchange that opened it.
//! - A request without a response gives `End(Truncated)` once the received stream ended, the first of several.
//! - `Connection: close` changes nothing: bytes that follow all the same are read.
//!
//! Guarantees, held by property tests and fuzzing: any split and any interleaving of the two directions
//! gives the same events of each direction, once neighbouring `Data` and `Unframed` are joined; the spans of
//! each direction tile its stream, except for bytes that still wait.

use std::collections::VecDeque;

use super::{BodyFraming, Event, HttpDecoder, HttpLimits, MessageEnd, RequestMethod, StartLine};
use crate::span::{Span, StreamSide};
use crate::tape::Window;

/// An event of one direction and the exchange it belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ConnectionEvent {
    /// Number of the exchange on its connection, from 0.
    pub exchange: u64,
    /// The direction whose bytes the event's spans address.
    pub side: StreamSide,
    /// What was read.
    pub event: Event,
}

/// Reads the exchanges of one connection from windows of its two streams. See the file's page.
#[derive(Clone, Debug)]
pub struct Connection {
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
    /// Exchanges below this number have a final response head, or can get none.
    answered: u64,
    /// The exchange whose response opened a tunnel.
    switched: Option<u64>,
}

/// One direction of a connection.
#[derive(Clone, Debug, Default)]
struct Direction {
    /// `None` between messages.
    decoder: Option<HttpDecoder>,
    at: u64,
    exchange: u64,
}

impl Connection {
    /// A connection of which both streams begin at offset 0.
    pub fn new(limits: HttpLimits) -> Self {
        Self {
            limits,
            sent: Direction::default(),
            received: Direction::default(),
            asks_to_switch: false,
            unanswered: VecDeque::new(),
            requests_over: false,
            answers: None,
            interim: false,
            answered: 0,
            switched: None,
        }
    }

    /// The first byte of `side` that is still needed: those before it may be dropped.
    pub fn at(&self, side: StreamSide) -> u64 {
        match side {
            StreamSide::Sent => self.sent.at,
            StreamSide::Received => self.received.at,
        }
    }

    /// The next event of either direction; `None`: needs more bytes of one of them, or both are over.
    ///
    /// Each call must see at least the bytes from [`Connection::at`] on that an earlier call saw.
    pub fn step(&mut self, sent: Window<'_>, received: Window<'_>) -> Option<ConnectionEvent> {
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

    /// Whether a request is being read now: a new one begins with the first byte after the last one.
    fn begin_request(&mut self, seen: Window<'_>) -> bool {
        if self.asks_to_switch && self.answered > self.sent.exchange {
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
        let decoder = HttpDecoder::for_request(self.sent.at, self.limits);
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
            let decoder = HttpDecoder::for_response(method, self.received.at, self.limits);
            self.received.decoder = Some(decoder);
        }
        let found = self.received.step(StreamSide::Received, seen)?;
        match found.event {
            Event::Start(start) => {
                let status = start.status().unwrap_or_default();
                self.interim = (100..200).contains(&status) && status != 101;
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
        let unasked = self.requests_over && seen.end() > self.received.at;
        self.answers
            .or_else(|| self.unanswered.pop_front())
            .or_else(|| unasked.then_some(RequestMethod::Other))
    }
}

impl Direction {
    /// Bytes after the connection left HTTP.
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

    /// The events of each direction, joined. Each step feeds `step / 2` bytes of one direction: the sent one
    /// if `step` is even; `u8::MAX` feeds all that was received.
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
        let (mut fed_sent, mut fed_received) = (0usize, 0usize);
        // Eight rounds split the beginning well; the rest comes at once.
        for &step in steps.iter().cycle().take(steps.len().saturating_mul(8)) {
            match step {
                u8::MAX => fed_received = received.len(),
                step if step % 2 == 0 => fed_sent = fed_sent.saturating_add(usize::from(step / 2)),
                step => fed_received = fed_received.saturating_add(usize::from(step / 2)),
            }
            fed_sent = fed_sent.min(sent.len());
            fed_received = fed_received.min(received.len());
            let windows = (
                sent.get(..fed_sent).unwrap_or_default(),
                received.get(..fed_received).unwrap_or_default(),
            );
            drain(&mut connection, windows, (false, false), &mut events);
        }
        let received_ends_first = steps.len() % 2 == 1;
        let one = (!received_ends_first, received_ends_first);
        drain(
            &mut connection,
            (sent, received),
            (false, false),
            &mut events,
        );
        drain(&mut connection, (sent, received), one, &mut events);
        drain(&mut connection, (sent, received), (true, true), &mut events);
        events
    }

    fn drain(
        connection: &mut Connection,
        (sent, received): (&[u8], &[u8]),
        (sent_ended, received_ended): (bool, bool),
        events: &mut (Vec<ConnectionEvent>, Vec<ConnectionEvent>),
    ) {
        let window = |bytes: &'_ [u8], from: u64, ended: bool| {
            let from = usize::try_from(from).unwrap_or(usize::MAX);
            (bytes.get(from..).unwrap_or_default().to_vec(), ended)
        };
        loop {
            // Bytes before `at` are dropped, as a caller may.
            let (sent_at, received_at) = (
                connection.at(StreamSide::Sent),
                connection.at(StreamSide::Received),
            );
            let (sent, sent_ended) = window(sent, sent_at, sent_ended);
            let (received, received_ended) = window(received, received_at, received_ended);
            let sent = Window {
                base: sent_at,
                bytes: &sent,
                ended: sent_ended,
            };
            let received = Window {
                base: received_at,
                bytes: &received,
                ended: received_ended,
            };
            // Events of one window may name bytes before `at`: the window stays until no event is left.
            let mut found = false;
            while let Some(event) = connection.step(sent, received) {
                found = true;
                match event.side {
                    StreamSide::Sent => push_joined(&mut events.0, event),
                    StreamSide::Received => push_joined(&mut events.1, event),
                }
            }
            if !found {
                return;
            }
        }
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

    /// The spans follow each other from the first byte to the last, and exchange numbers only grow.
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

//! [`WebSocketSession`]: the messages of a WebSocket connection, and each call in them as a [`Call`] of its own.
//!
//! ```text
//!  tape --> websocket::MessageReader, one a direction --> messages by time --> lanes --> SocketCall --> Call
//! ```
//!
//! The call has a tape of its own: the bytes from its first message to its last, at their offsets in the connection,
//! with times that count from its first byte. Its request body is the message that asks; its response body has a line
//! for each message of the server.

use std::collections::VecDeque;

pub use super::lanes::SocketCall;

use super::lanes::CallLanes;
use super::{Call, ReadOptions, SocketPlace};
use crate::chat::{AnswerReader, SocketEvent, read_socket_event};
use crate::content::DecodedBody;
use crate::exchange::{Exchange, TrafficTotals};
use crate::http1::{HttpMessage, MessageEnd, MessagePart};
use crate::json::JsonDocument;
use crate::span::{Moment, Span, StreamSide};
use crate::tape::{ReadMark, Stream, Tape, TapeOrigin, Window};
use crate::websocket::{Message, MessageLimits, MessageReader};

/// The messages and calls of a WebSocket connection.
#[derive(Debug)]
pub struct WebSocketSession {
    /// All messages of both directions, in the order in which they were whole.
    pub messages: Vec<SocketMessage>,
    /// The calls, in the order in which they were asked.
    pub calls: Vec<SocketCall>,
}

/// A message of a WebSocket with its direction, its times and its call.
#[derive(Debug)]
pub struct SocketMessage {
    /// The direction.
    pub side: StreamSide,
    /// When its first byte crossed.
    pub began: Moment,
    /// When its last byte crossed.
    pub moment: Moment,
    /// The message.
    pub message: Message,
    /// Index of the call that it belongs to; `None` if it belongs to none.
    pub call: Option<usize>,
}

impl WebSocketSession {
    /// Reads the messages on `tape`, whose first exchange is `exchange`. `None`: it opens no WebSocket.
    pub fn read(tape: &Tape, exchange: &Exchange, options: &ReadOptions) -> Option<Self> {
        exchange.websocket.as_ref()?;
        let limits = MessageLimits {
            inflated: options.content.held_size,
            ..MessageLimits::default()
        };
        let [mut sent, mut received] = [StreamSide::Sent, StreamSide::Received]
            .map(|side| read_messages(tape.stream(side), exchange, limits));
        let mut session = Self {
            messages: Vec::with_capacity(sent.len().saturating_add(received.len())),
            calls: Vec::new(),
        };
        let mut lanes = CallLanes::default();
        while let Some(mut next) = pop_earlier(&mut sent, &mut received) {
            let event = read_event(&next, options);
            next.call = event.and_then(|event| lanes.assign(next.side, event, &mut session.calls));
            if let Some(call) = next.call.and_then(|call| session.calls.get_mut(call)) {
                call.messages.push(session.messages.len());
            }
            session.messages.push(next);
        }
        Some(session)
    }

    /// The messages of the call with that index.
    pub fn messages_of(&self, call: usize) -> impl Iterator<Item = &SocketMessage> {
        let indexes = self.calls.get(call).map(|call| call.messages.as_slice());
        let indexes = indexes.unwrap_or_default().iter();
        indexes.filter_map(|index| self.messages.get(*index))
    }

    /// The bytes of the call with that index.
    pub fn bytes_of(&self, call: usize) -> CallBytes {
        let spans = |side| {
            let own = self.messages_of(call).filter(|own| own.side == side);
            own.map(|own| own.message.span).collect()
        };
        CallBytes {
            sent: spans(StreamSide::Sent),
            received: spans(StreamSide::Received),
        }
    }

    /// The call with that index, read like a call over HTTP. `tape` and `exchange` are those of the connection.
    pub fn call(
        &self,
        number: usize,
        tape: &Tape,
        exchange: &Exchange,
        options: &ReadOptions,
    ) -> Option<Call> {
        let own = self.calls.get(number)?;
        let messages: Vec<_> = self.messages_of(number).collect();
        let asked = *messages.first()?;
        let of = |side| {
            messages
                .iter()
                .copied()
                .filter(move |message| message.side == side)
        };
        let request_body = join_messages(std::iter::once(asked), b"");
        let response_body = join_messages(of(StreamSide::Received), b"\n");
        let part = |side| part_of_stream(tape.stream(side), of(side), asked.began);
        let id_of = |number: usize| format!("{}.{}", tape.origin.id, number.saturating_add(1));
        let id = id_of(number);
        let follows = own.follows.map(id_of);
        let tape = Tape {
            origin: TapeOrigin {
                id,
                started: start_time(tape.origin.started, asked.began),
                ..tape.origin.clone()
            },
            sent: part(StreamSide::Sent),
            received: part(StreamSide::Received),
            facts: match own.is_ended {
                true => Vec::new(),
                false => ending_facts(tape, asked.began),
            },
        };
        let exchange = Exchange {
            facts: tape.facts.clone(),
            request: message_with_body(&exchange.request, &request_body, MessageEnd::Complete),
            response: message_with_body(&exchange.response, &response_body, end_of(own)),
            sent: TrafficTotals {
                last: Some(since(asked.moment, asked.began)),
                ..count_traffic(of(StreamSide::Sent), asked.began)
            },
            received: count_traffic(of(StreamSide::Received), asked.began),
            ..Exchange::default()
        };
        let reader = AnswerReader::for_websocket(&exchange, &request_body.bytes, options.answer);
        let bodies = [request_body, response_body];
        Some(Call {
            socket: Some(SocketPlace { follows }),
            ..Call::from_parts(tape, exchange, bodies, reader, options)
        })
    }
}

/// The spans of the messages of one call, in order. Frames that control the connection may lie inside them.
#[derive(Clone, Debug)]
pub struct CallBytes {
    sent: Vec<Span>,
    received: Vec<Span>,
}

impl CallBytes {
    /// Whether the byte at `offset` of `side` is in a message of the call.
    pub fn contain(&self, side: StreamSide, offset: u64) -> bool {
        let spans = match side {
            StreamSide::Sent => &self.sent,
            StreamSide::Received => &self.received,
        };
        let after = spans.partition_point(|span| span.start <= offset);
        let last = after.checked_sub(1).and_then(|last| spans.get(last));
        last.is_some_and(|span| span.contains(offset))
    }
}

/// The earlier of the first messages of both lists; at one moment, that of the client.
fn pop_earlier(
    sent: &mut VecDeque<SocketMessage>,
    received: &mut VecDeque<SocketMessage>,
) -> Option<SocketMessage> {
    let is_received_earlier = match (sent.front(), received.front()) {
        (Some(sent), Some(received)) => received.moment < sent.moment,
        (sent, _) => sent.is_none(),
    };
    match is_received_earlier {
        true => received.pop_front(),
        false => sent.pop_front(),
    }
}

/// All messages of one direction.
fn read_messages(
    stream: &Stream,
    exchange: &Exchange,
    limits: MessageLimits,
) -> VecDeque<SocketMessage> {
    let traffic = exchange.websocket.as_deref();
    let start = traffic.and_then(|traffic| traffic.side(stream.side).starts_at);
    let Some(start) = start else {
        return VecDeque::new();
    };
    let deflate = traffic.and_then(|traffic| traffic.deflate);
    let mut reader = MessageReader::new(stream.side, start, deflate, limits);
    let window = Window {
        ended: true,
        ..stream.window()
    };
    let messages = std::iter::from_fn(|| reader.step(window));
    let timed = messages.map(|message| {
        let at = |offset| stream.moment_at(offset).unwrap_or_default();
        SocketMessage {
            side: stream.side,
            began: at(message.span.start),
            moment: at(message.span.end.saturating_sub(1)),
            message,
            call: None,
        }
    });
    timed.collect()
}

/// The role of a message in a call; `None` unless it is JSON that a dialect knows.
fn read_event(message: &SocketMessage, options: &ReadOptions) -> Option<SocketEvent> {
    let document = JsonDocument::parse(message.message.text()?.as_bytes()).ok()?;
    read_socket_event(options.answer.dialect, message.side, document.root())
}

/// The payloads of `messages`, each followed by `line_end`. If that is not empty, line ends inside a payload become
/// spaces, which mean the same between JSON tokens, so that a line is a message.
fn join_messages<'a>(
    messages: impl Iterator<Item = &'a SocketMessage> + Clone,
    line_end: &[u8],
) -> DecodedBody {
    let mut body = DecodedBody {
        identity: messages.clone().all(|own| !own.message.is_compressed),
        ..DecodedBody::default()
    };
    for SocketMessage { message, .. } in messages {
        let start = body.bytes.len() as u64;
        body.bytes
            .extend(message.payload.iter().map(|byte| match byte {
                b'\n' | b'\r' if !line_end.is_empty() => b' ',
                byte => *byte,
            }));
        let last_byte = Span::new(message.span.end.saturating_sub(1), message.span.end);
        if body.identity {
            let pieces = message.pieces.iter();
            body.pieces
                .extend(pieces.map(|(at, span)| (start.saturating_add(*at), *span)));
            body.pieces.push((body.bytes.len() as u64, last_byte));
        } else {
            body.pieces.push((start, message.span));
        }
        body.bytes.extend_from_slice(line_end);
    }
    body
}

/// The bytes of `stream` from the first of `messages` to the last, with times that count from `start`.
fn part_of_stream<'a>(
    stream: &Stream,
    messages: impl Iterator<Item = &'a SocketMessage>,
    start: Moment,
) -> Stream {
    let spans = messages.map(|own| own.message.span);
    let whole =
        spans.reduce(|all, next| Span::new(all.start.min(next.start), all.end.max(next.end)));
    let Some(whole) = whole else {
        return Stream::new(stream.side);
    };
    let reads = stream.split_at_reads(whole).map(|read| ReadMark {
        at: read.start,
        moment: since(stream.moment_at(read.start).unwrap_or_default(), start),
    });
    Stream {
        side: stream.side,
        base: whole.start,
        bytes: stream.slice(whole).to_vec(),
        marks: reads.collect(),
        ended: true,
    }
}

fn since(moment: Moment, start: Moment) -> Moment {
    Moment::from_micros(moment.micros_since(start))
}

/// The wall-clock time of `began`, on a tape that began at `origin`.
fn start_time(origin: jiff::Timestamp, began: Moment) -> jiff::Timestamp {
    let micros = i64::try_from(began.micros).unwrap_or(i64::MAX);
    let later = origin.checked_add(jiff::SignedDuration::from_micros(micros));
    later.unwrap_or(origin)
}

/// The facts that ended the connection, with times that count from `start`.
fn ending_facts(tape: &Tape, start: Moment) -> Vec<(Moment, crate::tape::ConnectionFact)> {
    let facts = tape.facts.iter();
    let ends = facts.filter(|(_, fact)| fact.ends_exchange());
    ends.map(|(moment, fact)| (since(*moment, start), fact.clone()))
        .collect()
}

fn end_of(call: &SocketCall) -> MessageEnd {
    match call.is_ended {
        true => MessageEnd::Complete,
        false => MessageEnd::Truncated {
            within: MessagePart::Body,
            missing: None,
        },
    }
}

/// The head of `handshake` with `body` as its body.
fn message_with_body(handshake: &HttpMessage, body: &DecodedBody, end: MessageEnd) -> HttpMessage {
    let spans: Vec<_> = body.pieces.iter().map(|(_, span)| *span).collect();
    HttpMessage {
        start: handshake.start,
        head: handshake.head.clone(),
        framing: Some(crate::http1::BodyFraming::Tunnel),
        body_length: body.bytes.len() as u64,
        body: spans,
        end: Some(end),
        ..HttpMessage::default()
    }
}

/// The size of messages, with times that count from `start`.
fn count_traffic<'a>(
    messages: impl Iterator<Item = &'a SocketMessage>,
    start: Moment,
) -> TrafficTotals {
    let mut totals = TrafficTotals::default();
    for own in messages {
        totals.bytes = totals.bytes.saturating_add(own.message.span.len());
        totals.runs = totals.runs.saturating_add(1);
        totals.first.get_or_insert(since(own.began, start));
        totals.last = Some(since(own.moment, start));
    }
    totals
}

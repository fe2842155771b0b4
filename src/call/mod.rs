//! One call to a model, read from its tape: the value that every view takes.
//!
//! ```text
//! Tape --> Exchange --> decoded bodies --> CallMeaning (completion, timeline, service, cost, advice)
//! ```
//!
//! [`CallReader`] finds the same meaning while the bytes come, without holding them.

mod body_reader;
mod bounded_answer;
mod lanes;
pub mod lookup;
pub mod meaning;
mod options;
mod reader;
pub mod runs;
pub mod websocket;

pub use body_reader::{BodyReadOptions, BodyReader, BodyReport, BodySink};
pub use options::ReadOptions;
pub use reader::{CallReader, CallReport};

use crate::capture::CaptureNote;
use crate::chat::{AnswerDelta, AnswerReader, AnswerRetention, DeltaKind, DeltaSink};
use crate::content::DecodedBody;
use crate::exchange::{Exchange, decode_bodies};
use crate::span::Span;
use crate::tape::Tape;
use meaning::CallMeaning;

/// One question to a model and its answer, read from a tape.
#[derive(Debug)]
pub struct Call {
    /// The bytes of both directions with their times.
    pub tape: Tape,
    /// The HTTP messages.
    pub exchange: Exchange,
    /// The request's body, content codings undone.
    pub request_body: DecodedBody,
    /// The response's body, content codings undone.
    pub response_body: DecodedBody,
    /// The answer, its timeline, service facts, cost and retry advice.
    pub meaning: CallMeaning,
    /// Lines of the capture file that were not read.
    pub capture_notes: Vec<CaptureNote>,
    /// The place of a call on a WebSocket; `None` for an exchange.
    pub socket: Option<SocketPlace>,
    /// The events of a streamed answer, in order, without comments; empty unless [`AnswerRetention::Everything`] is asked for.
    pub events: Vec<EventDeltas>,
}

/// The place of a call among those of its WebSocket connection.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SocketPlace {
    /// Id of the call that it continues: the one whose response it names, or else the last one in its lane.
    pub follows: Option<String>,
}

/// One event of a stream and the kinds of its deltas.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventDeltas {
    /// Number of the event, from zero.
    pub number: u64,
    /// Span of the whole event in the decoded body.
    pub span: Span,
    /// Kinds of its deltas, in order.
    pub kinds: Vec<DeltaKind>,
}

impl Call {
    /// Reads the exchange on `tape`. Never fails: oddities and broken parts are in the value.
    pub fn read(tape: Tape, options: &ReadOptions) -> Self {
        let exchange = Exchange::read(&tape, options.http1);
        let bodies = decode_bodies(&tape, &exchange, options.content);
        let reader = AnswerReader::new(&exchange, &bodies[0].bytes, options.answer);
        Self::from_parts(tape, exchange, bodies, reader, options)
    }

    /// Reads the answer in the decoded bodies (request, response) with `reader`.
    fn from_parts(
        tape: Tape,
        exchange: Exchange,
        [request_body, response_body]: [DecodedBody; 2],
        reader: AnswerReader,
        options: &ReadOptions,
    ) -> Self {
        let mut events = EventCollector::default();
        let sink: &mut dyn DeltaSink = match options.answer.retention {
            AnswerRetention::Everything => &mut events,
            _ => &mut (),
        };
        let meaning = CallMeaning::read(&tape, &exchange, &response_body, reader, options, sink);
        Self {
            tape,
            exchange,
            request_body,
            response_body,
            meaning,
            capture_notes: Vec::new(),
            socket: None,
            events: events.0,
        }
    }

    /// Whether the response's body could be decoded and the answer in it did not break off.
    pub fn is_complete(&self) -> bool {
        self.response_body.error.is_none() && !self.meaning.is_broken_off()
    }
}

#[derive(Default)]
struct EventCollector(Vec<EventDeltas>);

impl DeltaSink for EventCollector {
    fn delta(&mut self, delta: &AnswerDelta<'_>) {
        // The completion counts the comments, of which a peer can send millions.
        if delta.kind == DeltaKind::Comment {
            return;
        }
        match self.0.last_mut() {
            Some(last) if last.span == delta.whole => last.kinds.push(delta.kind),
            _ => self.0.push(EventDeltas {
                number: delta.event,
                span: delta.whole,
                kinds: vec![delta.kind],
            }),
        }
    }
}

//! [`WebSocketTraffic`]: the frames of a connection that became a WebSocket, counted in bounded memory, and how it closed.

use crate::http1::HttpMessage;
use crate::span::{Moment, Span, StreamSide};
use crate::tape::{RollingBuffer, Tape, Window};
use crate::websocket::{CloseReason, DeflateParams, FrameDecoder, FrameEvent, Opcode};

/// The frames of both directions after the handshake.
#[derive(Clone, Debug, Default, Eq, PartialEq, serde::Serialize)]
pub struct WebSocketTraffic {
    /// The parameters of permessage-deflate, if the handshake agreed on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deflate: Option<DeflateParams>,
    /// The frames of the client.
    pub sent: FrameTotals,
    /// The frames of the server.
    pub received: FrameTotals,
}

/// The frames of one direction.
#[derive(Clone, Debug, Default, Eq, PartialEq, serde::Serialize)]
pub struct FrameTotals {
    /// Offset of the first byte after the handshake; `None` if none came.
    pub starts_at: Option<u64>,
    /// Number of whole frames.
    pub frames: u64,
    /// Number of messages with data that ended.
    pub messages: u64,
    /// The close frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close: Option<CloseReason>,
    /// When the close frame was whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Moment>,
    /// Offset after the close frame.
    #[serde(skip)]
    close_end: u64,
    /// The frame in which the stream ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<FrameCut>,
}

/// A frame in which a stream ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
pub struct FrameCut {
    /// Bytes of payload that did not come; `None` if the frame head was cut.
    pub missing: Option<u64>,
}

impl WebSocketTraffic {
    /// The frames of one direction.
    pub fn side(&self, side: StreamSide) -> &FrameTotals {
        match side {
            StreamSide::Sent => &self.sent,
            StreamSide::Received => &self.received,
        }
    }

    fn side_mut(&mut self, side: StreamSide) -> &mut FrameTotals {
        match side {
            StreamSide::Sent => &mut self.sent,
            StreamSide::Received => &mut self.received,
        }
    }

    /// The first close frame and the side that sent it. The other side answers it with one of its own (RFC 6455, 5.5.1).
    pub fn close(&self) -> Option<(StreamSide, &CloseReason)> {
        let sent = self.sent.close.as_ref();
        let received = self.received.close.as_ref();
        let is_received_first = match (sent, received) {
            (Some(_), Some(_)) => self.received.closed_at < self.sent.closed_at,
            (sent, _) => sent.is_none(),
        };
        match is_received_first {
            true => received.map(|reason| (StreamSide::Received, reason)),
            false => sent.map(|reason| (StreamSide::Sent, reason)),
        }
    }

    /// Whether both sides sent a close frame.
    pub fn is_close_answered(&self) -> bool {
        self.sent.close.is_some() && self.received.close.is_some()
    }

    /// Sets the times of the close frames to those on `tape`, which the order of reading does not change.
    pub(super) fn set_close_times(&mut self, tape: &Tape) {
        for stream in [&tape.sent, &tape.received] {
            let totals = self.side_mut(stream.side);
            if totals.close.is_some() {
                totals.closed_at = stream.moment_at(totals.close_end.saturating_sub(1));
            }
        }
    }
}

/// Whether `response` opens a WebSocket (RFC 6455, 4.2.2).
pub(super) fn opens_websocket(response: &HttpMessage) -> bool {
    let upgrade = response.head.get("upgrade").unwrap_or_default();
    response.status() == Some(101) && upgrade.trim_ascii().eq_ignore_ascii_case(b"websocket")
}

/// Counts the frames of one direction while its bytes come.
#[derive(Clone, Debug)]
pub(super) struct FrameCounter {
    decoder: FrameDecoder,
    held: RollingBuffer,
    /// The opcode of the frame that is being read, whether it ends its message, and its masking key.
    frame: Option<(Opcode, bool, Option<[u8; 4]>)>,
    /// Offset after the close frame.
    close_end: u64,
    /// Masked payload of a close frame, as much as a control frame may have.
    close: Vec<u8>,
}

/// Most bytes of the payload of a control frame (RFC 6455, 5.5).
const MAX_CONTROL: usize = 125;

impl FrameCounter {
    pub(super) fn new(side: StreamSide, at: u64) -> Self {
        Self {
            decoder: FrameDecoder::new(side, at, true),
            held: RollingBuffer::starting_at(at),
            frame: None,
            close_end: at,
            close: Vec::new(),
        }
    }

    /// Reads the next bytes of its direction; `ended` says that no more will come.
    pub(super) fn feed(&mut self, bytes: &[u8], ended: bool, totals: &mut FrameTotals) {
        let was_open = totals.close.is_none();
        let mut held = std::mem::take(&mut self.held);
        held.feed(bytes, ended, |seen| {
            while let Some(event) = self.decoder.step(seen) {
                self.take_event(event, seen, totals);
            }
            self.decoder.at()
        });
        self.held = held;
        if was_open && totals.close.is_some() {
            totals.close_end = self.close_end;
        }
    }

    fn take_event(&mut self, event: FrameEvent, seen: Window<'_>, totals: &mut FrameTotals) {
        match event {
            FrameEvent::Head(head) => self.frame = Some((head.opcode, head.is_last, head.key)),
            FrameEvent::Payload(span) => self.keep_close(span, seen),
            FrameEvent::End => {
                totals.frames = totals.frames.saturating_add(1);
                let Some((opcode, is_last, key)) = self.frame.take() else {
                    return;
                };
                let is_message = is_last && !opcode.is_control();
                totals.messages = totals.messages.saturating_add(is_message.into());
                if opcode == Opcode::Close {
                    self.close_end = self.decoder.at();
                    totals.close = Some(CloseReason::read_masked(&self.close, key));
                }
            }
            FrameEvent::Cut { missing, .. } => totals.cut = Some(FrameCut { missing }),
            FrameEvent::Fault(_) | FrameEvent::AfterClose(_) => {}
        }
    }

    fn keep_close(&mut self, span: Span, seen: Window<'_>) {
        if self
            .frame
            .is_some_and(|(opcode, ..)| opcode == Opcode::Close)
        {
            let room = MAX_CONTROL.saturating_sub(self.close.len());
            let bytes = seen.slice(span);
            self.close
                .extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }
    }
}

/// The frame counters of both directions, begun where each stream leaves HTTP.
#[derive(Clone, Debug, Default)]
pub(super) struct FrameCounters {
    sent: Option<FrameCounter>,
    received: Option<FrameCounter>,
}

impl FrameCounters {
    /// Counts the bytes of `span`, which `seen` holds and which crossed until `moment`.
    pub(super) fn take_bytes(
        &mut self,
        traffic: &mut WebSocketTraffic,
        side: StreamSide,
        span: Span,
        seen: Window<'_>,
        moment: Moment,
    ) {
        let totals = traffic.side_mut(side);
        totals.starts_at.get_or_insert(span.start);
        let counter = self
            .counter(side)
            .get_or_insert_with(|| FrameCounter::new(side, span.start));
        counter.feed(seen.slice(span), false, totals);
        if totals.close.is_some() {
            totals.closed_at.get_or_insert(moment);
        }
    }

    /// Ends the frames of one direction.
    pub(super) fn end(&mut self, traffic: &mut WebSocketTraffic, side: StreamSide) {
        if let Some(counter) = self.counter(side) {
            counter.feed(&[], true, traffic.side_mut(side));
        }
    }

    fn counter(&mut self, side: StreamSide) -> &mut Option<FrameCounter> {
        match side {
            StreamSide::Sent => &mut self.sent,
            StreamSide::Received => &mut self.received,
        }
    }
}

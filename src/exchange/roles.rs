//! The role of each byte of both streams, from the first to the last.

use crate::exchange::{Exchange, ExchangeReader, HttpEventSink};
use crate::http1::{BodyRetention, ByteRole, Event, HttpLimits};
use crate::span::{Moment, Span, StreamSide};
use crate::tape::{Stream, Tape, Window};
use crate::websocket::{FrameDecoder, FrameEvent};

/// Neighbouring bytes of one stream that have one role.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct RoleSpan {
    /// The stream.
    pub side: StreamSide,
    /// Their role.
    pub role: ByteRole,
    /// The field's name, for fields and trailers; opcode and flags of a frame.
    pub name: Option<String>,
    /// The bytes.
    pub span: Span,
}

/// The role of each byte: the sent stream, then the received one, without gaps.
pub fn role_spans(tape: &Tape, limits: HttpLimits) -> Vec<RoleSpan> {
    let mut collector = RoleCollector(Vec::new());
    let mut reader = ExchangeReader::new(BodyRetention::HeadsOnly, limits);
    for stream in [&tape.sent, &tape.received] {
        for (span, moment) in stream.reads() {
            reader.bytes(stream.side, moment, stream.slice(span), &mut collector);
        }
        reader.ended(stream.side, &mut collector);
    }
    if let Some(traffic) = &reader.exchange.websocket {
        for (stream, totals) in [
            (&tape.sent, &traffic.sent),
            (&tape.received, &traffic.received),
        ] {
            let Some(start) = totals.starts_at else {
                continue;
            };
            let tiles = &mut collector.0;
            tiles.retain(|tile| tile.side != stream.side || tile.span.end <= start);
            push_frame_tiles(stream, start, tiles);
        }
    }
    // Sent bytes that waited for a response were read after it.
    collector.0.sort_by_key(|tile| tile.side);
    collector.0
}

/// Adds the frames of a WebSocket, which begin at the offset `start` of `stream`.
fn push_frame_tiles(stream: &Stream, start: u64, tiles: &mut Vec<RoleSpan>) {
    let mut decoder = FrameDecoder::new(stream.side, start, true);
    let window = Window {
        ended: true,
        ..stream.window()
    };
    while let Some(event) = decoder.step(window) {
        let (role, name) = match event {
            FrameEvent::Head(head) => (ByteRole::FrameHead, Some(head.to_string())),
            FrameEvent::Payload(_) => (ByteRole::FramePayload, None),
            FrameEvent::Cut { head, .. } if !head.is_empty() => {
                (ByteRole::FrameHead, Some("cut".to_owned()))
            }
            FrameEvent::AfterClose(_) => (ByteRole::Unframed, None),
            FrameEvent::Cut { .. } | FrameEvent::End | FrameEvent::Fault(_) => continue,
        };
        tiles.extend(event.span().map(|span| RoleSpan {
            side: stream.side,
            role,
            name,
            span,
        }));
    }
}

struct RoleCollector(Vec<RoleSpan>);

impl HttpEventSink for RoleCollector {
    fn event(
        &mut self,
        _: &Exchange,
        side: StreamSide,
        _: Moment,
        event: &Event,
        seen: Window<'_>,
    ) {
        let Some((role, span)) = event.role_and_span() else {
            return;
        };
        let name = match event {
            Event::Field(field) | Event::Trailer(field) => {
                Some(String::from_utf8_lossy(seen.slice(field.name)).into_owned())
            }
            _ => None,
        };
        match self.0.last_mut() {
            // Neighbouring data is one tile, whatever reads it came in.
            Some(last)
                if (last.side, last.role) == (side, role)
                    && last.span.end == span.start
                    && matches!(role, ByteRole::Data | ByteRole::Unframed) =>
            {
                last.span.end = span.end;
            }
            _ => self.0.push(RoleSpan {
                side,
                role,
                name,
                span,
            }),
        }
    }
}

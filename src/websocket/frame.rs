//! [`FrameDecoder`]: the frames of one direction (RFC 6455, 5.2).
//!
//! ```text
//!   byte 0: FIN RSV1 RSV2 RSV3 opcode    byte 1: MASK length    length: 0, 2 or 8 bytes more    key: 0 or 4 bytes
//! ```

use super::fault::{FoundFault, FrameFault};
use crate::span::{Span, StreamSide};
use crate::tape::Window;

/// Bytes of the longest frame head: two, eight of a length and four of a key.
pub const MAX_HEAD_BYTES: u64 = 14;

/// An event of the frame decoder: bytes with one role, or a change of its state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FrameEvent {
    /// The head of a frame.
    Head(FrameHead),
    /// A piece of the frame's payload, masked as it crossed the wire.
    Payload(Span),
    /// The frame is whole. Covers no byte.
    End,
    /// A broken rule. Covers no byte of its own.
    Fault(FoundFault),
    /// The stream ended inside a frame.
    Cut {
        /// The bytes of its unfinished head; empty if the payload was cut.
        head: Span,
        /// Bytes of payload that did not come; `None` if the head was cut.
        missing: Option<u64>,
    },
    /// Bytes after a close frame, which belong to no frame.
    AfterClose(Span),
}

impl FrameEvent {
    /// The bytes that the event covers; `None` if it covers none.
    pub fn span(&self) -> Option<Span> {
        match *self {
            Self::Head(head) => Some(head.span),
            Self::Payload(span) | Self::AfterClose(span) => Some(span),
            Self::Cut { head, .. } => Some(head),
            Self::End | Self::Fault(_) => None,
        }
    }
}

/// The head of a frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FrameHead {
    /// Its bytes, masking key included.
    pub span: Span,
    /// Whether this is the last frame of its message (FIN).
    pub is_last: bool,
    /// The reserved bits: 4 is RSV1, which marks a compressed message under permessage-deflate; 2 is RSV2, 1 is RSV3.
    pub reserved: u8,
    /// The opcode.
    pub opcode: Opcode,
    /// The masking key, if the payload is masked.
    pub key: Option<[u8; 4]>,
    /// Number of bytes of the payload.
    pub length: u64,
}

impl FrameHead {
    /// The first bytes of the payload, the masking undone.
    pub fn unmask(&self, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(payload.len());
        unmask_to(&mut bytes, payload, self.key, 0);
        bytes
    }

    /// The bytes of the payload, as announced.
    pub fn payload(&self) -> Span {
        Span::new(self.span.end, self.span.end.saturating_add(self.length))
    }
}

/// The opcode of a frame with the flags that are set.
impl std::fmt::Display for FrameHead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let flags = [
            (self.is_last, " FIN"),
            (self.reserved & 4 != 0, " RSV1"),
            (self.reserved & 2 != 0, " RSV2"),
            (self.reserved & 1 != 0, " RSV3"),
            (self.key.is_some(), " masked"),
        ];
        write!(f, "{}", self.opcode)?;
        let flags = flags.iter().filter(|(is_set, _)| *is_set);
        flags
            .map(|(_, name)| name)
            .try_for_each(|name| f.write_str(name))
    }
}

/// The opcode of a frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Opcode {
    /// 0: the frame continues a message.
    Continuation,
    /// 1: a message of text, or its first fragment.
    Text,
    /// 2: a message of bytes, or its first fragment.
    Binary,
    /// 8: the sender closes the connection.
    Close,
    /// 9: asks for a pong.
    Ping,
    /// 10: answers a ping.
    Pong,
    /// Any other number, which has no meaning.
    Unknown(u8),
}

impl Opcode {
    fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            other => Self::Unknown(other),
        }
    }

    /// Whether frames of this opcode control the connection. They may come between the fragments of a message.
    pub fn is_control(self) -> bool {
        match self {
            Self::Close | Self::Ping | Self::Pong => true,
            Self::Continuation | Self::Text | Self::Binary => false,
            Self::Unknown(number) => number >= 8,
        }
    }
}

impl std::fmt::Display for Opcode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Continuation => "continuation",
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Close => "close",
            Self::Ping => "ping",
            Self::Pong => "pong",
            Self::Unknown(number) => return write!(f, "opcode {number}"),
        })
    }
}

/// Decoder of the frames of one direction.
#[derive(Clone, Debug)]
pub struct FrameDecoder {
    side: StreamSide,
    /// Whether RSV1 of a first data frame has a meaning: permessage-deflate was agreed on.
    uses_rsv1: bool,
    /// Everything before this offset was returned.
    at: u64,
    state: FrameState,
    /// A fault that is returned before the next event.
    pending: Vec<FoundFault>,
}

#[derive(Clone, Copy, Debug)]
enum FrameState {
    /// Before or inside a frame head.
    Head,
    /// Inside the payload of this frame.
    Payload(FrameHead),
    /// After a close frame. Whether the bytes there were reported.
    Closed { is_reported: bool },
    /// After the end of the stream.
    Finished,
}

impl FrameDecoder {
    /// A decoder of the frames of `side` from the offset `at` on. `uses_rsv1`: whether permessage-deflate was agreed on.
    pub fn new(side: StreamSide, at: u64, uses_rsv1: bool) -> Self {
        Self {
            side,
            uses_rsv1,
            at,
            state: FrameState::Head,
            pending: Vec::new(),
        }
    }

    /// Offset of the first byte that is still needed.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The next event; `None`: more bytes are needed, or nothing is left.
    pub fn step(&mut self, seen: Window<'_>) -> Option<FrameEvent> {
        if let Some(fault) = self.pending.pop() {
            return Some(FrameEvent::Fault(fault));
        }
        match self.state {
            FrameState::Head => self.step_head(seen),
            FrameState::Payload(head) => self.step_payload(head, seen),
            FrameState::Closed { is_reported } => self.step_after_close(is_reported, seen),
            FrameState::Finished => None,
        }
    }

    fn step_head(&mut self, seen: Window<'_>) -> Option<FrameEvent> {
        let rest = seen.slice_from(self.at);
        let Some(head) = parse_head(rest, self.at) else {
            if !seen.ended {
                return None;
            }
            self.state = FrameState::Finished;
            let head = Span::new(self.at, seen.end());
            self.at = head.end;
            return (!head.is_empty()).then_some(FrameEvent::Cut {
                head,
                missing: None,
            });
        };
        self.check_head(&head, rest);
        self.at = head.span.end;
        self.state = FrameState::Payload(head);
        Some(FrameEvent::Head(head))
    }

    /// Adds the faults of a head to those that are returned next. `bytes` begin with it.
    fn check_head(&mut self, head: &FrameHead, bytes: &[u8]) {
        let is_control = head.opcode.is_control();
        let is_first_of_data = matches!(head.opcode, Opcode::Text | Opcode::Binary);
        let known_bits = match self.uses_rsv1 && is_first_of_data {
            true => 4,
            false => 0,
        };
        let written = bytes.get(1).map_or(0, |byte| byte & 0x7f);
        let checks = [
            (
                head.length > i64::MAX.unsigned_abs(),
                FrameFault::LengthTooLarge,
            ),
            (
                written == 126 && head.length < 126 || written == 127 && head.length < 65_536,
                FrameFault::LengthNotMinimal,
            ),
            (is_control && !head.is_last, FrameFault::ControlFragmented),
            (is_control && head.length > 125, FrameFault::ControlTooLong),
            (
                self.side == StreamSide::Received && head.key.is_some(),
                FrameFault::Masked,
            ),
            (
                self.side == StreamSide::Sent && head.key.is_none(),
                FrameFault::NotMasked,
            ),
            (
                matches!(head.opcode, Opcode::Unknown(_)),
                FrameFault::UnknownOpcode,
            ),
            (head.reserved & !known_bits != 0, FrameFault::ReservedBits),
        ];
        let found = checks.into_iter().filter(|(is_broken, _)| *is_broken);
        let at = head.span;
        // The last of them is returned first.
        self.pending
            .extend(found.map(|(_, fault)| FoundFault { fault, at }));
    }

    fn step_payload(&mut self, head: FrameHead, seen: Window<'_>) -> Option<FrameEvent> {
        let end = head.payload().end;
        let piece = Span::new(self.at, end.min(seen.end()));
        if !piece.is_empty() {
            self.at = piece.end;
            return Some(FrameEvent::Payload(piece));
        }
        if self.at >= end {
            self.state = match head.opcode {
                Opcode::Close => FrameState::Closed { is_reported: false },
                _ => FrameState::Head,
            };
            return Some(FrameEvent::End);
        }
        if !seen.ended {
            return None;
        }
        self.state = FrameState::Finished;
        Some(FrameEvent::Cut {
            head: Span::empty_at(self.at),
            missing: Some(end.saturating_sub(self.at)),
        })
    }

    fn step_after_close(&mut self, is_reported: bool, seen: Window<'_>) -> Option<FrameEvent> {
        let span = Span::new(self.at, seen.end());
        if span.is_empty() {
            return None;
        }
        if !is_reported {
            self.state = FrameState::Closed { is_reported: true };
            let at = Span::empty_at(self.at);
            let fault = FrameFault::AfterClose;
            return Some(FrameEvent::Fault(FoundFault { fault, at }));
        }
        self.at = span.end;
        Some(FrameEvent::AfterClose(span))
    }
}

/// The frame head at the beginning of `bytes`, whose first byte has offset `start`; `None` while it is not whole.
fn parse_head(bytes: &[u8], start: u64) -> Option<FrameHead> {
    let (&[first, second], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match second & 0x7f {
        126 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u64::from(u16::from_be_bytes(*length)), rest)
        }
        127 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u64::from_be_bytes(*length), rest)
        }
        short => (u64::from(short), rest),
    };
    let (key, rest) = match second & 0x80 {
        0 => (None, rest),
        _ => {
            let (key, rest) = rest.split_first_chunk()?;
            (Some(*key), rest)
        }
    };
    let size = bytes.len().saturating_sub(rest.len()) as u64;
    Some(FrameHead {
        span: Span::new(start, start.saturating_add(size)),
        is_last: first & 0x80 != 0,
        reserved: (first >> 4) & 7,
        opcode: Opcode::from_number(first & 0x0f),
        key,
        length,
    })
}

/// Appends `bytes` to `out`, the masking undone. `at` is the number of payload bytes before them (RFC 6455, 5.3).
pub(super) fn unmask_to(out: &mut Vec<u8>, bytes: &[u8], key: Option<[u8; 4]>, at: u64) {
    let Some(mut key) = key else {
        return out.extend_from_slice(bytes);
    };
    key.rotate_left(usize::try_from(at % 4).unwrap_or_default());
    out.extend(
        bytes
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
}

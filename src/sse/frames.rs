//! Reads AWS event streams (`application/vnd.amazon.eventstream`): binary frames, each with headers, a payload and two
//! checksums. Source: <https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html>.
//!
//! ```text
//! | length of the frame u32 | length of the headers u32 | CRC-32 of both | headers | payload | CRC-32 of all before |
//! header: | length of the name u8 | name | type of the value u8 | value |        all numbers are big-endian
//! ```

use super::{EventDecoder, SseEvent, StreamItem};
use crate::span::Span;
use crate::tape::Window;

/// Facts about an event that only frames of AWS have.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct FrameFacts {
    /// Whether the frame calls itself an exception or an error (`:message-type`).
    pub is_error: bool,
    /// The first fault of the frame; its payload may be damaged.
    pub fault: Option<FrameFault>,
}

/// A fault of a frame. The SDKs of AWS refuse a frame with a fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FrameFault {
    /// The checksum of the two lengths is wrong.
    PreludeChecksum,
    /// The lengths do not fit each other.
    Lengths,
    /// The checksum of the frame is wrong.
    FrameChecksum,
    /// A header reaches beyond the headers, or its value has an unknown type.
    Headers,
    /// The event inside the payload is not base64. Its reader in `chat` finds this.
    Base64,
}

impl FrameFault {
    /// The fault in words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::PreludeChecksum => "the checksum of its lengths is wrong",
            Self::Lengths => "its lengths do not fit each other",
            Self::FrameChecksum => "its checksum is wrong",
            Self::Headers => "its headers cannot be read",
            Self::Base64 => "the event in its payload is not base64",
        }
    }
}

/// Bytes of the two lengths and their checksum.
const PRELUDE_LEN: u64 = 12;

/// Bytes of the checksum at the end of a frame.
const CHECKSUM_LEN: u64 = 4;

/// The lengths at the beginning of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct FramePrelude {
    total: u64,
    headers: u64,
    fault: Option<FrameFault>,
}

impl FramePrelude {
    /// Reads the beginning of a frame. `None`: it is not whole.
    fn read(frame: &[u8]) -> Option<Self> {
        let [total, headers, checksum] = [0, 4, 8].map(|at| read_u32(frame, at));
        let (total, headers) = (u64::from(total?), u64::from(headers?));
        let fits = headers.saturating_add(PRELUDE_LEN.saturating_add(CHECKSUM_LEN)) <= total;
        let fault = match checksum? == checksum_of(frame.get(..8)?) {
            false => Some(FrameFault::PreludeChecksum),
            true => (!fits).then_some(FrameFault::Lengths),
        };
        Some(Self {
            total,
            headers,
            fault,
        })
    }
}

/// Whether `body` begins with a frame: its lengths have the right checksum. `None`: more bytes are needed.
pub fn begins_with_frame(body: &[u8]) -> Option<bool> {
    Some(FramePrelude::read(body)?.fault.is_none())
}

impl EventDecoder {
    pub(super) fn step_frames(&mut self, seen: Window<'_>) -> Option<StreamItem> {
        let start = self.line_start;
        if self.frame.is_none() {
            self.frame = FramePrelude::read(seen.slice_from(start));
        }
        let Some(prelude) = self.frame else {
            return seen.ended.then(|| self.finish_frames(seen))?;
        };
        // Without its lengths the end of a frame is not known, so nothing after it can be read.
        let end = match prelude.fault {
            Some(_) => u64::MAX,
            None => start.saturating_add(prelude.total),
        };
        self.skipping = end.saturating_sub(start) > self.limit;
        if seen.end() < end {
            self.at = if self.skipping { seen.end() } else { start };
            return seen.ended.then(|| self.finish_frames(seen))?;
        }
        let span = Span::new(start, end);
        self.frame = None;
        self.advance_to(end);
        Some(match std::mem::take(&mut self.skipping) {
            true => StreamItem::TooLong(span),
            false => StreamItem::Event(read_frame(seen, span, prelude.headers)),
        })
    }

    /// Ends the stream: what is left is a frame that was cut, or bytes whose framing is lost.
    fn finish_frames(&mut self, seen: Window<'_>) -> Option<StreamItem> {
        self.finished = true;
        let rest = Span::new(self.line_start, seen.end());
        let fault = self.frame.and_then(|prelude| prelude.fault);
        self.advance_to(seen.end());
        if let Some(fault) = fault {
            return Some(StreamItem::Unframed { span: rest, fault });
        }
        let event = SseEvent {
            span: rest,
            ..SseEvent::default()
        };
        (!rest.is_empty()).then(|| self.truncated_item(event, rest, SseEvent::default()))
    }
}

impl SseEvent {
    /// The value of the header `name` of a frame, if that is a string.
    pub fn frame_header<'a>(&self, seen: Window<'a>, name: &[u8]) -> Option<&'a [u8]> {
        let mut rest = Span::new(self.span.start, self.first_data?.start);
        rest.start = rest.start.saturating_add(PRELUDE_LEN);
        loop {
            let header = FrameHeader::read(seen, rest)?;
            if seen.slice(header.name) == name {
                return header.text.map(|text| seen.slice(text));
            }
            rest.start = header.end;
        }
    }
}

/// Reads the frame at `span`, whose headers have `headers` bytes: its payload is the data, its type the name.
fn read_frame(seen: Window<'_>, span: Span, headers: u64) -> SseEvent {
    let start = span.start.saturating_add(PRELUDE_LEN);
    let headers = Span::new(start, start.saturating_add(headers));
    let checked = Span::new(span.start, span.end.saturating_sub(CHECKSUM_LEN));
    let checksum = read_u32(seen.slice(span), checked.len() as usize);
    let is_intact = checksum == Some(checksum_of(seen.slice(checked)));
    let mut event = SseEvent {
        span,
        first_data: Some(Span::new(headers.end, checked.end)),
        data_lines: 1,
        ..SseEvent::default()
    };
    let mut facts = FrameFacts::default();
    let mut rest = headers;
    while let Some(header) = FrameHeader::read(seen, rest) {
        match seen.slice(header.name) {
            b":event-type" | b":exception-type" | b":error-code" => event.name = header.text,
            b":message-type" => {
                let kind = header.text.map(|text| seen.slice(text));
                facts.is_error = matches!(kind, Some(b"exception" | b"error"));
            }
            _ => {}
        }
        rest.start = header.end;
    }
    facts.fault = match is_intact {
        false => Some(FrameFault::FrameChecksum),
        true => (!rest.is_empty()).then_some(FrameFault::Headers),
    };
    event.frame = Some(facts);
    event
}

/// A header of a frame.
struct FrameHeader {
    name: Span,
    /// Its value, if that is a string.
    text: Option<Span>,
    end: u64,
}

impl FrameHeader {
    /// Reads the first header of `headers`. `None` if it cannot be read.
    fn read(seen: Window<'_>, headers: Span) -> Option<Self> {
        let bytes = seen.slice(headers);
        let name_end = usize::from(*bytes.first()?).checked_add(1)?;
        let kind = *bytes.get(name_end)?;
        let value = name_end.checked_add(1)?;
        let long = || {
            let length = bytes.get(value..value.checked_add(2)?)?.try_into().ok()?;
            Some((2, usize::from(u16::from_be_bytes(length))))
        };
        // The types: true, false, byte, short, integer, long, bytes, string, timestamp, uuid.
        let (skipped, length) = match kind {
            0 | 1 => (0, 0),
            2 => (0, 1),
            3 => (0, 2),
            4 => (0, 4),
            5 | 8 => (0, 8),
            6 | 7 => long()?,
            9 => (0, 16),
            _ => return None,
        };
        let start = value.checked_add(skipped)?;
        let end = start.checked_add(length)?;
        let place = |from: usize, to: usize| {
            let offset = |at: usize| headers.start.saturating_add(at as u64);
            Span::new(offset(from), offset(to))
        };
        (end <= bytes.len()).then(|| Self {
            name: place(1, name_end),
            text: (kind == 7).then(|| place(start, end)),
            end: place(0, end).end,
        })
    }
}

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    let number = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(number.try_into().ok()?))
}

/// The CRC-32 of `bytes` (the one of gzip).
pub(super) fn checksum_of(bytes: &[u8]) -> u32 {
    let mut checksum = flate2::Crc::new();
    checksum.update(bytes);
    checksum.sum()
}

//! [`MessageReader`]: the messages of one direction, from its frames.

use super::close::CloseReason;
use super::deflate::{DeflateParams, InflateError, MessageInflater};
use super::fault::{FoundFault, FrameFault};
use super::frame::{FrameDecoder, FrameEvent, FrameHead, Opcode, unmask_to};
use crate::span::{Span, StreamSide};
use crate::tape::Window;

/// Most bytes of messages that are read into memory.
#[derive(Clone, Copy, Debug)]
pub struct MessageLimits {
    /// Longest message; by default 64 MiB, as the longest event of a stream ([`crate::sse::MAX_EVENT_BYTES`]).
    pub message: u64,
    /// Inflated bytes of all messages of one direction; by default 256 MiB, as a decoded body
    /// ([`crate::content::DecodeLimits::held_size`]). Guards against decompression bombs.
    pub inflated: u64,
}

impl Default for MessageLimits {
    fn default() -> Self {
        Self {
            message: crate::sse::MAX_EVENT_BYTES,
            inflated: 256 << 20,
        }
    }
}

/// One message: data in one or more frames, or one control frame.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// The opcode of its first frame.
    pub opcode: Opcode,
    /// From its first frame head to its last byte. Control frames between its fragments lie inside.
    pub span: Span,
    /// Number of its frames.
    pub frames: u64,
    /// The payload of each frame that has one: its offset in the joined payload, and its bytes on the wire.
    pub pieces: Vec<(u64, Span)>,
    /// The payload, unmasked and inflated; only its beginning if it is over a limit.
    pub payload: Vec<u8>,
    /// Whether it was compressed.
    pub is_compressed: bool,
    /// Whether its last frame came whole.
    pub is_whole: bool,
    /// The rules that it breaks.
    pub faults: Vec<FoundFault>,
}

impl Message {
    fn begin(head: FrameHead) -> Self {
        Self {
            opcode: head.opcode,
            span: head.span,
            frames: 0,
            pieces: Vec::new(),
            payload: Vec::new(),
            is_compressed: head.reserved & 4 != 0,
            is_whole: false,
            faults: Vec::new(),
        }
    }

    /// The payload as text; `None` if it is not a whole message of valid UTF-8 with the opcode text.
    pub fn text(&self) -> Option<&str> {
        let is_text = self.opcode == Opcode::Text && self.is_whole;
        std::str::from_utf8(&self.payload).ok().filter(|_| is_text)
    }

    /// The reason of a close frame; `None` for other messages.
    pub fn close_reason(&self) -> Option<CloseReason> {
        (self.opcode == Opcode::Close).then(|| CloseReason::read(&self.payload))
    }

    fn note(&mut self, fault: FrameFault, at: Span) {
        let found = FoundFault { fault, at };
        // Each fault once: a message can have any number of frames.
        if !self.faults.iter().any(|known| known.fault == fault) {
            self.faults.push(found);
        }
    }
}

/// Reader of the messages of one direction.
#[derive(Debug)]
pub struct MessageReader {
    frames: FrameDecoder,
    inflater: Option<MessageInflater>,
    limits: MessageLimits,
    /// Bytes that may still be inflated.
    inflatable: u64,
    /// The frame that is being read, and the number of its payload bytes so far.
    frame: Option<(FrameHead, u64)>,
    /// The data message that is being read.
    data: Option<Message>,
    /// The control frame that is being read.
    control: Option<Message>,
    /// Bytes after a close frame.
    bytes_after_close: u64,
    /// Messages that are returned next.
    ready: std::collections::VecDeque<Message>,
}

impl MessageReader {
    /// A reader of the messages of `side` from the offset `at` on, behind the head of the handshake. `deflate` holds the
    /// parameters of permessage-deflate, if it was agreed on.
    pub fn new(
        side: StreamSide,
        at: u64,
        deflate: Option<DeflateParams>,
        limits: MessageLimits,
    ) -> Self {
        Self {
            frames: FrameDecoder::new(side, at, deflate.is_some()),
            inflater: deflate.map(|params| MessageInflater::new(params.is_without_context(side))),
            limits,
            inflatable: limits.inflated,
            frame: None,
            data: None,
            control: None,
            bytes_after_close: 0,
            ready: std::collections::VecDeque::new(),
        }
    }

    /// Offset of the first byte that is still needed.
    pub fn at(&self) -> u64 {
        self.frames.at()
    }

    /// Number of bytes after a close frame.
    pub fn bytes_after_close(&self) -> u64 {
        self.bytes_after_close
    }

    /// The next message; `None`: more bytes are needed, or nothing is left. A message that the end of the stream cuts is
    /// returned as far as it came.
    pub fn step(&mut self, seen: Window<'_>) -> Option<Message> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Some(message);
            }
            match self.frames.step(seen) {
                Some(event) => self.take_event(event, seen),
                None if seen.ended => return self.data.take().map(|data| self.finish(data, false)),
                None => return None,
            }
        }
    }

    fn take_event(&mut self, event: FrameEvent, seen: Window<'_>) {
        match event {
            FrameEvent::Head(head) => self.begin_frame(head),
            FrameEvent::Payload(span) => self.add_payload(span, seen),
            FrameEvent::End => self.end_frame(),
            FrameEvent::Fault(found) => {
                if let Some(message) = self.current() {
                    message.note(found.fault, found.at);
                }
            }
            FrameEvent::Cut { head, .. } => self.cut(head),
            FrameEvent::AfterClose(span) => {
                self.bytes_after_close = self.bytes_after_close.saturating_add(span.len());
            }
        }
    }

    /// The message that the current frame belongs to.
    fn current(&mut self) -> Option<&mut Message> {
        self.control.as_mut().or(self.data.as_mut())
    }

    fn begin_frame(&mut self, head: FrameHead) {
        self.frame = Some((head, 0));
        let fresh = Message::begin(head);
        if head.opcode.is_control() {
            self.control = Some(fresh);
        } else if head.opcode != Opcode::Continuation {
            if let Some(mut open) = self.data.replace(fresh) {
                open.note(FrameFault::MessageNotEnded, head.span);
                let open = self.finish(open, false);
                self.ready.push_back(open);
            }
        } else if self.data.is_none() {
            let message = self.data.insert(fresh);
            message.note(FrameFault::NothingToContinue, head.span);
        }
        if let Some(message) = self.current() {
            message.frames = message.frames.saturating_add(1);
            message.span.end = head.span.end;
        }
    }

    fn add_payload(&mut self, span: Span, seen: Window<'_>) {
        let Some((head, before)) = self.frame else {
            return;
        };
        self.frame = Some((head, before.saturating_add(span.len())));
        let limit = self.limits.message;
        let Some(message) = self.current() else {
            return;
        };
        let at = message.payload.len() as u64;
        message.span.end = span.end;
        match message.pieces.last_mut() {
            Some((_, last)) if last.end == span.start => last.end = span.end,
            _ => message.pieces.push((at, span)),
        }
        let kept = Span::new(
            span.start,
            span.end
                .min(span.start.saturating_add(limit.saturating_sub(at))),
        );
        unmask_to(&mut message.payload, seen.slice(kept), head.key, before);
        if kept.len() < span.len() {
            message.note(FrameFault::OverLimit, head.span);
        }
    }

    fn end_frame(&mut self) {
        let Some((head, _)) = self.frame.take() else {
            return;
        };
        let ended = match self.control.take() {
            Some(control) => Some(control),
            None if head.is_last => self.data.take(),
            None => None,
        };
        if let Some(message) = ended {
            let message = self.finish(message, true);
            self.ready.push_back(message);
        }
    }

    /// Ends the messages that the end of the stream cuts: a control frame first, then the data around it. `head` holds the
    /// bytes of an unfinished frame head.
    fn cut(&mut self, head: Span) {
        self.frame = None;
        if let Some(control) = self.control.take() {
            let control = self.finish(control, false);
            self.ready.push_back(control);
        } else if let Some(data) = &mut self.data {
            data.span.end = data.span.end.max(head.end);
        }
    }

    /// Inflates and checks a message that has ended.
    fn finish(&mut self, mut message: Message, is_whole: bool) -> Message {
        message.is_whole = is_whole;
        if message.is_compressed && !message.opcode.is_control() {
            self.inflate(&mut message);
        }
        let payload = match message.opcode {
            Opcode::Text if is_whole => message.payload.as_slice(),
            Opcode::Close => message.payload.get(2..).unwrap_or_default(),
            _ => &[],
        };
        let is_cut = message
            .faults
            .iter()
            .any(|found| matches!(found.fault, FrameFault::OverLimit | FrameFault::NotInflated));
        if !is_cut && std::str::from_utf8(payload).is_err() {
            message.note(FrameFault::NotUtf8, message.span);
        }
        if is_whole && let Some(reason) = message.close_reason() {
            if message.payload.len() == 1 {
                message.note(FrameFault::CloseCodeCut, message.span);
            }
            if reason
                .code
                .is_some_and(|code| !CloseReason::is_valid_code(code))
            {
                message.note(FrameFault::CloseCodeInvalid, message.span);
            }
        }
        message
    }

    fn inflate(&mut self, message: &mut Message) {
        // Without the extension, RSV1 has no meaning, and the payload stays as it is.
        let Some(inflater) = &mut self.inflater else {
            message.is_compressed = false;
            return;
        };
        let compressed = std::mem::take(&mut message.payload);
        let limit = self.limits.message.min(self.inflatable);
        let is_over = |found: &FoundFault| found.fault == FrameFault::OverLimit;
        let is_complete = message.is_whole && !message.faults.iter().any(is_over);
        let result = inflater.inflate(&compressed, is_complete, limit, &mut message.payload);
        self.inflatable = self.inflatable.saturating_sub(message.payload.len() as u64);
        match result {
            Err(InflateError::OverLimit) => message.note(FrameFault::OverLimit, message.span),
            Err(InflateError::Broken) if is_complete => {
                message.note(FrameFault::NotInflated, message.span);
            }
            _ => {}
        }
    }
}

//! The rules of RFC 6455 and RFC 7692 that a frame or a message can break.

use crate::span::Span;

/// A broken rule and the bytes that break it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
pub struct FoundFault {
    /// The broken rule.
    pub fault: FrameFault,
    /// The frame head, or the whole message. The bytes are read in spite of the fault.
    pub at: Span,
}

/// A rule that a frame or a message breaks.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameFault {
    /// A reserved bit is set that no extension of the handshake uses.
    ReservedBits,
    /// The opcode has no meaning.
    UnknownOpcode,
    /// A frame of the client has no masking key.
    NotMasked,
    /// A frame of the server has a masking key.
    Masked,
    /// A control frame has more than 125 bytes of payload.
    ControlTooLong,
    /// A control frame is fragmented.
    ControlFragmented,
    /// The length of the payload is written in more bytes than it needs.
    LengthNotMinimal,
    /// The length of the payload is above 2^63 - 1.
    LengthTooLarge,
    /// A continuation frame continues no message.
    NothingToContinue,
    /// A message begins before the last one has ended.
    MessageNotEnded,
    /// The text of a message, or of a close reason, is not UTF-8.
    NotUtf8,
    /// The payload of a close frame is one byte: half a status code.
    CloseCodeCut,
    /// The status code of a close frame is one that no endpoint may send.
    CloseCodeInvalid,
    /// The payload cannot be inflated, or an earlier one could not and this one may refer to it.
    NotInflated,
    /// The message is longer than a limit of `wire`: only its beginning was read.
    OverLimit,
    /// Bytes follow a close frame.
    AfterClose,
}

impl FrameFault {
    /// The broken rule, in words.
    pub fn explain(self) -> &'static str {
        match self {
            Self::ReservedBits => "a reserved bit is set that no negotiated extension uses",
            Self::UnknownOpcode => "the opcode is not one that RFC 6455 defines",
            Self::NotMasked => "a frame of the client has no masking key",
            Self::Masked => "a frame of the server has a masking key",
            Self::ControlTooLong => "a control frame has more than 125 bytes",
            Self::ControlFragmented => "a control frame is fragmented",
            Self::LengthNotMinimal => "the length is written in more bytes than it needs",
            Self::LengthTooLarge => "the length is above 2^63 - 1",
            Self::NothingToContinue => "a continuation frame continues no message",
            Self::MessageNotEnded => "a message begins before the last one has ended",
            Self::NotUtf8 => "the text is not UTF-8",
            Self::CloseCodeCut => "a close frame has one byte, half a status code",
            Self::CloseCodeInvalid => "a close frame has a status code that must not be sent",
            Self::NotInflated => "the compressed payload cannot be inflated",
            Self::OverLimit => "the message is longer than the limit: its end was not read",
            Self::AfterClose => "bytes follow a close frame",
        }
    }

    /// The section that states the rule.
    pub fn clause(self) -> &'static str {
        match self {
            Self::ReservedBits | Self::UnknownOpcode => "RFC 6455, 5.2",
            Self::LengthNotMinimal | Self::LengthTooLarge => "RFC 6455, 5.2",
            Self::NotMasked | Self::Masked => "RFC 6455, 5.1",
            Self::NothingToContinue | Self::MessageNotEnded => "RFC 6455, 5.4",
            Self::ControlTooLong | Self::ControlFragmented => "RFC 6455, 5.5",
            Self::CloseCodeCut | Self::AfterClose => "RFC 6455, 5.5.1",
            Self::CloseCodeInvalid => "RFC 6455, 7.4",
            Self::NotUtf8 => "RFC 6455, 8.1",
            Self::NotInflated => "RFC 7692, 7.2.2",
            Self::OverLimit => "a limit of wire",
        }
    }
}

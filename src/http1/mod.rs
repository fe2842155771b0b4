//! HTTP/1.1 messages and connections (RFC 9112), read by our own scanner: every byte gets one role, nothing is
//! re-spelled, and an oddity is reported instead of refused.
//!
//! This reader is for people who want to see the bytes that were written. So a [`Connection`] never returns
//! an error. It emits [`Event`]s whose
//! spans tile the stream; an [`HttpOddity`] where a rule was bent but the meaning is plain; and when the
//! framing is lost, one [`MessageEnd::FramingLost`] with the offset and the [`HttpFault`], and the rest as
//! [`Event::Unframed`].
//!
//! ```text
//!              +--------+   +------------------+  Length, UntilClose, Tunnel
//!  Blank* ---->| Start  |-->| Field* HeadEnd   |------------------> Data* ----------+
//!              +--------+   +------------------+                                   v
//!                   |            |       | Chunked                                End
//!                   |            |       +--> (ChunkHead Data* ChunkEnd)*          ^
//!                   |            |             ChunkHead Trailer* TrailerEnd ------+
//!                   +------------+----- unreadable ----> End(Lost) Unframed*
//! ```
//!
//! Guarantees, held by property tests and fuzzing:
//!
//! - any split of the input, empty slices included, gives the same events, once neighbouring `Data` (and
//!   neighbouring `Unframed`) are joined;
//! - the spans of the events tile what was fed: re-emitting them gives the input;
//! - a decoder owns no buffer and looks at no byte twice for the same purpose: the bytes before
//!   its `at` may be dropped; [`Connection`] holds the others.

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )
)]

mod chunked;
mod connection;
mod decoder;
mod encode;
mod framing;
mod head;
mod message;
mod oddity;
mod scan;

pub use connection::{Connection, ConnectionEvent, MAX_WAITING};
pub use decoder::HttpLimits;

pub use encode::{FieldEdit, FieldEditError, RequestHead};
pub use framing::{BodyFraming, RequestMethod};
pub use head::{HeadField, StartLine};
pub use message::{BodyRetention, FieldSection, HttpMessage, MAX_ODDITIES};
pub use oddity::{HttpFault, HttpOddity, OddityKind};

#[doc(hidden)]
pub use connection::fuzz_connection;
#[doc(hidden)]
pub use decoder::fuzz;

use crate::span::Span;

/// An event of the HTTP decoder: bytes with one role, or a change in the state of the message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event {
    /// An empty line before the start line (RFC 9112, 2.2).
    Blank(Span),
    /// The request line or status line, line end included.
    Start(StartLine),
    /// A field line of the head, folded lines and line end included.
    Field(HeadField),
    /// The empty line that ends the head, and what follows it.
    HeadEnd(Span, BodyFraming),
    /// A chunk-size line.
    ChunkHead {
        /// The whole line.
        line: Span,
        /// How many bytes of data it announces.
        size: u64,
        /// The bytes after the size: extensions from their `;` on.
        extensions: Span,
    },
    /// Body bytes.
    Data(Span),
    /// The line end after the data of a chunk.
    ChunkEnd(Span),
    /// A field line after the last chunk.
    Trailer(HeadField),
    /// The empty line that ends a chunked message.
    TrailerEnd(Span),
    /// Something strange, but readable. Covers no byte of its own.
    Odd(HttpOddity),
    /// The message is over. Covers no byte.
    End(MessageEnd),
    /// Bytes that belong to no message: after the framing was lost, or a line that was cut.
    Unframed(Span),
}

impl Event {
    /// The role and the span of the event's bytes; `None` for events without bytes.
    pub fn role_and_span(&self) -> Option<(ByteRole, Span)> {
        Some(match *self {
            Self::Blank(span) => (ByteRole::Blank, span),
            Self::Start(start) => (ByteRole::StartLine, start.line()),
            Self::Field(field) => (ByteRole::Field, field.line),
            Self::HeadEnd(span, _) => (ByteRole::HeadEnd, span),
            Self::ChunkHead { line, .. } => (ByteRole::ChunkHead, line),
            Self::Data(span) => (ByteRole::Data, span),
            Self::ChunkEnd(span) => (ByteRole::ChunkEnd, span),
            Self::Trailer(field) => (ByteRole::Trailer, field.line),
            Self::TrailerEnd(span) => (ByteRole::TrailerEnd, span),
            Self::Unframed(span) => (ByteRole::Unframed, span),
            Self::Odd(_) | Self::End(_) => return None,
        })
    }
}

/// The role of a byte in an HTTP message: start line, field, chunk head, data, trailer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ByteRole {
    /// An empty line before the start line.
    Blank,
    /// The request line or status line.
    StartLine,
    /// A field line.
    Field,
    /// The empty line after the head.
    HeadEnd,
    /// A chunk-size line.
    ChunkHead,
    /// The body itself.
    Data,
    /// The line end after a chunk's data.
    ChunkEnd,
    /// A field line after the last chunk.
    Trailer,
    /// The empty line after the trailers.
    TrailerEnd,
    /// The head of a WebSocket frame, masking key included.
    FrameHead,
    /// The payload of a WebSocket frame.
    FramePayload,
    /// No part of any message.
    Unframed,
}

impl ByteRole {
    /// The name of the role, short enough for a narrow column.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blank => "blank line",
            Self::StartLine => "start line",
            Self::Field => "field",
            Self::HeadEnd => "head end",
            Self::ChunkHead => "chunk head",
            Self::Data => "data",
            Self::ChunkEnd => "chunk end",
            Self::Trailer => "trailer",
            Self::TrailerEnd => "trailer end",
            Self::FrameHead => "frame head",
            Self::FramePayload => "payload",
            Self::Unframed => "unframed",
        }
    }
}

/// How a message ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MessageEnd {
    /// By its own framing: whole.
    Complete,
    /// With the connection, as its framing has it (RFC 9112, 6.3, clause 8).
    Closed,
    /// The stream ended inside it.
    Truncated {
        /// Which part was being read.
        within: MessagePart,
        /// How many bytes of data the framing still promised, where it says.
        missing: Option<u64>,
    },
    /// It could not be read on.
    FramingLost {
        /// Offset of the first byte that has no place in a message.
        at: u64,
        /// Why.
        fault: HttpFault,
    },
}

impl MessageEnd {
    /// Whether the message is whole as far as its own framing can tell.
    pub fn is_whole(self) -> bool {
        matches!(self, Self::Complete | Self::Closed)
    }
}

/// A part of an HTTP message, in which a stream can end.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessagePart {
    /// Before or inside the request line or status line.
    StartLine,
    /// The field lines.
    Head,
    /// Data counted by Content-Length.
    Body,
    /// A chunk-size line.
    ChunkHead,
    /// The data of a chunk.
    ChunkData,
    /// The line end after a chunk.
    ChunkEnd,
    /// The trailer fields.
    Trailers,
    /// A frame of a WebSocket, after the HTTP messages.
    Frame,
}

impl std::fmt::Display for MessagePart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::StartLine => "the start line",
            Self::Head => "the head",
            Self::Body => "the body",
            Self::ChunkHead => "a chunk-size line",
            Self::ChunkData => "a chunk",
            Self::ChunkEnd => "the line end after a chunk",
            Self::Trailers => "the trailers",
            Self::Frame => "a WebSocket frame",
        })
    }
}

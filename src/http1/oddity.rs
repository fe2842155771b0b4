//! What can be wrong with a message: an oddity, after which reading goes on, or a fault, which ends the
//! reading. Each has the clause of RFC 9112 (or 9110) that it breaks.

use crate::span::Span;

/// A place where a message breaks a rule and can still be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HttpOddity {
    /// The kind.
    pub kind: OddityKind,
    /// The odd bytes.
    pub at: Span,
}

impl HttpOddity {
    pub(crate) fn new(kind: OddityKind, at: Span) -> Self {
        Self { kind, at }
    }
}

/// The rule that a message breaks although it can still be read; each kind is a finding.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OddityKind {
    /// An empty line before the start line.
    LeadingBlank,
    /// A line ended with LF alone.
    BareLf,
    /// A CR that is not followed by LF.
    BareCr,
    /// More or other white space in the start line than one space.
    StartLineSpacing,
    /// A status line that ends after the code, without the space.
    NoReason,
    /// A version other than 1.0 and 1.1.
    Version,
    /// A status code below 100 or above 599.
    StatusRange,
    /// A field continued on the next line.
    Folded,
    /// White space between a field's name and its colon.
    SpaceBeforeColon,
    /// A field without a name.
    EmptyName,
    /// A field name with characters that names cannot have.
    BadName,
    /// A control character in a field value.
    ControlInValue,
    /// Several Content-Length values, all equal.
    RepeatedLength,
    /// Content-Length beside Transfer-Encoding.
    LengthAndCoding,
    /// A Content-Length that is not one number, where the framing does not need it.
    LengthIgnored,
    /// A Transfer-Encoding whose last coding is not `chunked`.
    CodingNotChunked,
    /// Transfer-Encoding in an HTTP/1.0 message.
    CodingInHttp10,
    /// A transfer coding other than `chunked`, `gzip`, `deflate`, `compress`.
    UnknownCoding,
    /// Content-Length or Transfer-Encoding where no body can be.
    FramingWithoutBody,
    /// White space after a chunk size.
    ChunkSizeSpace,
    /// A chunk extension that its grammar does not allow.
    BadChunkExtension,
    /// Bytes after the end of the message.
    AfterEnd,
    /// `httparse`, a strict and widely used parser, refuses this head.
    StrictRefuses,
}

impl OddityKind {
    /// The clause of the RFC that is broken.
    pub fn clause(self) -> &'static str {
        match self {
            Self::LeadingBlank | Self::BareLf | Self::BareCr | Self::StrictRefuses => {
                "RFC 9112, 2.2"
            }
            Self::Version => "RFC 9112, 2.3",
            Self::StartLineSpacing | Self::NoReason => "RFC 9112, 4",
            Self::StatusRange => "RFC 9110, 15",
            Self::Folded => "RFC 9112, 5.2",
            Self::SpaceBeforeColon => "RFC 9112, 5.1",
            Self::EmptyName | Self::BadName => "RFC 9110, 5.1",
            Self::ControlInValue => "RFC 9110, 5.5",
            Self::RepeatedLength | Self::LengthIgnored => "RFC 9112, 6.3, clause 5",
            Self::LengthAndCoding => "RFC 9112, 6.3, clause 3",
            Self::CodingNotChunked => "RFC 9112, 6.3, clause 4",
            Self::CodingInHttp10 => "RFC 9112, 6.1",
            Self::UnknownCoding => "RFC 9112, 7",
            Self::FramingWithoutBody => "RFC 9112, 6.3, clause 1",
            Self::ChunkSizeSpace | Self::BadChunkExtension => "RFC 9112, 7.1.1",
            Self::AfterEnd => "RFC 9112, 9.2",
        }
    }

    /// A description in a few words.
    pub fn explain(self) -> &'static str {
        match self {
            Self::LeadingBlank => "an empty line before the start line",
            Self::BareLf => "a line ends with LF alone, not CR LF",
            Self::BareCr => "a CR stands alone inside a line; some readers end the line there",
            Self::StartLineSpacing => "odd white space in the start line",
            Self::NoReason => "the status line lacks the space before its (empty) reason phrase",
            Self::Version => "a version other than HTTP/1.0 and HTTP/1.1",
            Self::StatusRange => "a status code outside 100 to 599",
            Self::Folded => "a field is folded over several lines",
            Self::SpaceBeforeColon => "white space between a field name and its colon",
            Self::EmptyName => "a field without a name",
            Self::BadName => "a field name with characters that names cannot have",
            Self::ControlInValue => "a control character in a field value",
            Self::RepeatedLength => "Content-Length is given several times, with one value",
            Self::LengthAndCoding => "Content-Length beside Transfer-Encoding, which wins",
            Self::LengthIgnored => "an unreadable Content-Length, which nothing depends on",
            Self::CodingNotChunked => "the last transfer coding is not chunked: read until the end",
            Self::CodingInHttp10 => "Transfer-Encoding in an HTTP/1.0 message",
            Self::UnknownCoding => "a transfer coding that is not registered",
            Self::FramingWithoutBody => "framing fields where no body can follow",
            Self::ChunkSizeSpace => "white space after a chunk size",
            Self::BadChunkExtension => "a chunk extension that the grammar does not allow",
            Self::AfterEnd => "bytes after the end of the message",
            Self::StrictRefuses => "a strict parser (httparse) refuses this head",
        }
    }
}

/// The reason why the rest of a message cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpFault {
    /// The stream does not begin with `HTTP/`.
    NotHttp,
    /// The start line cannot be read.
    BadStartLine,
    /// A version that is not HTTP/1.
    BadVersion,
    /// White space before the first field line: is it part of the start line, or a field?
    LeadingSpace,
    /// A field line without a colon.
    NoColon,
    /// A NUL in the head.
    Nul,
    /// The head is longer than the limit.
    HeadTooLong,
    /// The interim responses before a head are longer than the limit of a head.
    InterimTooLong,
    /// The trailers are longer than the limit of a head.
    TrailersTooLong,
    /// Two Content-Length values that differ.
    LengthConflict,
    /// A Content-Length that is not a number.
    BadLength,
    /// A request whose transfer coding does not end with `chunked`.
    RequestCoding,
    /// A chunk-size line that cannot be read.
    BadChunkSize,
    /// A chunk size beyond 64 bits.
    ChunkSizeOverflow,
    /// A chunk-size line longer than the limit.
    ChunkHeadTooLong,
    /// Chunk-size lines that are far longer than the data of their chunks.
    ChunkOverhead,
    /// No line end after the data of a chunk.
    BadChunkEnd,
}

impl HttpFault {
    /// The clause of the RFC that is broken.
    pub fn clause(self) -> &'static str {
        match self {
            Self::NotHttp | Self::BadVersion => "RFC 9112, 2.3",
            Self::BadStartLine => "RFC 9112, 3 and 4",
            Self::LeadingSpace => "RFC 9112, 2.2",
            Self::NoColon => "RFC 9112, 5",
            Self::Nul => "RFC 9110, 5.5",
            Self::HeadTooLong => "RFC 9112, 3 (limits are ours)",
            Self::InterimTooLong => "RFC 9110, 15.2 (limits are ours)",
            Self::TrailersTooLong => "RFC 9112, 7.1.2 (limits are ours)",
            Self::LengthConflict | Self::BadLength => "RFC 9112, 6.3, clause 5",
            Self::RequestCoding => "RFC 9112, 6.3, clause 4",
            Self::BadChunkSize | Self::ChunkSizeOverflow | Self::BadChunkEnd => "RFC 9112, 7.1",
            Self::ChunkHeadTooLong | Self::ChunkOverhead => "RFC 9112, 7.1.1 (limits are ours)",
        }
    }

    /// A description in a few words.
    pub fn explain(self) -> &'static str {
        match self {
            Self::NotHttp => "this is not HTTP/1: it does not begin with `HTTP/`",
            Self::BadStartLine => "the start line cannot be read",
            Self::BadVersion => "this is not HTTP version 1",
            Self::LeadingSpace => "the first field line begins with white space",
            Self::NoColon => "a field line has no colon",
            Self::Nul => "a NUL byte in the head",
            Self::HeadTooLong => "the head is longer than the limit",
            Self::InterimTooLong => {
                "the interim responses (1xx) are longer than the limit of a head"
            }
            Self::TrailersTooLong => "the trailers are longer than the limit of a head",
            Self::LengthConflict => "several Content-Length values disagree",
            Self::BadLength => "Content-Length is not a number",
            Self::RequestCoding => "the last transfer coding of a request must be chunked",
            Self::BadChunkSize => "this is not a chunk size",
            Self::ChunkSizeOverflow => "the chunk size does not fit into 64 bits",
            Self::ChunkHeadTooLong => "the chunk-size line is longer than the limit",
            Self::ChunkOverhead => {
                "the chunk-size lines are far longer than the data of their chunks"
            }
            Self::BadChunkEnd => "no line end after the data of a chunk",
        }
    }
}

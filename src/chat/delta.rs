//! Deltas: the pieces of an answer as they arrive, for live views and timing.

use std::borrow::Cow;

use serde::Serialize;

use crate::span::{Moment, Span};

/// One piece of an answer, reported when the event that holds it is complete.
#[derive(Clone, Debug, Serialize)]
pub struct AnswerDelta<'a> {
    /// Index of the choice that it belongs to.
    pub choice: u32,
    /// Kind of the piece.
    pub kind: DeltaKind,
    /// Its text, escapes undone: words, a piece of arguments, a finish reason, an error's message.
    pub text: Cow<'a, str>,
    /// The value in the decoded body, quotes included; the whole event where it has no place of its own.
    pub span: Span,
    /// Span of the whole event that holds it.
    pub whole: Span,
    /// Number of the event, from zero; comments and end marks count too.
    pub event: u64,
    /// Arrival time of the first byte of its event.
    pub begun: Moment,
    /// Arrival time of the last byte that was needed to read it.
    pub moment: Moment,
}

/// Kinds of deltas.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeltaKind {
    /// Role of the speaker.
    Role,
    /// Text of the answer.
    Text,
    /// Reasoning.
    Reasoning,
    /// Begin of a tool call, with the name of the tool.
    ToolName {
        /// Index of the tool call, as the provider counts.
        index: u64,
    },
    /// Arguments of a tool call.
    ToolCall {
        /// Index of the tool call, as the provider counts.
        index: u64,
    },
    /// A refusal.
    Refusal,
    /// Audio, as its size: the text says how many characters of base64.
    Audio,
    /// An image, as its size: the text says how many characters of base64 or of its address.
    Image,
    /// A citation.
    Citation,
    /// A finish reason.
    Finish,
    /// Token counts.
    Usage,
    /// An error.
    Error,
    /// An event that only keeps the connection alive.
    Ping,
    /// A comment in the stream.
    Comment,
    /// The end mark.
    Done,
    /// The beginning of an event in which the body ended.
    Cut,
    /// An event without a piece of the answer.
    Other,
}

impl DeltaKind {
    /// Whether the model generated it, so that it counts for the time to first token.
    pub fn is_token(self) -> bool {
        matches!(
            self,
            Self::Text
                | Self::Reasoning
                | Self::ToolName { .. }
                | Self::ToolCall { .. }
                | Self::Refusal
                | Self::Audio
                | Self::Image
        )
    }
}

/// An [`AnswerDelta`] without its text, small enough to be kept for every piece.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct DeltaStamp {
    /// Index of the choice that it belongs to.
    pub choice: u32,
    /// Kind of the piece.
    pub kind: DeltaKind,
    /// Length of its text in bytes, escapes undone.
    pub bytes: u64,
    /// Span in the decoded body.
    pub span: Span,
    /// Number of the event.
    pub event: u64,
    /// Arrival time of the first byte of its event.
    pub begun: Moment,
    /// Time at which its event was complete.
    pub moment: Moment,
}

impl AnswerDelta<'_> {
    /// The delta without its text.
    pub fn to_stamp(&self) -> DeltaStamp {
        DeltaStamp {
            choice: self.choice,
            kind: self.kind,
            bytes: self.text.len() as u64,
            span: self.span,
            event: self.event,
            begun: self.begun,
            moment: self.moment,
        }
    }
}

/// A receiver of deltas.
pub trait DeltaSink {
    /// Receives one delta. Its text is borrowed: copy what is needed later.
    fn delta(&mut self, delta: &AnswerDelta<'_>);
}

impl DeltaSink for () {
    fn delta(&mut self, _: &AnswerDelta<'_>) {}
}

/// Two receivers of the same deltas.
impl<A: DeltaSink> DeltaSink for (A, &mut dyn DeltaSink) {
    fn delta(&mut self, delta: &AnswerDelta<'_>) {
        self.0.delta(delta);
        self.1.delta(delta);
    }
}

impl<F: FnMut(&AnswerDelta<'_>)> DeltaSink for F {
    fn delta(&mut self, delta: &AnswerDelta<'_>) {
        self(delta);
    }
}

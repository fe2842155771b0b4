//! The pieces of an answer as they come: what a live view prints, and what a timing is made of.

use std::borrow::Cow;

use serde::Serialize;

use crate::span::{Moment, Span};

/// One piece of an answer, told when the event that holds it is whole.
#[derive(Clone, Debug, Serialize)]
pub struct AnswerDelta<'a> {
    /// Which choice it belongs to.
    pub choice: u32,
    /// What it is.
    pub kind: DeltaKind,
    /// Its text, escapes undone: words, a piece of arguments, a finish reason, an error's message.
    pub text: Cow<'a, str>,
    /// The value in the decoded body, quotes included; the whole event where it has no place of its own.
    pub span: Span,
    /// All of the event that holds it.
    pub whole: Span,
    /// Which event, counted from zero over comments and end marks too.
    pub event: u64,
    /// When the first byte of its event came.
    pub begun: Moment,
    /// When the last byte needed to know it came.
    pub moment: Moment,
}

/// What a piece is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeltaKind {
    /// Who speaks.
    Role,
    /// The answer.
    Text,
    /// What the model thinks.
    Reasoning,
    /// A tool call begins: its name.
    ToolName {
        /// Its number as the provider counts.
        index: u64,
    },
    /// Arguments of a tool call.
    ToolCall {
        /// Its number as the provider counts.
        index: u64,
    },
    /// A refusal.
    Refusal,
    /// Audio, as its size: the text says how many characters of base64.
    Audio,
    /// Something referred to.
    Citation,
    /// Why it stopped.
    Finish,
    /// Token counts.
    Usage,
    /// Something went wrong.
    Error,
    /// An event that is only a sign of life.
    Ping,
    /// A comment in the stream.
    Comment,
    /// The end mark.
    Done,
    /// What was there of an event when the body ended.
    Cut,
    /// An event without a piece of the answer.
    Other,
}

impl DeltaKind {
    /// Whether a model made it: what time to first token means.
    pub fn is_token(self) -> bool {
        matches!(
            self,
            Self::Text
                | Self::Reasoning
                | Self::ToolName { .. }
                | Self::ToolCall { .. }
                | Self::Refusal
                | Self::Audio
        )
    }
}

/// A [`AnswerDelta`] without its text, to be kept for each of many.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct DeltaStamp {
    /// Which choice it belongs to.
    pub choice: u32,
    /// What it is.
    pub kind: DeltaKind,
    /// Bytes of its text, escapes undone.
    pub bytes: u64,
    /// Where in the decoded body.
    pub span: Span,
    /// Which event.
    pub event: u64,
    /// When the first byte of its event came.
    pub begun: Moment,
    /// When its event was whole.
    pub moment: Moment,
}

impl AnswerDelta<'_> {
    /// What is kept of it.
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

/// Whoever wants the pieces as they come.
pub trait DeltaSink {
    /// One piece. Text is borrowed: keep what is needed.
    fn delta(&mut self, delta: &AnswerDelta<'_>);
}

impl DeltaSink for () {
    fn delta(&mut self, _: &AnswerDelta<'_>) {}
}

/// Two that hear the same.
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

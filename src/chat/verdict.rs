//! The verdict on an answer: how it ended; and how its body ended. `judgement` finds the verdict.

use serde::Serialize;

use crate::exchange::{Exchange, ExchangeOutcome};
use crate::http1::MessagePart;
use crate::span::Span;

/// How the body ended on the transport level.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BodyEnding {
    /// At the end of its framing, or with a clean close if the close is the framing.
    Whole,
    /// The connection ended before the body did.
    Cut {
        /// Part of the message that was cut.
        within: Option<MessagePart>,
    },
    /// A content coding (gzip) broke off or was broken.
    CodingBroken,
    /// We stopped: the user, or a time limit.
    Cancelled,
}

impl BodyEnding {
    /// The end of the response of `exchange`.
    pub fn from_exchange(exchange: &Exchange) -> Self {
        match exchange.outcome() {
            ExchangeOutcome::Whole => Self::Whole,
            ExchangeOutcome::TimedOut { .. } | ExchangeOutcome::Interrupted => Self::Cancelled,
            ExchangeOutcome::Cut { within, .. } => Self::Cut { within },
            // A tape that was never closed may still hold a whole response; if not, it is cut.
            _ => match exchange.response.end {
                Some(crate::http1::MessageEnd::Truncated { within, .. }) => Self::Cut {
                    within: Some(within),
                },
                _ => Self::Cut { within: None },
            },
        }
    }
}

/// Verdict on how an answer ended.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum AnswerVerdict {
    /// Not yet ended.
    #[default]
    Running,
    /// The whole answer arrived, and the model was done.
    Complete,
    /// A finish reason came, but the end mark of the dialect is missing.
    NoDone,
    /// The end mark came, but a finish reason is missing.
    DoneWithoutFinish,
    /// The body ended properly, but with neither finish reason nor end mark.
    NoFinish,
    /// The body ended properly, inside an event; empty: before the end of an array of events.
    CutInEvent {
        /// Span of the cut part in the decoded body.
        at: Span,
    },
    /// The body of a plain answer ended properly, inside its JSON.
    CutInJson {
        /// Span of the cut part in the decoded body.
        at: Span,
    },
    /// The connection ended inside a chunk.
    CutInChunk,
    /// The connection ended before the body did, or its framing or its content coding was lost.
    CutOff {
        /// Whether the end mark had arrived, so that only framing is missing.
        done: bool,
    },
    /// The provider reported an error inside a stream that began without one.
    ErrorEvent,
    /// The answer is an error.
    ErrorAnswer,
    /// The model refused.
    Refused,
    /// A content filter stopped the answer or blocked the prompt.
    Filtered,
    /// A token limit stopped the answer.
    LengthLimit,
    /// The model paused its turn and goes on when asked (`pause_turn`).
    Paused,
    /// The answer was cancelled, by us or at the provider.
    Cancelled,
    /// The body cannot be read in the format that it should have.
    Unreadable,
    /// The body is not the answer of a model in a known dialect.
    NotChat,
}

impl AnswerVerdict {
    /// Whether the whole answer arrived, good or bad.
    pub fn is_whole(self) -> bool {
        matches!(
            self,
            Self::Complete
                | Self::NoDone
                | Self::Refused
                | Self::Filtered
                | Self::LengthLimit
                | Self::Paused
                | Self::ErrorAnswer
        )
    }
}

impl std::fmt::Display for AnswerVerdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Running => "not yet ended",
            Self::Complete => "complete",
            Self::NoDone => "finished, but its end mark is missing: suspicious, yet complete",
            Self::DoneWithoutFinish => {
                "ended without a finish reason: an error upstream may have been swallowed"
            }
            Self::NoFinish => {
                "broken off: the body ended properly, but nothing says that the answer did"
            }
            Self::CutInEvent { at } if at.is_empty() => {
                return write!(
                    f,
                    "broken off: the array of events is not closed (byte {} of the body)",
                    at.start
                );
            }
            Self::CutInEvent { at } => {
                return write!(f, "broken off inside an event (bytes {at} of the body)");
            }
            Self::CutInJson { at } => {
                return write!(f, "broken off inside its JSON (bytes {at} of the body)");
            }
            Self::CutInChunk => "cut: the connection ended inside a chunk",
            Self::CutOff { done: true } => {
                "cut after its end mark: the answer is there, its framing is not"
            }
            Self::CutOff { done: false } => "cut: the body broke off before its end",
            Self::ErrorEvent => "failed: an error came inside the answer",
            Self::ErrorAnswer => "an error was answered",
            Self::Refused => "refused by the model",
            Self::Filtered => "stopped by a content filter",
            Self::LengthLimit => "stopped by a token limit",
            Self::Paused => "paused: it goes on when asked",
            Self::Cancelled => "cancelled",
            Self::Unreadable => "the body cannot be read",
            Self::NotChat => "not known to be the answer of a model",
        })
    }
}

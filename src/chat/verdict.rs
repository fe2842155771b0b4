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
            ExchangeOutcome::TimedOut { .. }
            | ExchangeOutcome::Interrupted
            | ExchangeOutcome::Stopped => Self::Cancelled,
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
    /// A piece of the answer may be missing: an event could not be read.
    Damaged,
    /// The provider reported an error inside a stream that began without one.
    ErrorEvent,
    /// The provider reported an error after the finish reason and the end mark.
    ErrorAfterFinish,
    /// The answer is an error, and so is its status.
    ErrorAnswer,
    /// The answer is an error although its status reports success.
    ErrorInBody,
    /// The finish reason reports a failure.
    Failed,
    /// The answer ended as planned, with no text, tool call or refusal in it.
    Empty,
    /// The answer ended as planned and is empty, as the request asked for (`generate: false`).
    WarmUp,
    /// The finish reason says that tool calls wait, and there is none.
    CallsMissing,
    /// As many tokens came as the request allows, though the finish reason does not name a limit.
    LimitReached,
    /// The finish reason is not known, or says that it is none of the known ones.
    UnknownEnd,
    /// The answer is complete, but some of its bytes are not UTF-8.
    InvalidBytes,
    /// More than one answer came in one stream.
    SeveralAnswers,
    /// The server sends the client to another address.
    Redirected,
    /// The connection goes on in another protocol (status 101).
    SwitchedProtocols,
    /// There is no body, where none can be or although no stream was asked for.
    NoBody,
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
        !self.is_broken_off()
            && !matches!(
                self,
                Self::Running | Self::NotChat | Self::Unreadable | Self::Cancelled | Self::NoBody
            )
    }

    /// Whether the answer broke off, failed or cannot be read, although its HTTP message may be whole: exit code 4.
    pub fn is_broken_off(self) -> bool {
        matches!(
            self,
            Self::DoneWithoutFinish
                | Self::NoFinish
                | Self::CutInEvent { .. }
                | Self::CutInJson { .. }
                | Self::CutInChunk
                | Self::CutOff { .. }
                | Self::Damaged
                | Self::ErrorEvent
                | Self::ErrorInBody
                | Self::Failed
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
            Self::Damaged => {
                "damaged: an event cannot be read, a piece of the answer may be missing"
            }
            Self::ErrorEvent => "failed: an error came inside the answer",
            Self::ErrorAfterFinish => "finished, but an error came after the end",
            Self::ErrorAnswer => "an error was answered",
            Self::ErrorInBody => "failed: the status reports success, the body is an error",
            Self::Failed => "failed: the finish reason says so",
            Self::Empty => "empty: the answer ended with no text, no tool call and no refusal",
            Self::WarmUp => "complete: a warm-up, for which no answer was asked (generate: false)",
            Self::CallsMissing => {
                "incomplete: the finish reason says that tool calls wait, and there is none"
            }
            Self::LimitReached => {
                "stopped by a token limit, by the count: the finish reason does not say so"
            }
            Self::UnknownEnd => "ended for an unknown reason",
            Self::InvalidBytes => "complete, save for bytes that are not UTF-8",
            Self::SeveralAnswers => "more than one answer came in one stream",
            Self::Redirected => "no answer: the server sends the client to another address",
            Self::SwitchedProtocols => "no answer: the connection goes on in another protocol",
            Self::NoBody => "no answer: there is no body",
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

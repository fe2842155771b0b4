//! The verdict: how an answer ended, from the transport, the stream's end marks and the finish reasons.

use serde::Serialize;

use super::completion::{AnswerNote, AnswerNoteKind, BodyMediaType, Completion};
use super::finish::FinishKind;
use super::profile::EndSignal;
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
    /// Whether everything that the provider meant to send arrived.
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

/// What the reader saw at the end of the body besides the answer itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct EndEvidence {
    pub(super) body_ending: BodyEnding,
    /// The event, or the plain JSON, that the body ended in.
    pub(super) cut_span: Option<Span>,
    /// Whether any event of a stream showed the dialect.
    pub(super) dialect_confirmed: bool,
    pub(super) end_signal: Option<EndSignal>,
}

/// Judges the evidence. The cause comes first: an error that the provider reported before the cut that
/// followed it, the cut before what came until then.
pub(super) fn judge_answer(completion: &Completion, evidence: EndEvidence) -> AnswerVerdict {
    let kinds = || {
        let finishes = completion.choices.iter().map(|choice| &choice.finish);
        finishes.flatten().map(|finish| finish.kind)
    };
    let any = |kind| kinds().any(|own| own == kind);
    let failed = completion.status.is_some_and(|status| status >= 400);
    if !failed && completion.errors.iter().any(|error| error.in_stream) {
        return AnswerVerdict::ErrorEvent;
    }
    if let Some(cut) = transport_verdict(completion, evidence) {
        return cut;
    }
    if failed || !completion.errors.is_empty() {
        return AnswerVerdict::ErrorAnswer;
    }
    let is_plain = completion.media == BodyMediaType::Json;
    if let Some(at) = evidence.cut_span.filter(|_| !completion.done) {
        return match is_plain {
            true => AnswerVerdict::CutInJson { at },
            false => AnswerVerdict::CutInEvent { at },
        };
    }
    let Some(ends) = evidence.end_signal else {
        return AnswerVerdict::NotChat;
    };
    if is_unreadable(completion) {
        return AnswerVerdict::Unreadable;
    }
    if lacks_answer(completion, evidence.dialect_confirmed) {
        return AnswerVerdict::NotChat;
    }
    for (kind, verdict) in FINISH_VERDICTS {
        if any(*kind) {
            return *verdict;
        }
    }
    let finished = kinds().count();
    match (finished > 0 && finished >= completion.choices.len(), ends) {
        // A plain answer ends with its JSON; only Chat Completions never lack a reason.
        (false, EndSignal::DoneMark) if is_plain && !completion.choices.is_empty() => {
            AnswerVerdict::DoneWithoutFinish
        }
        (_, EndSignal::BodyEnd) => AnswerVerdict::Complete,
        _ if is_plain => AnswerVerdict::Complete,
        (true, EndSignal::AllFinished) => AnswerVerdict::Complete,
        (true, EndSignal::DoneMark | EndSignal::LastEvent) if completion.done => {
            AnswerVerdict::Complete
        }
        (true, EndSignal::DoneMark | EndSignal::LastEvent) => AnswerVerdict::NoDone,
        (false, _) if completion.done => AnswerVerdict::DoneWithoutFinish,
        (false, _) => AnswerVerdict::NoFinish,
    }
}

/// Whether the body is neither events nor JSON, though it should be.
fn is_unreadable(completion: &Completion) -> bool {
    let failed = |note: &AnswerNote| {
        matches!(
            note.kind,
            AnswerNoteKind::NotJson | AnswerNoteKind::TooLarge
        )
    };
    match completion.media {
        BodyMediaType::Html | BodyMediaType::Text | BodyMediaType::Binary => true,
        BodyMediaType::Json => completion.notes.iter().any(failed),
        BodyMediaType::Empty
        | BodyMediaType::Sse
        | BodyMediaType::Ndjson
        | BodyMediaType::JsonArray => false,
    }
}

/// Whether a body has nothing of an answer, though its dialect is known. A stream without events may have lost
/// them.
fn lacks_answer(completion: &Completion, shown: bool) -> bool {
    let comes_as_events = completion.is_streamed() || completion.media == BodyMediaType::Empty;
    completion.choices.is_empty()
        && completion.usage.is_none()
        && completion.served_model.is_none()
        && !(comes_as_events && (shown || completion.events == 0))
}

fn transport_verdict(completion: &Completion, evidence: EndEvidence) -> Option<AnswerVerdict> {
    let done = completion.done;
    match evidence.body_ending {
        BodyEnding::Whole => None,
        BodyEnding::Cancelled => Some(AnswerVerdict::Cancelled),
        BodyEnding::Cut {
            within: Some(MessagePart::ChunkData),
        } if !done => Some(AnswerVerdict::CutInChunk),
        BodyEnding::Cut { .. } | BodyEnding::CodingBroken => Some(AnswerVerdict::CutOff { done }),
    }
}

/// Kinds of finish reasons that decide the verdict, the most important first.
const FINISH_VERDICTS: &[(FinishKind, AnswerVerdict)] = &[
    (FinishKind::Error, AnswerVerdict::ErrorEvent),
    (FinishKind::Cancelled, AnswerVerdict::Cancelled),
    (FinishKind::Refusal, AnswerVerdict::Refused),
    (FinishKind::ContentFilter, AnswerVerdict::Filtered),
    (FinishKind::Length, AnswerVerdict::LengthLimit),
    (FinishKind::Paused, AnswerVerdict::Paused),
];

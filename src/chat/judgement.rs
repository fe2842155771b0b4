//! Finds the verdict on an answer from the transport, the stream's end marks and the finish reasons.

use super::completion::{AnswerNote, AnswerNoteKind, BodyMediaType, Completion};
use super::finish::FinishKind;
use super::profile::EndSignal;
use super::verdict::{AnswerVerdict, BodyEnding};
use crate::http1::MessagePart;
use crate::span::Span;

/// Facts about the end of the body that the verdict depends on.
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

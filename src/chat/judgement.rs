//! Finds the verdict on an answer from the transport, the stream's end marks and the finish reasons.

use super::completion::{AnswerChoice, BodyMediaType, Completion};
use super::finish::FinishKind;
use super::note::rule;
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
    /// Whether a message with this status, or for this method, has no body.
    pub(super) has_no_body: bool,
    /// Number of answers that began after the end of the first, in the same stream.
    pub(super) later_answers: u64,
    /// Whether a part of the stream was not read.
    pub(super) has_gap: bool,
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
        // Some report a limit as an error after they have said why they finished.
        let is_over = evidence.body_ending == BodyEnding::Whole && completion.done;
        return match is_over && is_finished(completion) {
            true => AnswerVerdict::ErrorAfterFinish,
            false => AnswerVerdict::ErrorEvent,
        };
    }
    if let Some(cut) = transport_verdict(completion, evidence) {
        return cut;
    }
    match completion.status {
        _ if failed => return AnswerVerdict::ErrorAnswer,
        Some(300..=399) => return AnswerVerdict::Redirected,
        // Without a dialect nothing says that the body should be an answer.
        _ if !completion.errors.is_empty() => {
            return match evidence.end_signal {
                Some(_) => AnswerVerdict::ErrorInBody,
                None => AnswerVerdict::ErrorAnswer,
            };
        }
        Some(101) => return AnswerVerdict::SwitchedProtocols,
        _ if evidence.has_no_body => return AnswerVerdict::NoBody,
        _ => {}
    }
    let is_plain = completion.media == BodyMediaType::Json;
    let Some(ends) = evidence.end_signal else {
        return AnswerVerdict::NotChat;
    };
    if let Some(at) = evidence.cut_span.filter(|_| !completion.done) {
        return match is_plain {
            true => AnswerVerdict::CutInJson { at },
            false => AnswerVerdict::CutInEvent { at },
        };
    }
    if completion.media == BodyMediaType::Empty && completion.asked.stream != Some(true) {
        return AnswerVerdict::NoBody;
    }
    let is_file = completion.dialect.is_some_and(|dialect| dialect.is_file);
    if is_file && completion.damaged_events == 0 {
        return AnswerVerdict::Complete;
    }
    if is_unreadable(completion) {
        return AnswerVerdict::Unreadable;
    }
    if lacks_answer(completion, evidence.dialect_confirmed) {
        return AnswerVerdict::NotChat;
    }
    if completion.damaged_events > 0 {
        return AnswerVerdict::Damaged;
    }
    for (kind, verdict) in FINISH_VERDICTS {
        if any(*kind) {
            return *verdict;
        }
    }
    let finished = is_finished(completion);
    let verdict = judge_end(completion, ends, finished, is_plain);
    match verdict {
        AnswerVerdict::Complete | AnswerVerdict::NoDone => {
            judge_content(completion, evidence, ends).unwrap_or(verdict)
        }
        verdict => verdict,
    }
}

/// Whether every choice has a finish reason that is no error.
fn is_finished(completion: &Completion) -> bool {
    let stopped = |choice: &AnswerChoice| {
        let finish = choice.finish.as_ref();
        finish.is_some_and(|finish| finish.kind != FinishKind::Error)
    };
    !completion.choices.is_empty() && completion.choices.iter().all(stopped)
}

/// The verdict on an answer that ended properly, where its content does not fit a complete one.
fn judge_content(
    completion: &Completion,
    evidence: EndEvidence,
    ends: EndSignal,
) -> Option<AnswerVerdict> {
    if evidence.later_answers > 0 {
        return Some(AnswerVerdict::SeveralAnswers);
    }
    // What seems to be missing may be in the part that was not read.
    if evidence.has_gap {
        return None;
    }
    if completion.choices.iter().any(lacks_calls) {
        return Some(AnswerVerdict::CallsMissing);
    }
    if ends != EndSignal::BodyEnd && completion.choices.iter().any(is_empty) {
        return Some(match completion.asked.is_warm_up {
            true => AnswerVerdict::WarmUp,
            false => AnswerVerdict::Empty,
        });
    }
    if completion.reached_limit() {
        return Some(AnswerVerdict::LimitReached);
    }
    (completion.invalid_bytes > 0).then_some(AnswerVerdict::InvalidBytes)
}

/// Whether a choice has nothing in it. A stop sequence may come first.
fn is_empty(choice: &AnswerChoice) -> bool {
    let finish = choice.finish.as_ref();
    choice.is_empty() && finish.is_none_or(|finish| finish.named != "stop_sequence")
}

/// Whether a choice says that tool calls wait, and has none.
fn lacks_calls(choice: &AnswerChoice) -> bool {
    let finish = choice.finish.as_ref();
    finish.is_some_and(|finish| finish.kind == FinishKind::ToolCalls)
        && choice.tool_calls.is_empty()
}

fn judge_end(
    completion: &Completion,
    ends: EndSignal,
    finished: bool,
    is_plain: bool,
) -> AnswerVerdict {
    match (finished, ends) {
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
    let failed = [rule::JSON_BODY_BROKEN, rule::ANSWER_TOO_LARGE];
    let mut notes = completion.notes.iter();
    match completion.media {
        BodyMediaType::Html | BodyMediaType::Text | BodyMediaType::Binary => true,
        BodyMediaType::Json => notes.any(|note| failed.contains(&note.rule)),
        BodyMediaType::Empty
        | BodyMediaType::Sse
        | BodyMediaType::Ndjson
        | BodyMediaType::JsonArray
        | BodyMediaType::AwsEventstream
        | BodyMediaType::WebSocket => false,
    }
}

/// Whether a body has nothing of an answer, though its dialect is known. A stream without events may have lost
/// them.
fn lacks_answer(completion: &Completion, shown: bool) -> bool {
    let comes_as_events = completion.is_streamed() || completion.media == BodyMediaType::Empty;
    completion.choices.is_empty()
        && completion.usage.is_none()
        && completion.served_model.is_none()
        && completion.details.is_empty()
        && completion.vectors.is_none()
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
    (FinishKind::Error, AnswerVerdict::Failed),
    (FinishKind::Cancelled, AnswerVerdict::Cancelled),
    (FinishKind::Refusal, AnswerVerdict::Refused),
    (FinishKind::ContentFilter, AnswerVerdict::Filtered),
    (FinishKind::Length, AnswerVerdict::LengthLimit),
    (FinishKind::Paused, AnswerVerdict::Paused),
    (FinishKind::Other, AnswerVerdict::UnknownEnd),
];

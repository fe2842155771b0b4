//! Findings: everything about a call that a user should know beside its answer. All views print from this one list;
//! the words are made in `render`.

use serde::Serialize;

use super::meaning::{CallMeaning, CostEstimate};
use crate::capture::{CaptureNote, CaptureNoteKind};
use crate::chat::{AnswerNote, AnswerNoteKind};
use crate::content::{CodingFault, DecodeError};
use crate::exchange::Exchange;
use crate::http1::{HttpFault, MessageEnd, OddityKind};
use crate::price::CostNote;
use crate::service::UnreadableField;
use crate::span::{Span, StreamSide};

/// Something about a call that a user should know: an oddity, a note, a fault or an omission.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The bytes or the field that it is about.
    pub place: FindingPlace,
    /// The facts.
    pub facts: FindingFacts,
}

/// The importance of a finding.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; no client fails on it.
    Info,
    /// Against a rule; some clients fail on it.
    Warning,
    /// Part of the message is lost to every client.
    Error,
}

/// The place of a finding.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingPlace {
    /// The whole call.
    Call,
    /// Bytes on the wire.
    Wire {
        /// The direction.
        side: StreamSide,
        /// Their span in it.
        span: Span,
    },
    /// Bytes of the response's body, content codings undone.
    Body(Span),
    /// A header field of the response, by its name as spelled.
    Field(String),
    /// A line of the capture file, counted from 1.
    CaptureLine(u64),
}

/// The facts of a finding, by the layer that found it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FindingFacts {
    /// Odd HTTP that was read all the same.
    Http(OddityKind),
    /// The request stops being readable HTTP.
    RequestFraming(HttpFault),
    /// Findings of one kind beyond those that are listed.
    Omitted(OmittedKind, u64),
    /// The response's body cannot be decoded.
    Coding(DecodeError),
    /// A header field with a known name and an unreadable value.
    Field(UnreadableField),
    /// A note about the cost.
    Cost(CostNote),
    /// A note about the answer.
    Answer(AnswerNote),
    /// A line of the capture file that was not read.
    Capture(CaptureNoteKind),
}

/// Kinds of things of which a call keeps only the first ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OmittedKind {
    /// Oddities of HTTP.
    Oddities,
    /// Interim responses.
    InterimResponses,
    /// Masked places.
    MaskedPlaces,
}

impl From<CaptureNote> for Finding {
    fn from(note: CaptureNote) -> Self {
        Self {
            place: FindingPlace::CaptureLine(note.line),
            facts: FindingFacts::Capture(note.kind),
        }
    }
}

impl Finding {
    /// All findings of a call, in the order of their layers: HTTP, content coding, header fields, cost, answer.
    pub fn collect(
        exchange: &Exchange,
        decode_error: Option<&DecodeError>,
        meaning: Option<&CallMeaning>,
    ) -> Vec<Self> {
        let mut findings = http_findings(exchange);
        findings.extend(decode_error.map(|error| Self {
            place: FindingPlace::Call,
            facts: FindingFacts::Coding(error.clone()),
        }));
        if let Some(meaning) = meaning {
            findings.extend(meaning_findings(meaning));
        }
        findings
    }

    /// The stable id of the rule that the call breaks: `http-bare-lf`.
    pub fn rule(&self) -> &'static str {
        match &self.facts {
            FindingFacts::Http(kind) => oddity_rule(*kind),
            FindingFacts::RequestFraming(_) => "http-request-framing-lost",
            FindingFacts::Omitted(..) => "findings-omitted",
            FindingFacts::Coding(error) if error.kind.is_limit() => "coding-limit",
            FindingFacts::Coding(error) => match error.kind {
                CodingFault::Truncated => "coding-truncated",
                CodingFault::TrailingBytes => "coding-trailing-bytes",
                _ => "coding-corrupt",
            },
            FindingFacts::Field(_) => "field-unreadable",
            FindingFacts::Cost(note) => cost_rule(note),
            FindingFacts::Answer(note) => answer_rule(note.kind),
            FindingFacts::Capture(kind) => match kind {
                CaptureNoteKind::UnknownEvent(_) => "capture-unknown-event",
                CaptureNoteKind::TornLine => "capture-torn-line",
                CaptureNoteKind::BrokenLine { .. } => "capture-broken-line",
                CaptureNoteKind::LineTooLong => "capture-line-too-long",
            },
        }
    }

    /// How serious the finding is.
    pub fn severity(&self) -> Severity {
        match &self.facts {
            FindingFacts::Capture(CaptureNoteKind::UnknownEvent(_)) => Severity::Info,
            FindingFacts::Coding(_)
            | FindingFacts::RequestFraming(_)
            | FindingFacts::Capture(_) => Severity::Error,
            FindingFacts::Http(_) => Severity::Warning,
            FindingFacts::Omitted(..) | FindingFacts::Field(_) | FindingFacts::Cost(_) => {
                Severity::Info
            }
            FindingFacts::Answer(note) => match note.kind {
                AnswerNoteKind::NotJson | AnswerNoteKind::TooLarge => Severity::Error,
                // Ordinary answers of well-known providers have these.
                AnswerNoteKind::UsageNotAsked
                | AnswerNoteKind::ServedModel
                | AnswerNoteKind::KeepAlive => Severity::Info,
                _ => Severity::Warning,
            },
        }
    }
}

fn http_findings(exchange: &Exchange) -> Vec<Finding> {
    let oddities = exchange.oddities().map(|(side, oddity)| Finding {
        place: FindingPlace::Wire {
            side,
            span: oddity.at,
        },
        facts: FindingFacts::Http(oddity.kind),
    });
    let mut findings: Vec<_> = oddities.collect();
    if let Some(MessageEnd::FramingLost { at, fault }) = exchange.request.end {
        findings.push(Finding {
            place: FindingPlace::Wire {
                side: StreamSide::Sent,
                span: Span::empty_at(at),
            },
            facts: FindingFacts::RequestFraming(fault),
        });
    }
    let messages = exchange
        .interim
        .iter()
        .chain([&exchange.request, &exchange.response]);
    let oddities = messages.fold(0u64, |sum, message| {
        sum.saturating_add(message.more_oddities)
    });
    let omitted = [
        (OmittedKind::Oddities, oddities),
        (OmittedKind::InterimResponses, exchange.more_interim),
        (OmittedKind::MaskedPlaces, exchange.more_masked),
    ];
    let omitted = omitted.into_iter().filter(|(_, count)| *count > 0);
    findings.extend(omitted.map(|(kind, count)| Finding {
        place: FindingPlace::Call,
        facts: FindingFacts::Omitted(kind, count),
    }));
    findings
}

fn meaning_findings(meaning: &CallMeaning) -> impl Iterator<Item = Finding> {
    let fields = meaning.service.unread.iter().map(|field| Finding {
        place: FindingPlace::Field(field.field.clone()),
        facts: FindingFacts::Field(field.clone()),
    });
    let costs: &[CostNote] = match &meaning.cost {
        CostEstimate::Known { cost, .. } => &cost.notes,
        CostEstimate::UnknownModel(_) | CostEstimate::NotCounted => &[],
    };
    let costs = costs.iter().map(|note| Finding {
        place: FindingPlace::Call,
        facts: FindingFacts::Cost(*note),
    });
    let notes = meaning.completion.notes.iter().map(|note| Finding {
        place: note.span.map_or(FindingPlace::Call, FindingPlace::Body),
        facts: FindingFacts::Answer(note.clone()),
    });
    fields.chain(costs).chain(notes)
}

fn oddity_rule(kind: OddityKind) -> &'static str {
    match kind {
        OddityKind::LeadingBlank => "http-leading-blank-line",
        OddityKind::BareLf => "http-bare-lf",
        OddityKind::BareCr => "http-bare-cr",
        OddityKind::StartLineSpacing => "http-start-line-spacing",
        OddityKind::NoReason => "http-no-space-before-reason",
        OddityKind::Version => "http-version",
        OddityKind::StatusRange => "http-status-range",
        OddityKind::Folded => "http-folded-field",
        OddityKind::SpaceBeforeColon => "http-space-before-colon",
        OddityKind::EmptyName => "http-empty-field-name",
        OddityKind::BadName => "http-bad-field-name",
        OddityKind::ControlInValue => "http-control-character",
        OddityKind::RepeatedLength => "http-length-repeated",
        OddityKind::LengthAndCoding => "http-length-and-chunked",
        OddityKind::LengthIgnored => "http-length-unreadable",
        OddityKind::CodingNotChunked => "http-coding-not-chunked",
        OddityKind::CodingInHttp10 => "http-chunked-in-http10",
        OddityKind::UnknownCoding => "http-unknown-transfer-coding",
        OddityKind::FramingWithoutBody => "http-framing-without-body",
        OddityKind::ChunkSizeSpace => "http-chunk-size-space",
        OddityKind::BadChunkExtension => "http-chunk-extension",
        OddityKind::AfterEnd => "http-bytes-after-end",
        OddityKind::StrictRefuses => "http-strict-parser-refuses",
    }
}

fn cost_rule(note: &CostNote) -> &'static str {
    match note {
        CostNote::NoInputCount => "cost-input-not-counted",
        CostNote::NoOutputCount => "cost-output-not-counted",
        CostNote::InputPartsExceed => "cost-input-parts-exceed",
        CostNote::OutputPartsExceed => "cost-output-parts-exceed",
        CostNote::NoTierRates(_) => "cost-no-tier-rates",
        CostNote::UnknownTier => "cost-unknown-tier",
        CostNote::NoTierCacheRate(_) => "cost-no-tier-cache-rate",
        CostNote::NoTierLongRates(_) => "cost-no-tier-long-rates",
        CostNote::AudioAsText => "cost-audio-as-text",
        CostNote::AudioMaybeCached => "cost-audio-maybe-cached",
        CostNote::OffPeak => "cost-off-peak",
        CostNote::LengthBands => "cost-length-bands",
    }
}

fn answer_rule(kind: AnswerNoteKind) -> &'static str {
    match kind {
        AnswerNoteKind::UsageNotAsked => "usage-not-asked",
        AnswerNoteKind::UsageSum => "usage-sum-differs",
        AnswerNoteKind::OtherModel => "model-other-than-asked",
        AnswerNoteKind::ServedModel => "model-differs-in-head",
        AnswerNoteKind::IdChanged => "id-changes",
        AnswerNoteKind::ModelChanged => "model-changes",
        AnswerNoteKind::FinishChanged => "finish-changes",
        AnswerNoteKind::PiecesDiffer => "pieces-differ-from-final",
        AnswerNoteKind::SequenceGap => "sequence-gap",
        AnswerNoteKind::NotJson => "sse-event-not-json",
        AnswerNoteKind::OpenMark => "sse-no-blank-line-at-end",
        AnswerNoteKind::MediaDiffers => "http-content-type-mismatch",
        AnswerNoteKind::KeepAlive => "keep-alive-lines",
        AnswerNoteKind::InlineThought => "reasoning-in-text",
        AnswerNoteKind::OnlyReasoning => "only-reasoning",
        AnswerNoteKind::TooLarge => "answer-too-large",
        AnswerNoteKind::TooMany => "too-many-items",
        AnswerNoteKind::UnknownShape => "shape-unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Call, ReadOptions};
    use crate::span::Moment;
    use crate::tape::{Tape, TapeOrigin, WireSink};

    #[test]
    fn one_list_has_the_findings_of_all_layers() {
        let mut tape = Tape::new(TapeOrigin {
            id: String::new(),
            started: jiff::Timestamp::UNIX_EPOCH,
            via: String::new(),
            url: "http://a/v1/chat/completions".into(),
            tool: String::new(),
        });
        let request = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 13\r\n\r\n{\"model\":\"m\"}";
        let response = b"HTTP/1.1 200 OK\nContent-Type: text/event-stream\r\nretry-after: soon\r\n\r\ndata: {oops\n\n";
        tape.bytes(StreamSide::Sent, Moment::default(), request);
        tape.bytes(StreamSide::Received, Moment::default(), response);
        tape.ended(StreamSide::Received, Moment::default());
        let call = Call::read(tape, &ReadOptions::default());
        let rules: Vec<_> = call.findings.iter().map(Finding::rule).collect();
        let expected = ["http-bare-lf", "field-unreadable", "sse-event-not-json"];
        assert_eq!(rules, expected, "{:?}", call.findings);
        let severities: Vec<_> = call.findings.iter().map(Finding::severity).collect();
        assert_eq!(
            severities,
            [Severity::Warning, Severity::Info, Severity::Error]
        );
        let FindingPlace::Body(span) = call.findings[2].place else {
            panic!("{:?}", call.findings[2]);
        };
        assert_eq!(span.of(&call.response_body.bytes), b"data: {oops\n");
    }
}

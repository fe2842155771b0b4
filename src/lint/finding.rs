//! A finding, and the findings that the readers of a call have made: oddities, unread fields, notes on answer and cost.

use serde::{Deserialize, Serialize};

use super::rule::{Rule, RuleLayer, find_rule};
use super::{CallCheck, CallView};
use crate::call::meaning::CostEstimate;
use crate::capture::{CaptureNote, CaptureNoteKind};
use crate::chat::{AnswerNote, AnswerPlace, NoteFacts, Severity};
use crate::content::CodingFault;
use crate::http1::{MessageEnd, OddityKind};
use crate::price::CostNote;
use crate::span::{Span, StreamSide};

/// Something about a call that a user should know.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How serious it is here.
    pub severity: Severity,
    /// The bytes, event or field that it is about.
    pub place: FindingPlace,
    /// Number of occurrences, of which `place` is the first.
    pub count: u64,
    /// The facts, by name.
    pub facts: NoteFacts,
}

/// The bytes, event or field that a finding is about. The default is the call as a whole.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct FindingPlace {
    /// Event, span and time in the decoded body of the response.
    #[serde(flatten)]
    pub answer: AnswerPlace,
    /// Bytes on the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wire: Option<WirePlace>,
    /// A header field of the response, by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_field: Option<String>,
    /// A value of the request's body, as a JSON Pointer (RFC 6901), or a header field of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// A line of the capture file, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture_line: Option<u64>,
}

/// Numbers of findings by severity, without those that are mere information.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct FindingCounts {
    /// Findings of severity error.
    pub error: u64,
    /// Findings of severity warning.
    pub warning: u64,
}

impl FindingCounts {
    /// Counts `findings`.
    pub fn of(findings: &[Finding]) -> Self {
        let count = |severity| {
            let same = findings
                .iter()
                .filter(|finding| finding.severity == severity);
            same.count() as u64
        };
        Self {
            error: count(Severity::Error),
            warning: count(Severity::Warning),
        }
    }

    /// The sums of both.
    pub fn plus(self, other: Self) -> Self {
        Self {
            error: self.error.saturating_add(other.error),
            warning: self.warning.saturating_add(other.warning),
        }
    }

    /// Whether there are none.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

/// Bytes of one direction.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct WirePlace {
    /// The direction.
    pub side: StreamSide,
    /// Their span in it.
    pub span: Span,
}

impl From<AnswerPlace> for FindingPlace {
    fn from(answer: AnswerPlace) -> Self {
        Self {
            answer,
            ..Self::default()
        }
    }
}

impl FindingPlace {
    /// A header field of the response.
    pub(super) fn response_field(name: &str) -> Self {
        Self {
            response_field: Some(name.to_owned()),
            ..Self::default()
        }
    }

    /// A value of the request's body, or a field of its head.
    pub(super) fn request(name: &str) -> Self {
        Self {
            request: Some(name.to_owned()),
            ..Self::default()
        }
    }

    /// Bytes of one direction.
    pub(super) fn wire(side: StreamSide, span: Span) -> Self {
        Self {
            wire: Some(WirePlace { side, span }),
            ..Self::default()
        }
    }
}

impl Finding {
    /// A finding of the rule called `id`; `None` if the table has no such rule.
    pub fn new(id: &str, place: FindingPlace, facts: NoteFacts) -> Option<Self> {
        let rule = find_rule(id)?;
        Some(Self {
            rule,
            severity: rule.severity,
            place,
            count: 1,
            facts,
        })
    }

    /// Whether a report on the call has a line for it: warnings and errors that no other line of the report shows, and
    /// what is worth knowing about head, request and tokens.
    pub fn is_reported(&self) -> bool {
        let is_hint = !matches!(
            self.rule.layer,
            RuleLayer::Sse | RuleLayer::Json | RuleLayer::Chat | RuleLayer::Timing
        );
        self.rule.elsewhere.is_empty() && (self.severity >= Severity::Warning || is_hint)
    }

    /// Whether it belongs to the facts of the exchange rather than to the meaning of the answer.
    pub fn is_about_exchange(&self) -> bool {
        let id = self.rule.id;
        self.place.wire.is_some()
            || self.rule.layer == RuleLayer::Capture
            || id == "findings-omitted"
            || id.starts_with("coding-")
    }

    /// The finding about a line of a capture file that was not read.
    pub(super) fn from_capture_note(note: &CaptureNote) -> Option<Self> {
        let line = ("line", note.line.to_string());
        let (id, facts) = match &note.kind {
            CaptureNoteKind::UnknownEvent(name) => {
                ("capture-unknown-event", vec![line, ("name", name.clone())])
            }
            CaptureNoteKind::TornLine => ("capture-torn-line", vec![line]),
            CaptureNoteKind::BrokenLine { column, reason } => (
                "capture-broken-line",
                vec![
                    line,
                    ("column", column.to_string()),
                    ("reason", reason.to_string()),
                ],
            ),
            CaptureNoteKind::LineTooLong => ("capture-line-too-long", vec![line]),
        };
        let place = FindingPlace {
            capture_line: Some(note.line),
            ..FindingPlace::default()
        };
        Self::new(id, place, facts)
    }

    fn from_note(note: &AnswerNote) -> Option<Self> {
        let own = Self::new(note.rule, note.place.into(), note.facts.clone())?;
        Some(Self {
            severity: note.severity.unwrap_or(own.severity),
            count: note.count,
            ..own
        })
    }
}

/// The checks that only pass on what the readers have noticed.
pub(super) const CHECKS: &[CallCheck] = &[
    take_capture_notes,
    take_oddities,
    take_omissions,
    take_decode_error,
    take_unread_fields,
    take_cost_notes,
    take_answer_notes,
];

fn take_capture_notes(call: CallView<'_>, findings: &mut Vec<Finding>) {
    findings.extend(super::capture_findings(call.capture_notes));
}

fn take_oddities(call: CallView<'_>, findings: &mut Vec<Finding>) {
    let oddities = call.exchange.oddities();
    findings.extend(oddities.filter_map(|(side, oddity)| {
        let place = FindingPlace::wire(side, oddity.at);
        Finding::new(oddity_rule(oddity.kind), place, vec![])
    }));
    if let Some(MessageEnd::FramingLost { at, fault }) = call.exchange.request.end {
        let facts = vec![
            ("offset", at.to_string()),
            ("fault", format!("{} ({})", fault.explain(), fault.clause())),
        ];
        let place = FindingPlace::wire(StreamSide::Sent, Span::empty_at(at));
        findings.extend(Finding::new("http-request-framing-lost", place, facts));
    }
}

fn take_omissions(call: CallView<'_>, findings: &mut Vec<Finding>) {
    let exchange = call.exchange;
    let messages = exchange
        .interim
        .iter()
        .chain([&exchange.request, &exchange.response]);
    let oddities = messages.fold(0u64, |sum, message| {
        sum.saturating_add(message.more_oddities)
    });
    let omitted = [
        ("oddities", oddities),
        ("interim responses", exchange.more_interim),
        ("masked places", exchange.more_masked),
    ];
    let omitted = omitted.into_iter().filter(|(_, count)| *count > 0);
    findings.extend(omitted.filter_map(|(things, count)| {
        let facts = vec![("count", count.to_string()), ("things", things.to_owned())];
        Finding::new("findings-omitted", FindingPlace::default(), facts)
    }));
}

fn take_decode_error(call: CallView<'_>, findings: &mut Vec<Finding>) {
    findings.extend(call.decode_error.and_then(|error| {
        let id = match &error.kind {
            kind if kind.is_limit() => "coding-limit",
            CodingFault::Truncated => "coding-truncated",
            CodingFault::TrailingBytes => "coding-trailing-bytes",
            _ => "coding-corrupt",
        };
        // The offset of a limit depends on how the bytes came; the limit says enough.
        let what = match error.kind.is_limit() {
            true => format!(
                "the body cannot be decoded: {}: {}",
                error.coding, error.kind
            ),
            false => format!("the body cannot be decoded: {error}"),
        };
        let facts = vec![("what", what)];
        Finding::new(id, FindingPlace::default(), facts)
    }));
}

fn take_unread_fields(call: CallView<'_>, findings: &mut Vec<Finding>) {
    let fields = call
        .meaning
        .into_iter()
        .flat_map(|meaning| &meaning.service.unread);
    findings.extend(fields.filter_map(|field| {
        let facts = vec![
            ("field", field.field.clone()),
            ("value", field.value.clone()),
        ];
        Finding::new(
            "field-unreadable",
            FindingPlace::response_field(&field.field),
            facts,
        )
    }));
}

fn take_cost_notes(call: CallView<'_>, findings: &mut Vec<Finding>) {
    let Some(CostEstimate::Known { cost, .. }) = call.meaning.map(|meaning| &meaning.cost) else {
        return;
    };
    findings.extend(cost.notes.iter().filter_map(|note| {
        let (id, facts) = cost_rule(note);
        Finding::new(id, FindingPlace::default(), facts)
    }));
}

fn take_answer_notes(call: CallView<'_>, findings: &mut Vec<Finding>) {
    let notes = call
        .meaning
        .into_iter()
        .flat_map(|meaning| &meaning.completion.notes);
    findings.extend(notes.filter_map(Finding::from_note));
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

fn cost_rule(note: &CostNote) -> (&'static str, NoteFacts) {
    let tier = |tier: &dyn std::fmt::Display| vec![("tier", tier.to_string())];
    match note {
        CostNote::NoInputCount => ("cost-input-not-counted", vec![]),
        CostNote::NoOutputCount => ("cost-output-not-counted", vec![]),
        CostNote::InputPartsExceed => ("cost-input-parts-exceed", vec![]),
        CostNote::OutputPartsExceed => ("cost-output-parts-exceed", vec![]),
        CostNote::NoTierRates(name) => ("cost-no-tier-rates", tier(name)),
        CostNote::UnknownTier => ("cost-unknown-tier", vec![]),
        CostNote::NoTierCacheRate(name) => ("cost-no-tier-cache-rate", tier(name)),
        CostNote::NoTierLongRates(name) => ("cost-no-tier-long-rates", tier(name)),
        CostNote::AudioAsText => ("cost-audio-as-text", vec![]),
        CostNote::AudioMaybeCached => ("cost-audio-maybe-cached", vec![]),
        CostNote::OffPeak => ("cost-off-peak", vec![]),
        CostNote::LengthBands => ("cost-length-bands", vec![]),
    }
}

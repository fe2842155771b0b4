//! A call as one JSON document, from the same values that the painters take. Its schema is
//! `captures/exchange.schema.json`.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::value::RawValue;

use super::escape::escape_json;
use super::event_docs::EventList;
use super::wording;
use crate::call::Call;
use crate::call::meaning::CallMeaning;
use crate::chat::note::serialize_facts;
use crate::chat::{NoteFacts, Severity, ToolCall};
use crate::content::DecodedBody;
use crate::exchange::phases::{ExchangeMilestones, ExchangePhase};
use crate::exchange::{ExchangeOutcome, TrafficTotals, WebSocketTraffic};
use crate::http1::{
    BodyFraming, FieldSection, HeadField, HttpMessage, MessageEnd, MessagePart, StartLine,
};
use crate::lint::{self, Finding, FindingPlace, Legality, RuleLayer};
use crate::span::{Moment, Span};
use crate::tape::ConnectionFact;

/// Writes the document of `call` and a line end.
pub fn write_call(call: &Call, out: &mut dyn Write) -> io::Result<()> {
    let findings = lint::check_call(call.into());
    write_value(&ExchangeDoc::new(call, &findings), out)
}

/// Writes any value as one JSON document and a line end.
pub fn write_value(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", escape_json(&serde_json::to_string(value)?))
}

/// Writes the tool calls of an answer, one JSON object on each line.
pub fn write_tool_calls(report: &CallMeaning, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct ToolCallDoc<'a> {
        choice: u32,
        #[serde(flatten)]
        call: &'a ToolCall,
    }
    for choice in &report.completion.choices {
        for call in &choice.tool_calls {
            let choice = choice.index;
            write_value(&ToolCallDoc { choice, call }, out)?;
        }
    }
    Ok(())
}

/// Writes the token counts of an answer as JSON; nothing if there are none.
pub fn write_usage(report: &CallMeaning, out: &mut dyn Write) -> io::Result<()> {
    match &report.completion.usage {
        None => Ok(()),
        Some(usage) => write_value(usage, out),
    }
}

static NO_BODY: DecodedBody = DecodedBody::EMPTY;

#[derive(Serialize)]
struct ExchangeDoc<'a> {
    id: &'a str,
    started: jiff::Timestamp,
    via: &'a str,
    url: &'a str,
    tool: &'a str,
    outcome: ExchangeOutcome,
    /// The outcome in words.
    explained: String,
    milestones: ExchangeMilestones,
    phases: Vec<ExchangePhase>,
    sent: &'a TrafficTotals,
    received: &'a TrafficTotals,
    facts: Vec<FactDoc<'a>>,
    request: MessageDoc<'a>,
    interim: Vec<MessageDoc<'a>>,
    more_interim: u64,
    masked: Vec<MaskedDoc<'a>>,
    more_masked: u64,
    response: MessageDoc<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<EventList<'a>>,
    after_end: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    websocket: Option<&'a WebSocketTraffic>,
    /// The meaning of the call.
    report: &'a CallMeaning,
    findings: Vec<FindingDoc<'a>>,
}

/// The number of places that were masked by one rule.
#[derive(Serialize)]
struct MaskedDoc<'a> {
    rule: &'a str,
    places: usize,
}

/// A finding as a JSON object.
#[derive(Debug, Serialize)]
pub struct FindingDoc<'a> {
    rule: &'static str,
    layer: RuleLayer,
    severity: Severity,
    legal: Legality,
    #[serde(rename = "where")]
    place: &'a FindingPlace,
    /// Number of occurrences.
    count: u64,
    #[serde(serialize_with = "serialize_facts")]
    facts: &'a NoteFacts,
    /// The finding in words.
    explained: String,
    source: &'static str,
    /// Clients that are known to break on it.
    breaks: &'a [&'static str],
}

#[derive(Serialize)]
struct FactDoc<'a> {
    t: Moment,
    #[serde(flatten)]
    fact: &'a ConnectionFact,
}

#[derive(Serialize)]
struct MessageDoc<'a> {
    #[serde(flatten)]
    start: Option<StartLineDoc<'a>>,
    fields: Vec<FieldDoc<'a>>,
    framing: Option<BodyFraming>,
    chunks: u64,
    body: Option<BodyDoc<'a>>,
    trailers: Vec<FieldDoc<'a>>,
    oddities: Vec<OddityDoc>,
    more_oddities: u64,
    end: Option<MessageEndDoc>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum StartLineDoc<'a> {
    Request {
        method: LossyText<'a>,
        target: LossyText<'a>,
        version: LossyText<'a>,
    },
    Status {
        version: LossyText<'a>,
        status: u16,
        reason: LossyText<'a>,
    },
}

/// Bytes as a string; bytes that are not UTF-8 are replaced. The capture has them exactly.
type LossyText<'a> = std::borrow::Cow<'a, str>;

#[derive(Serialize)]
struct FieldDoc<'a> {
    name: LossyText<'a>,
    value: LossyText<'a>,
    at: Span,
}

#[derive(Serialize)]
struct BodyDoc<'a> {
    /// Bytes on the wire, without framing.
    wire_bytes: u64,
    /// Bytes after decoding.
    bytes: u64,
    /// Its spans on the wire.
    spans: &'a [Span],
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
    #[serde(flatten)]
    content: BodyContent<'a>,
}

/// The decoded body, in the first of these forms that holds it exactly.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum BodyContent<'a> {
    Json(&'a RawValue),
    Text(&'a str),
    Base64(String),
}

#[derive(Serialize)]
struct OddityDoc {
    kind: crate::http1::OddityKind,
    at: Span,
    clause: &'static str,
    explained: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
enum MessageEndDoc {
    Complete,
    Closed,
    Short {
        within: MessagePart,
        missing: Option<u64>,
    },
    Lost {
        at: u64,
        fault: crate::http1::HttpFault,
        explained: &'static str,
    },
}

impl<'a> ExchangeDoc<'a> {
    fn new(call: &'a Call, findings: &'a [Finding]) -> Self {
        let (tape, exchange) = (&call.tape, &call.exchange);
        let milestones = ExchangeMilestones::from_exchange(exchange);
        // An interim response has no body (RFC 9110, 15.2).
        let interim = |message| MessageDoc::from_message(message, &NO_BODY);
        let facts = exchange.facts.iter();
        let masked = |(rule, places)| MaskedDoc { rule, places };
        Self {
            id: &tape.origin.id,
            started: tape.origin.started,
            via: &tape.origin.via,
            url: &tape.origin.url,
            tool: &tape.origin.tool,
            outcome: exchange.outcome(),
            explained: wording::describe_outcome(exchange),
            phases: milestones.phases(),
            milestones,
            sent: &exchange.sent,
            received: &exchange.received,
            facts: facts.map(|(t, fact)| FactDoc { t: *t, fact }).collect(),
            request: MessageDoc::from_message(&exchange.request, &call.request_body),
            interim: exchange.interim.iter().map(interim).collect(),
            more_interim: exchange.more_interim,
            masked: exchange.masked_places().into_iter().map(masked).collect(),
            more_masked: exchange.more_masked,
            response: MessageDoc::from_message(&exchange.response, &call.response_body),
            events: EventList::from_call(call),
            after_end: exchange.bytes_after_end,
            websocket: exchange.websocket.as_deref(),
            report: &call.meaning,
            findings: findings.iter().map(FindingDoc::new).collect(),
        }
    }
}

impl<'a> FindingDoc<'a> {
    /// The object for `finding`.
    pub fn new(finding: &'a Finding) -> Self {
        let rule = finding.rule;
        Self {
            rule: rule.id,
            layer: rule.layer,
            severity: finding.severity,
            legal: rule.legal,
            place: &finding.place,
            count: finding.count,
            facts: &finding.facts,
            explained: wording::describe_finding(finding),
            source: rule.source,
            breaks: &rule.breaks,
        }
    }
}

impl<'a> MessageDoc<'a> {
    fn from_message(message: &'a HttpMessage, content: &'a DecodedBody) -> Self {
        Self {
            start: message
                .start
                .map(|start| start_line_doc(start, &message.head)),
            fields: field_docs(&message.head),
            framing: message.framing,
            chunks: message.chunks,
            body: message.framing.map(|_| body_doc(message, content)),
            trailers: field_docs(&message.trailers),
            oddities: message
                .oddities
                .iter()
                .map(|&oddity| OddityDoc {
                    kind: oddity.kind,
                    at: oddity.at,
                    clause: oddity.kind.clause(),
                    explained: oddity.kind.explain(),
                })
                .collect(),
            more_oddities: message.more_oddities,
            end: message.end.map(end_doc),
        }
    }
}

fn start_line_doc(start: StartLine, head: &FieldSection) -> StartLineDoc<'_> {
    let text = |span| String::from_utf8_lossy(head.slice(span));
    match start {
        StartLine::Request {
            method,
            target,
            version,
            ..
        } => StartLineDoc::Request {
            method: text(method),
            target: text(target),
            version: text(version),
        },
        StartLine::Status {
            version,
            code,
            reason,
            ..
        } => StartLineDoc::Status {
            version: text(version),
            status: code,
            reason: text(reason),
        },
    }
}

fn field_docs(section: &FieldSection) -> Vec<FieldDoc<'_>> {
    let doc = |field: &HeadField| FieldDoc {
        name: String::from_utf8_lossy(section.slice(field.name)),
        value: String::from_utf8_lossy(section.slice(field.value)),
        at: field.line,
    };
    section.fields.iter().map(doc).collect()
}

fn body_doc<'a>(message: &'a HttpMessage, body: &'a DecodedBody) -> BodyDoc<'a> {
    let content = match std::str::from_utf8(&body.bytes) {
        Err(_) => BodyContent::Base64(base64_simd::STANDARD.encode_to_string(&body.bytes)),
        Ok(text) => match serde_json::from_str::<&RawValue>(text) {
            Ok(raw) => BodyContent::Json(raw),
            Err(_) => BodyContent::Text(text),
        },
    };
    BodyDoc {
        wire_bytes: message.body_length,
        bytes: body.bytes.len() as u64,
        spans: &message.body,
        trouble: body.error.as_ref().map(ToString::to_string),
        content,
    }
}

fn end_doc(end: MessageEnd) -> MessageEndDoc {
    match end {
        MessageEnd::Complete => MessageEndDoc::Complete,
        MessageEnd::Closed => MessageEndDoc::Closed,
        MessageEnd::Truncated { within, missing } => MessageEndDoc::Short { within, missing },
        MessageEnd::FramingLost { at, fault } => MessageEndDoc::Lost {
            at,
            fault,
            explained: fault.explain(),
        },
    }
}

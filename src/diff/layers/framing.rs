//! The framing and coding of the bodies of two exchanges, and how the exchanges ended.

use crate::call::Call;
use crate::diff::fact_sheet::{FactSheet, escape_non_utf8};
use crate::exchange::ExchangeOutcome;
use crate::http1::{BodyFraming, HttpMessage};
use crate::span::StreamSide;
use crate::tape::{CloseKind, ConnectionFact, ConnectionParty};

/// Returns the framing and coding of both bodies, and how the exchange ended.
pub(crate) fn collect_facts(call: &Call) -> FactSheet {
    let mut sheet = FactSheet::default();
    let exchange = &call.exchange;
    add_message_facts(&mut sheet, "request", &exchange.request);
    sheet.put_count(
        "interim responses",
        Some(exchange.interim.len() as u64).filter(|count| *count > 0),
    );
    add_message_facts(&mut sheet, "response", &exchange.response);
    sheet.put_count("reads", Some(exchange.received.runs));
    sheet.put_count("decoded bytes", Some(call.response_body.bytes.len() as u64));
    let trouble = call.response_body.error.as_ref();
    sheet.put_text("content coding broken", trouble.map(ToString::to_string));
    sheet.put_text("end", Some(outcome_text(&exchange.outcome())));
    for (_, fact) in &exchange.facts {
        if let ConnectionFact::Closed { by, how } = fact {
            let by = match by {
                ConnectionParty::Us => "us",
                ConnectionParty::Program => "the program",
                ConnectionParty::Peer => "the peer",
            };
            sheet.put_text("closed by", Some(format!("{by}, {}", closing_text(*how))));
        }
    }
    let after = exchange.bytes_after_end;
    sheet.put_count(
        "bytes after the end",
        Some(after).filter(|bytes| *bytes > 0),
    );
    for (side, oddity) in exchange.oddities() {
        let of = match side {
            StreamSide::Sent => "request",
            StreamSide::Received => "response",
        };
        let at = format!("{of}: {}", oddity.kind.explain());
        sheet.put_text(at, Some(format!("at {}", oddity.at.start)));
    }
    sheet
}

fn add_message_facts(sheet: &mut FactSheet, name: &str, message: &HttpMessage) {
    let at = |what: &str| format!("{name} {what}");
    sheet.put_text(at("framing"), message.framing.map(framing_name));
    let codings: Vec<_> = message.codings().map(escape_non_utf8).collect();
    sheet.put_text(
        at("codings"),
        Some(codings.join(", ")).filter(|all| !all.is_empty()),
    );
    sheet.put_count(at("bytes of body"), Some(message.body_length));
    if message.framing == Some(BodyFraming::Chunked) {
        sheet.put_count(at("chunks"), Some(message.chunks));
        sheet.put_text(at("chunk sizes"), chunk_sizes_text(message));
    }
    for (name, value) in message.trailers.pairs() {
        let name = escape_non_utf8(name).to_ascii_lowercase();
        sheet.put_text(at(&format!("trailer {name}")), Some(escape_non_utf8(value)));
    }
}

fn framing_name(framing: BodyFraming) -> String {
    match framing {
        // The number itself is the fact `bytes of body`.
        BodyFraming::Length(_) => "Content-Length".to_owned(),
        other => other.to_string(),
    }
}

/// The least, median and greatest size of the chunks. The data of a chunk is one span of the body, unless the body is
/// one run.
fn chunk_sizes_text(message: &HttpMessage) -> Option<String> {
    let mut sizes: Vec<_> = message.body.iter().map(|span| span.len()).collect();
    sizes.sort_unstable();
    let median = sizes.get(sizes.len().checked_div(2)?)?;
    Some(format!(
        "{} .. {median} .. {}",
        sizes.first()?,
        sizes.last()?
    ))
}

fn closing_text(how: CloseKind) -> &'static str {
    match how {
        CloseKind::CloseNotify => "with close_notify",
        CloseKind::Eof => "at the end of its bytes",
        CloseKind::EofWithoutCloseNotify => "without close_notify",
        CloseKind::Reset => "by a reset",
    }
}

fn outcome_text(outcome: &ExchangeOutcome) -> &'static str {
    match outcome {
        ExchangeOutcome::Whole => "complete",
        ExchangeOutcome::NoConnection { .. } => "no connection",
        ExchangeOutcome::TimedOut { .. } => "timed out",
        ExchangeOutcome::Interrupted => "interrupted",
        ExchangeOutcome::Stopped => "stopped by us",
        ExchangeOutcome::NoResponse { .. } => "no response",
        ExchangeOutcome::Cut { .. } => "cut",
        ExchangeOutcome::Lost { .. } => "unreadable",
        ExchangeOutcome::Unfinished => "unfinished",
    }
}

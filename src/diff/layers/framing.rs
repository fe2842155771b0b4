//! How two exchanges framed and coded their bodies, and how they ended.

use crate::diff::change::{Change, Value};
use crate::diff::sheet::{Sheet, readable};
use crate::diff::subject::Answered;
use crate::exchange::ExchangeOutcome;
use crate::http1::{BodyFraming, HttpMessage};
use crate::span::StreamSide;
use crate::tape::{CloseKind, ConnectionFact, ConnectionParty};

/// What differs between them.
pub(in crate::diff) fn compare(left: &Answered, right: &Answered) -> Vec<Change> {
    sheet(left).compare(&sheet(right))
}

fn sheet(answered: &Answered) -> Sheet {
    let mut sheet = Sheet::default();
    let exchange = &answered.exchange;
    message(&mut sheet, "request", &exchange.request);
    sheet.count(
        "interim responses",
        Some(exchange.interim.len() as u64).filter(|count| *count > 0),
    );
    message(&mut sheet, "response", &exchange.response);
    sheet.count("reads", Some(exchange.received.runs));
    sheet.count("decoded bytes", Some(answered.body.bytes.len() as u64));
    let trouble = answered.body.error.as_ref();
    sheet.text("content coding broken", trouble.map(ToString::to_string));
    sheet.text("end", Some(ending(&exchange.outcome())));
    for (_, fact) in &exchange.facts {
        if let ConnectionFact::Closed { by, how } = fact {
            let by = match by {
                ConnectionParty::Us => "us",
                ConnectionParty::Peer => "the peer",
            };
            sheet.text("closed by", Some(format!("{by}, {}", closing(*how))));
        }
    }
    let after = exchange.bytes_after_end;
    sheet.count(
        "bytes after the end",
        Some(after).filter(|bytes| *bytes > 0),
    );
    for (side, oddity) in exchange.oddities() {
        let of = match side {
            StreamSide::Sent => "request",
            StreamSide::Received => "response",
        };
        let at = format!("{of}: {}", oddity.kind.explain());
        sheet.put(&at, Some(Value::Text(format!("at {}", oddity.at.start))));
    }
    sheet
}

fn message(sheet: &mut Sheet, name: &str, message: &HttpMessage) {
    let at = |what: &str| format!("{name} {what}");
    sheet.text(&at("framing"), message.framing.map(framing));
    let codings: Vec<_> = message.codings().map(readable).collect();
    sheet.text(
        &at("codings"),
        Some(codings.join(", ")).filter(|all| !all.is_empty()),
    );
    sheet.count(&at("bytes of body"), Some(message.body_length));
    if message.framing == Some(BodyFraming::Chunked) {
        sheet.count(&at("chunks"), Some(message.chunks));
        sheet.text(&at("chunk sizes"), sizes(message));
    }
    for (name, value) in message.trailers.pairs() {
        let name = readable(name).to_ascii_lowercase();
        let at = at(&format!("trailer {name}"));
        sheet.text(&at, Some(readable(value)));
    }
}

fn framing(framing: BodyFraming) -> String {
    match framing {
        // The number itself is told as bytes of body.
        BodyFraming::Length(_) => "Content-Length".to_owned(),
        other => other.to_string(),
    }
}

/// Least, median and greatest: a chunk's data is one span of the body, unless a body of one run was joined.
fn sizes(message: &HttpMessage) -> Option<String> {
    let mut sizes: Vec<_> = message.body.iter().map(|span| span.len()).collect();
    sizes.sort_unstable();
    let median = sizes.get(sizes.len().checked_div(2)?)?;
    Some(format!(
        "{} .. {median} .. {}",
        sizes.first()?,
        sizes.last()?
    ))
}

fn closing(how: CloseKind) -> &'static str {
    match how {
        CloseKind::CloseNotify => "with close_notify",
        CloseKind::Eof => "at the end of its bytes",
        CloseKind::EofWithoutCloseNotify => "without close_notify",
        CloseKind::Reset => "by a reset",
    }
}

fn ending(outcome: &ExchangeOutcome) -> &'static str {
    match outcome {
        ExchangeOutcome::Whole => "complete",
        ExchangeOutcome::NoConnection { .. } => "no connection",
        ExchangeOutcome::TimedOut { .. } => "timed out",
        ExchangeOutcome::Interrupted => "interrupted",
        ExchangeOutcome::NoResponse { .. } => "no response",
        ExchangeOutcome::Cut { .. } => "cut",
        ExchangeOutcome::Lost { .. } => "unreadable",
        ExchangeOutcome::Unfinished => "unfinished",
    }
}

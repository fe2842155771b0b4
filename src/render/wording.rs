//! Facts, oddities and outcomes in words, one line each. The live view, `show` and error messages all use these
//! words.

use std::borrow::Cow;

use crate::chat::{AnswerPlace, NoteFacts};
use crate::content::DecodeError;
use crate::exchange::{Exchange, ExchangeOutcome, LOST_READ_LIMIT, WebSocketTraffic};
use crate::http1::BodyFraming;
use crate::lint::{Finding, WirePlace};
use crate::render::escape::{KeptWhitespace, escape};
use crate::span::{Moment, StreamSide};
use crate::tape::{
    CloseKind, ConnectionFact, ConnectionParty, ExchangeStage, FailureCause, TlsSession,
};

/// `text` escaped for one line of a terminal.
pub fn escape_line(text: &str) -> Cow<'_, str> {
    escape(text.as_bytes(), KeptWhitespace::SpacesOnly)
}

/// `text` escaped for one line and cut to `width` characters; `..` ends what was cut.
pub fn clip_to_width(text: &str, width: usize) -> String {
    let text = escape_line(text);
    if text.chars().count() <= width {
        return text.into_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(2)).collect();
    format!("{kept}..")
}

/// The first `most` characters of `text`; `...` follows if that is not all.
pub fn clip_text(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}...", text.get(..end).unwrap_or(text))),
    }
}

/// A duration or moment in microseconds: `0.42 ms`, `391.02 ms`, `12.34 s`.
pub fn format_duration(micros: u64) -> String {
    let millis = micros as f64 / 1e3;
    if millis < 10_000.0 {
        format!("{millis:.2} ms")
    } else {
        format!("{:.2} s", millis / 1e3)
    }
}

/// A long duration in microseconds: `59.94 s`, `6m 0s`, `2h 0m 30s`; below ten seconds as [`format_duration`].
pub fn format_long_duration(micros: u64) -> String {
    let seconds = micros.div_euclid(1_000_000);
    let (hours, minutes, rest) = (
        seconds.div_euclid(3600),
        seconds.div_euclid(60).rem_euclid(60),
        seconds.rem_euclid(60),
    );
    match (hours, minutes) {
        (0, 0) => format_duration(micros),
        (0, _) => format!("{minutes}m {rest}s"),
        _ => format!("{hours}h {minutes}m {rest}s"),
    }
}

/// A count with separated thousands: `1,234,567`.
pub fn format_count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && digits.len().saturating_sub(place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 byte`, `2 bytes`.
pub fn format_bytes(number: u64) -> String {
    format!(
        "{} {}",
        format_count(number),
        if number == 1 { "byte" } else { "bytes" }
    )
}

/// A fact in one line, escaped.
pub fn describe_fact(fact: &ConnectionFact) -> String {
    escape_line(&fact_text(fact)).into_owned()
}

fn fact_text(fact: &ConnectionFact) -> String {
    match fact {
        ConnectionFact::Resolved { host, addrs } => {
            format!("resolved {host} to {}", addrs.join(", "))
        }
        ConnectionFact::Tried { peer, error } => format!("could not connect to {peer}: {error}"),
        ConnectionFact::Connected { peer, local } if local.is_empty() => {
            format!("connected to {peer}")
        }
        ConnectionFact::Connected { peer, local } => format!("connected to {peer} from {local}"),
        ConnectionFact::Tunnelled { proxy, to } => {
            format!("proxy {proxy} opened a tunnel to {to}")
        }
        ConnectionFact::Secured(secured) => describe_tls(secured),
        ConnectionFact::Reused {} => "reused a connection".to_owned(),
        ConnectionFact::Closed { by, how } => describe_closing(*by, *how).to_owned(),
        ConnectionFact::Failed {
            stage,
            cause,
            error,
        } => describe_failure(*stage, *cause, error),
        ConnectionFact::Redacted {
            rule,
            side,
            span,
            fingerprint,
        } => {
            let key = match fingerprint.as_str() {
                "" => String::new(),
                fingerprint => format!(", key {fingerprint}"),
            };
            format!("masked {rule} in {side} {span}{key}")
        }
        ConnectionFact::Edited { side, span, was } => {
            format!("the recorder changed {side} {span}: the program wrote `{was}`")
        }
        ConnectionFact::Replied { status, reason } => {
            format!("the recorder itself answered {status}: {reason}")
        }
    }
}

/// How many places were masked by which rule; `None` if a fact already says all.
pub(super) fn describe_masked(exchange: &Exchange) -> Option<String> {
    let places = exchange.masked_places();
    let more = exchange.more_masked;
    let total = places
        .iter()
        .fold(more, |sum, (_, count)| sum + *count as u64);
    let more = (more > 0).then(|| format!("{more} more"));
    let rules = places.iter().map(|(rule, count)| format!("{rule} {count}"));
    let rules: Vec<_> = rules.chain(more).collect();
    (total > 1).then(|| format!("masked {total} places: {}", rules.join(", ")))
}

fn describe_tls(secured: &TlsSession) -> String {
    let mut text = format!("{} {}", secured.version, secured.cipher);
    for part in [&secured.group, &secured.alpn].into_iter().flatten() {
        text.push_str(", ");
        text.push_str(part);
    }
    if let Some(leaf) = secured.chain.first() {
        let (subject, issuer, until) = (&leaf.subject, &leaf.issuer, &leaf.not_after);
        text.push_str(&format!("; {subject} by {issuer}, until {until}"));
    }
    if !secured.verified {
        text.push_str("; NOT VERIFIED");
        if let Some(refusal) = &secured.refusal {
            text.push_str(&format!(": {refusal}"));
        }
    }
    text
}

fn describe_closing(by: ConnectionParty, how: CloseKind) -> &'static str {
    match (by, how) {
        (ConnectionParty::Us, CloseKind::CloseNotify) => "closed by us (close_notify)",
        (ConnectionParty::Us, _) => "closed by us",
        (ConnectionParty::Program, _) => "closed by the program",
        (ConnectionParty::Peer, CloseKind::CloseNotify) => "closed by the peer (close_notify)",
        (ConnectionParty::Peer, CloseKind::Eof) => "closed by the peer",
        (ConnectionParty::Peer, CloseKind::EofWithoutCloseNotify) => {
            "closed by the peer without close_notify"
        }
        (ConnectionParty::Peer, CloseKind::Reset) => "reset by the peer",
    }
}

fn describe_failure(stage: ExchangeStage, cause: FailureCause, error: &str) -> String {
    let doing = describe_stage(stage);
    match cause {
        FailureCause::Refused => format!("{doing} failed: {error}"),
        FailureCause::TimedOut => format!("timed out: {error}"),
        FailureCause::Interrupted => format!("interrupted ({error}) while {doing}"),
    }
}

fn describe_stage(stage: ExchangeStage) -> &'static str {
    match stage {
        ExchangeStage::Resolve => "resolving the name",
        ExchangeStage::Connect => "connecting",
        ExchangeStage::Proxy => "asking the proxy",
        ExchangeStage::Tls => "agreeing on TLS",
        ExchangeStage::Write => "writing the request",
        ExchangeStage::Read => "reading the response",
    }
}

/// A finding in one line: the words of its rule with the facts, and the place.
pub fn describe_finding(finding: &Finding) -> String {
    let words = fill_words(finding.rule.says, &finding.facts);
    if let Some(WirePlace { side, span }) = finding.place.wire
        && finding.facts.is_empty()
    {
        let at = match span.is_empty() {
            true => span.start.to_string(),
            false => span.to_string(),
        };
        return format!("odd: {words} ({side} {at}; {})", finding.rule.source);
    }
    let times = match finding.count {
        1 => String::new(),
        count => format!("{} times, first in ", format_count(count)),
    };
    match describe_answer_place(&finding.place.answer) {
        place if place.is_empty() && times.is_empty() => words,
        place if place.is_empty() => format!("{words} ({} times)", format_count(finding.count)),
        place => format!("{words} ({times}{place})"),
    }
}

/// A place in an answer: event and bytes.
pub fn describe_answer_place(place: &AnswerPlace) -> String {
    let event = place.event.map(|event| format!("event {event}"));
    let span = place.span.filter(|span| !span.is_empty());
    let span = span.map(|span| format!("bytes {span} of the body"));
    event.into_iter().chain(span).collect::<Vec<_>>().join(", ")
}

/// `words` with each `{name}` replaced by the fact of that name.
fn fill_words(words: &str, facts: &NoteFacts) -> String {
    let mut filled = String::new();
    let mut rest = words;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let named = after.split_once('}').and_then(|(name, after)| {
            let fact = facts.iter().find(|(known, _)| *known == name);
            Some((fact?.1.as_str(), after))
        });
        match named {
            Some((fact, after)) => {
                filled.push_str(fact);
                rest = after;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// The outcome of an exchange in one line, escaped.
pub fn describe_outcome(exchange: &Exchange) -> String {
    escape_line(&outcome_text(exchange)).into_owned()
}

fn outcome_text(exchange: &Exchange) -> String {
    let received = format_bytes(exchange.received.bytes);
    match exchange.outcome() {
        ExchangeOutcome::Whole => describe_complete(exchange),
        ExchangeOutcome::NoConnection { stage, error } => {
            describe_failure(stage, FailureCause::Refused, &error)
        }
        ExchangeOutcome::TimedOut { stage, error } => {
            describe_failure(stage, FailureCause::TimedOut, &error)
        }
        ExchangeOutcome::Interrupted => format!("interrupted after {received}"),
        ExchangeOutcome::Stopped => {
            format!("stopped by us: the reader of the output went away, after {received}")
        }
        ExchangeOutcome::NoResponse { error } => format!("no response: {error}"),
        ExchangeOutcome::Cut {
            within: Some(part),
            missing,
            error,
        } => {
            let missing = missing.map(|missing| format!(": {} missing", format_bytes(missing)));
            let missing = missing.unwrap_or_default();
            format!("CUT in {part}{missing} after {received} ({error})")
        }
        ExchangeOutcome::Cut { error, .. } if exchange.websocket.is_some() => {
            format!("CUT without a close frame after {received} ({error})")
        }
        ExchangeOutcome::Cut { error, .. } => {
            let got = format_bytes(exchange.response.body_length);
            format!("CUT: the body ends where the connection closes, and after {got}: {error}")
        }
        ExchangeOutcome::Lost { at, fault } => {
            let (text, clause) = (fault.explain(), fault.clause());
            let after = exchange.received.bytes.saturating_sub(at);
            let stopped = match after > LOST_READ_LIMIT {
                true => format!("; wire closed the connection {} later", format_bytes(after)),
                false => String::new(),
            };
            format!("UNREADABLE from byte {at}: {text} ({clause}){stopped}")
        }
        ExchangeOutcome::Unfinished if exchange.websocket.is_some() => {
            format!("still open: the recording stops after {received}, without a close frame")
        }
        ExchangeOutcome::Unfinished => format!("the recording stops after {received}"),
    }
}

/// How a WebSocket was closed, and how many messages it carried.
fn describe_closed_websocket(traffic: &WebSocketTraffic) -> Option<String> {
    let (side, reason) = traffic.close()?;
    let by = match side {
        StreamSide::Sent => "the client",
        StreamSide::Received => "the server",
    };
    let unanswered = match traffic.is_close_answered() {
        true => "",
        false => ", unanswered",
    };
    let [sent, received] =
        [&traffic.sent, &traffic.received].map(|side| count_messages(side.messages));
    Some(format!(
        "closed by {by} with {reason}{unanswered}; {sent} out, {received} in"
    ))
}

fn count_messages(count: u64) -> String {
    match count {
        1 => "1 message".to_owned(),
        many => format!("{} messages", format_count(many)),
    }
}

fn describe_complete(exchange: &Exchange) -> String {
    let traffic = exchange.websocket.as_deref();
    if let Some(text) = traffic.and_then(describe_closed_websocket) {
        return text;
    }
    let response = &exchange.response;
    if response.framing == Some(BodyFraming::Tunnel) && response.body_length > 0 {
        let count = count_messages(exchange.received.runs);
        return format!("complete: {count}, {}", format_bytes(response.body_length));
    }
    let how = match response.framing {
        Some(BodyFraming::Chunked) => format!(", {} chunks", format_count(response.chunks)),
        Some(BodyFraming::UntilClose) => ", ended by the close".to_owned(),
        _ => String::new(),
    };
    let status = response.status().unwrap_or_default();
    format!(
        "complete: {status}, {} of body{how}",
        format_bytes(response.body_length)
    )
}

/// Why a body could not be decoded to its end, in one line.
pub fn describe_undecoded(trouble: &DecodeError) -> String {
    format!("the body cannot be decoded: {trouble}")
}

/// A moment as a column of fixed width, written before a fact.
pub fn moment_column(moment: Moment) -> String {
    format!("{:>10}", format_duration(moment.micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_durations_are_formatted() {
        assert_eq!(format_count(0), "0");
        assert_eq!(format_count(999), "999");
        assert_eq!(format_count(1_234_567), "1,234,567");
        assert_eq!(format_bytes(1), "1 byte");
        assert_eq!(format_duration(420), "0.42 ms");
        assert_eq!(format_duration(12_340_000), "12.34 s");
    }
}

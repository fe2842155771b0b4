//! Facts, oddities and ends in words: one line each, for people. Live view, `show` and error messages
//! say the same thing in the same words.

use std::borrow::Cow;

use crate::content::{Kind, Trouble};
use crate::exchange::{Exchange, Outcome};
use crate::http1::{End, Framing, Message, Oddity};
use crate::render::escape::{Keep, escape};
use crate::span::{Moment, Side};
use crate::tape::{Cause, Closing, Fact, Party, Secured, Stage};

/// Foreign text for one line of a terminal.
pub fn line(text: &str) -> Cow<'_, str> {
    escape(text.as_bytes(), Keep::Nothing)
}

/// A duration or moment in microseconds: `0.42 ms`, `391.02 ms`, `12.34 s`.
pub fn time(micros: u64) -> String {
    let millis = micros as f64 / 1e3;
    if millis < 10_000.0 {
        format!("{millis:.2} ms")
    } else {
        format!("{:.2} s", millis / 1e3)
    }
}

/// A long duration in microseconds: `59.94 s`, `6m 0s`, `2h 0m 30s`; below ten seconds as [`time`].
pub fn long(micros: u64) -> String {
    let seconds = micros.div_euclid(1_000_000);
    let (hours, minutes, rest) = (
        seconds.div_euclid(3600),
        seconds.div_euclid(60).rem_euclid(60),
        seconds.rem_euclid(60),
    );
    match (hours, minutes) {
        (0, 0) => time(micros),
        (0, _) => format!("{minutes}m {rest}s"),
        _ => format!("{hours}h {minutes}m {rest}s"),
    }
}

/// A count with thousands told apart: `1,234,567`.
pub fn count(number: u64) -> String {
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
pub fn bytes(number: u64) -> String {
    format!(
        "{} {}",
        count(number),
        if number == 1 { "byte" } else { "bytes" }
    )
}

/// What happened, in one line.
pub fn fact(fact: &Fact) -> String {
    match fact {
        Fact::Resolved { host, addrs } => {
            format!("resolved {} to {}", line(host), line(&addrs.join(", ")))
        }
        Fact::Tried { peer, error } => format!("tried {} in vain: {}", line(peer), line(error)),
        Fact::Connected { peer, local } if local.is_empty() => {
            format!("connected to {}", line(peer))
        }
        Fact::Connected { peer, local } => {
            format!("connected to {} from {}", line(peer), line(local))
        }
        Fact::Tunnelled { proxy, to } => {
            format!("proxy {} opened a way to {}", line(proxy), line(to))
        }
        Fact::Secured(secured) => tls(secured),
        Fact::Reused {} => "reused a connection".to_owned(),
        Fact::Closed { by, how } => closing(*by, *how).to_owned(),
        Fact::Failed {
            stage,
            cause,
            error,
        } => failure(*stage, *cause, error),
        Fact::Redacted {
            rule,
            side,
            span,
            fingerprint,
        } => {
            let print = if fingerprint.is_empty() {
                String::new()
            } else {
                format!(", key {}", line(fingerprint))
            };
            format!("masked {} in {side} {span}{print}", line(rule))
        }
    }
}

fn tls(secured: &Secured) -> String {
    let mut text = format!("{} {}", line(&secured.version), line(&secured.cipher));
    for part in [&secured.group, &secured.alpn].into_iter().flatten() {
        text.push_str(", ");
        text.push_str(&line(part));
    }
    if let Some(leaf) = secured.chain.first() {
        let (subject, issuer) = (line(&leaf.subject), line(&leaf.issuer));
        text.push_str(&format!(
            "; {subject} by {issuer}, until {}",
            line(&leaf.not_after)
        ));
    }
    if !secured.verified {
        text.push_str("; NOT VERIFIED");
    }
    text
}

fn closing(by: Party, how: Closing) -> &'static str {
    match (by, how) {
        (Party::Us, Closing::CloseNotify) => "closed by us (close_notify)",
        (Party::Us, _) => "closed by us",
        (Party::Peer, Closing::CloseNotify) => "closed by the peer (close_notify)",
        (Party::Peer, Closing::Eof) => "closed by the peer",
        (Party::Peer, Closing::EofWithoutCloseNotify) => "closed by the peer without close_notify",
        (Party::Peer, Closing::Reset) => "reset by the peer",
    }
}

fn failure(stage: Stage, cause: Cause, error: &str) -> String {
    let doing = doing(stage);
    match cause {
        Cause::Refused => format!("{doing} failed: {}", line(error)),
        Cause::TimedOut => format!("timed out: {}", line(error)),
        Cause::Interrupted => format!("interrupted ({}) while {doing}", line(error)),
    }
}

fn doing(stage: Stage) -> &'static str {
    match stage {
        Stage::Resolve => "resolving the name",
        Stage::Connect => "connecting",
        Stage::Proxy => "asking the proxy",
        Stage::Tls => "agreeing on TLS",
        Stage::Write => "writing the request",
        Stage::Read => "reading the response",
    }
}

/// An oddity, with its place and clause.
pub fn oddity(side: Side, oddity: Oddity) -> String {
    let Oddity { kind, at } = oddity;
    let place = if at.is_empty() {
        at.start.to_string()
    } else {
        at.to_string()
    };
    format!(
        "odd: {} ({side} {place}; {})",
        kind.explain(),
        kind.clause()
    )
}

/// Where our own request stops being one that can be read, if it does: it went out all the same.
pub fn lost_request(exchange: &Exchange) -> Option<String> {
    match exchange.request.end? {
        End::Lost { at, fault } => Some(format!(
            "odd: the request cannot be read from its byte {at} on: {} ({})",
            fault.explain(),
            fault.clause()
        )),
        _ => None,
    }
}

/// What was seen and is not told one by one, a line each.
pub fn more(exchange: &Exchange) -> Vec<String> {
    let oddities = |total: u64, message: &Message| total.saturating_add(message.more_oddities);
    let messages = exchange
        .interim
        .iter()
        .chain([&exchange.request, &exchange.response]);
    let counts = [
        (messages.fold(0, oddities), "oddities"),
        (exchange.more_interim, "interim responses"),
        (exchange.more_masked, "places are masked"),
    ];
    let told = counts.into_iter().filter(|(number, _)| *number > 0);
    told.map(|(number, what)| format!("{} more {what}", count(number)))
        .collect()
}

/// How the exchange ended, in one line.
pub fn outcome(exchange: &Exchange) -> String {
    match exchange.outcome() {
        Outcome::Whole => whole(exchange),
        Outcome::NoConnection { stage, error } => failure(stage, Cause::Refused, &error),
        Outcome::TimedOut { stage, error } => failure(stage, Cause::TimedOut, &error),
        Outcome::Interrupted => format!("interrupted after {}", bytes(exchange.received.bytes)),
        Outcome::NoResponse { error } => format!("no response: {}", line(&error)),
        Outcome::Cut {
            within: Some(part),
            missing: Some(missing),
            error,
        } => {
            let missing = bytes(missing);
            format!(
                "CUT in {part}: {missing} missing after {} ({})",
                bytes(exchange.received.bytes),
                line(&error)
            )
        }
        Outcome::Cut {
            within: Some(part),
            missing: None,
            error,
        } => {
            format!(
                "CUT in {part} after {} ({})",
                bytes(exchange.received.bytes),
                line(&error)
            )
        }
        Outcome::Cut {
            within: None,
            error,
            ..
        } => {
            let got = bytes(exchange.response.body_length);
            format!(
                "CUT: the body runs until the close, and after {got} {}",
                line(&error)
            )
        }
        Outcome::Lost { at, fault } => {
            format!(
                "UNREADABLE from byte {at} on: {} ({})",
                fault.explain(),
                fault.clause()
            )
        }
        Outcome::Unfinished => format!(
            "the recording stops after {}",
            bytes(exchange.received.bytes)
        ),
    }
}

fn whole(exchange: &Exchange) -> String {
    let response = &exchange.response;
    let how = match response.framing {
        Some(Framing::Chunked) => format!(", {} chunks", count(response.chunks)),
        Some(Framing::UntilClose) => ", until the close".to_owned(),
        _ => String::new(),
    };
    let status = response.status().unwrap_or_default();
    format!(
        "complete: {status}, {} of body{how}",
        bytes(response.body_length)
    )
}

/// Why a body is not decoded to its end, in one line.
pub fn undecoded(trouble: &Trouble) -> String {
    let more = match trouble.kind {
        Kind::SizeLimit(_) => " (`--max-decoded` allows more)",
        Kind::RatioLimit(_) => " (`--max-ratio` allows more)",
        _ => "",
    };
    format!("the body cannot be decoded: {trouble}{more}")
}

/// A moment as it stands before a fact.
pub fn moment(moment: Moment) -> String {
    format!("{:>10}", time(moment.micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(bytes(1), "1 byte");
        assert_eq!(time(420), "0.42 ms");
        assert_eq!(time(12_340_000), "12.34 s");
    }
}

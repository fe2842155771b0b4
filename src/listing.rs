//! One line about a capture: what a list of many shows.

use serde::Serialize;

use crate::content;
use crate::exchange::{Exchange, Outcome, decoded};
use crate::http1::Limits;
use crate::json;
use crate::tape::Tape;

/// What a list shows of one capture. Absent: not known, or never reached.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// The capture's id.
    pub id: String,
    /// When it began.
    pub started: jiff::Timestamp,
    /// Host and port of its URL.
    pub host: String,
    /// The model that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The status of the final response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: Outcome,
    /// Bytes received.
    pub bytes: u64,
    /// Microseconds from its beginning to the last thing that was seen.
    pub micros: u64,
}

impl Entry {
    /// Gathers it from a tape.
    pub fn of(tape: &Tape) -> Self {
        let exchange = Exchange::read(tape, Limits::default());
        let last = exchange.facts.last().map(|(moment, _)| moment.micros);
        let traffic = [exchange.sent.last, exchange.received.last];
        let traffic = traffic.into_iter().flatten().map(|moment| moment.micros);
        Self {
            id: tape.origin.id.clone(),
            started: tape.origin.started,
            host: host(&tape.origin.url).to_owned(),
            model: asked_model(tape, &exchange),
            status: exchange.response.status(),
            outcome: exchange.outcome(),
            bytes: exchange.received.bytes,
            micros: traffic.chain(last).max().unwrap_or(0),
        }
    }
}

/// Host and port of a URL.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    authority.rsplit('@').next().unwrap_or(authority)
}

/// The model that the request names: in its body, or in its path as Gemini's do.
fn asked_model(tape: &Tape, exchange: &Exchange) -> Option<String> {
    let body = decoded(&exchange.request, &tape.sent, content::Limits::default());
    let named = json::Document::parse(&body.bytes)
        .ok()
        .and_then(|document| {
            let model = document.root().get("model")?.as_str()?;
            Some(model.into_owned())
        });
    named.or_else(|| {
        let target = std::str::from_utf8(exchange.request.target()?).ok()?;
        let (_, rest) = target.split_once("/models/")?;
        let (model, _) = rest.split_once(':')?;
        Some(model.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_urls() {
        assert_eq!(host("https://api.openai.com/v1/x"), "api.openai.com");
        assert_eq!(host("http://u:p@[::1]:80?x"), "[::1]:80");
        assert_eq!(host("odd"), "odd");
    }
}

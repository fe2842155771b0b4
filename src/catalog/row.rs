//! One row of `wire ls`: made from a call, and small enough for an index of many captures.

use serde::{Deserialize, Serialize};

use crate::call::meaning::{CostEstimate, estimate_cost};
use crate::call::websocket::WebSocketSession;
use crate::call::{Call, ReadOptions};
use crate::capture::CaptureNote;
use crate::chat::AnswerRetention;
use crate::exchange::ExchangeOutcome;
use crate::lint::{self, FindingCounts};
use crate::price::{Money, PriceTable, TokenCounts};
use crate::tape::Tape;

/// One row of `wire ls`: the figures of one capture. `None`: not known, or never reached.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct CatalogRow {
    /// The capture's id.
    pub id: String,
    /// When it began.
    pub started: jiff::Timestamp,
    /// Host and port of its URL.
    pub host: String,
    /// Model that the request names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Model that the response names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served_model: Option<String>,
    /// Provider of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The status of the final response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How it ended.
    pub ending: CatalogOutcome,
    /// Why the first choice stopped, in the provider's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish: Option<String>,
    /// Token counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<TokenCounts>,
    /// Cost that the provider reports, in US dollars.
    #[serde(rename = "told_usd", default, skip_serializing_if = "Option::is_none")]
    pub reported_usd: Option<f64>,
    /// Service tier of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Whether the server's certificate was not verified, by `--insecure`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unverified: bool,
    /// Numbers of its findings of severity warning and error.
    #[serde(default, skip_serializing_if = "FindingCounts::is_zero")]
    pub findings: FindingCounts,
    /// Bytes received.
    pub bytes: u64,
    /// Microseconds until the first content, as in [`crate::chat::timeline::AnswerTimeline`]; of an answer that is nothing but
    /// tool calls, until the first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft: Option<u64>,
    /// Microseconds from the start to the last byte or fact.
    pub micros: u64,
    /// Whether the request asks for no answer (`generate: false`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub warm_up: bool,
    /// The calls on the connection, if it became a WebSocket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Self>,
}

/// How an exchange ended, without details.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CatalogOutcome {
    /// The response is whole, and so is the answer in it.
    Whole,
    /// The response is whole; the answer in it is not.
    Broken,
    /// No connection could be made.
    Down,
    /// A time limit of `wire` passed.
    Late,
    /// The user interrupted.
    Interrupted,
    /// `wire` stopped, since the reader of its output went away.
    Stopped,
    /// No response came.
    Silent,
    /// The response stops before its end.
    Cut,
    /// The framing was lost.
    Lost,
    /// The recording stops before the end of the exchange.
    Open,
}

impl CatalogOutcome {
    fn from_outcome(outcome: &ExchangeOutcome, is_broken_off: bool) -> Self {
        match outcome {
            ExchangeOutcome::Whole if is_broken_off => Self::Broken,
            ExchangeOutcome::Whole => Self::Whole,
            ExchangeOutcome::NoConnection { .. } => Self::Down,
            ExchangeOutcome::TimedOut { .. } => Self::Late,
            ExchangeOutcome::Interrupted => Self::Interrupted,
            ExchangeOutcome::Stopped => Self::Stopped,
            ExchangeOutcome::NoResponse { .. } => Self::Silent,
            ExchangeOutcome::Cut { .. } => Self::Cut,
            ExchangeOutcome::Lost { .. } => Self::Lost,
            ExchangeOutcome::Unfinished => Self::Open,
        }
    }
}

impl CatalogRow {
    /// Reads the row of one capture, with a row for each call if it is a WebSocket. `capture_notes` are about lines of its
    /// file that were not read.
    pub fn read(tape: Tape, capture_notes: &[CaptureNote]) -> Self {
        // Rules about texts and arguments need their beginning.
        let options = ReadOptions::without_prices(AnswerRetention::TextStart);
        let mut connection = Call::read(tape, &options);
        connection.capture_notes = capture_notes.to_vec();
        let (tape, exchange) = (&connection.tape, &connection.exchange);
        let Some(session) = WebSocketSession::read(tape, exchange, &options) else {
            return Self::from_call(connection);
        };
        let calls = (0..session.calls.len())
            .filter_map(|number| session.call(number, tape, exchange, &options))
            .map(Self::from_call)
            .collect();
        Self::from_call(connection).with_calls(calls)
    }

    /// The row of a connection with these calls.
    fn with_calls(self, calls: Vec<Self>) -> Self {
        let has_broken = calls
            .iter()
            .any(|call| call.ending != CatalogOutcome::Whole);
        Self {
            ending: match self.ending {
                CatalogOutcome::Whole if has_broken => CatalogOutcome::Broken,
                ending => ending,
            },
            findings: calls
                .iter()
                .fold(self.findings, |sum, call| sum.plus(call.findings)),
            calls,
            ..self
        }
    }

    /// The row of one call. Prices change, so it has token counts and no price.
    fn from_call(call: Call) -> Self {
        let findings = lint::check_call((&call).into());
        let Call {
            tape,
            exchange,
            meaning,
            ..
        } = call;
        let last = exchange.facts.last().map(|(moment, _)| moment.micros);
        let traffic = [exchange.sent.last, exchange.received.last];
        let traffic = traffic.into_iter().flatten().map(|moment| moment.micros);
        let timeline = &meaning.timeline;
        let first = timeline.first_content.or(timeline.first_tool);
        let ending = CatalogOutcome::from_outcome(&exchange.outcome(), meaning.is_broken_off());
        let completion = meaning.completion;
        let finish = completion
            .choices
            .into_iter()
            .next()
            .and_then(|choice| choice.finish);
        Self {
            id: tape.origin.id,
            started: tape.origin.started,
            host: url_host(&tape.origin.url).to_owned(),
            model: completion.asked_model,
            served_model: completion.served_model,
            provider: completion.provider.map(str::to_owned),
            status: exchange.response.status(),
            ending,
            finish: finish.map(|finish| finish.named),
            tokens: completion.usage.as_ref().map(TokenCounts::from),
            reported_usd: completion.cost.map(|cost| cost.usd),
            tier: completion.service_tier,
            unverified: exchange.unverified_tls().is_some(),
            findings: FindingCounts::of(&findings),
            bytes: exchange.received.bytes,
            ttft: first.map(|moment| moment.micros),
            micros: traffic.chain(last).max().unwrap_or(0),
            warm_up: completion.asked.is_warm_up,
            calls: Vec::new(),
        }
    }

    /// The cost that the provider reports.
    pub fn provider_cost(&self) -> Option<Money> {
        self.reported_usd.map(Money::from_dollars)
    }

    /// The cost by `prices`.
    pub fn cost(&self, prices: &PriceTable) -> CostEstimate {
        let names = [self.served_model.as_deref(), self.model.as_deref()];
        estimate_cost(
            names,
            self.provider.as_deref(),
            self.tokens.as_ref(),
            self.tier.as_deref(),
            prices,
        )
    }
}

/// Host and port of a URL.
fn url_host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    authority.rsplit('@').next().unwrap_or(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_url_has_its_port_and_no_password() {
        assert_eq!(url_host("https://api.openai.com/v1/x"), "api.openai.com");
        assert_eq!(url_host("http://u:p@[::1]:80?x"), "[::1]:80");
        assert_eq!(url_host("odd"), "odd");
    }
}

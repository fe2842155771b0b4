//! One row of `wire ls` and its filters. A row is made from a call and small enough for an index of many captures.

use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::call::meaning::{CallMeaning, CostEstimate, estimate_cost};
use crate::exchange::ExchangeOutcome;
use crate::price::{Money, PriceTable, TokenCounts};

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_usd: Option<f64>,
    /// Service tier of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Bytes received.
    pub bytes: u64,
    /// Microseconds until the first content, as in [`crate::chat::timeline::AnswerTimeline`]; of an answer that is nothing but
    /// tool calls, until the first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft: Option<u64>,
    /// Microseconds from the start to the last byte or fact.
    pub micros: u64,
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
    fn from_outcome(outcome: &ExchangeOutcome, report: &CallMeaning) -> Self {
        match outcome {
            ExchangeOutcome::Whole if report.is_broken_off() => Self::Broken,
            ExchangeOutcome::Whole => Self::Whole,
            ExchangeOutcome::NoConnection { .. } => Self::Down,
            ExchangeOutcome::TimedOut { .. } => Self::Late,
            ExchangeOutcome::Interrupted => Self::Interrupted,
            ExchangeOutcome::NoResponse { .. } => Self::Silent,
            ExchangeOutcome::Cut { .. } => Self::Cut,
            ExchangeOutcome::Lost { .. } => Self::Lost,
            ExchangeOutcome::Unfinished => Self::Open,
        }
    }
}

impl CatalogRow {
    /// The row of one call.
    pub fn from_call(call: Call) -> Self {
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
        let ending = CatalogOutcome::from_outcome(&exchange.outcome(), &meaning);
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
            told_usd: completion.cost.map(|cost| cost.usd),
            tier: completion.service_tier,
            bytes: exchange.received.bytes,
            ttft: first.map(|moment| moment.micros),
            micros: traffic.chain(last).max().unwrap_or(0),
        }
    }

    /// The cost that the provider reports.
    pub fn provider_cost(&self) -> Option<Money> {
        self.told_usd.map(Money::from_dollars)
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

/// Filters of `wire ls`. `None` matches every capture.
#[derive(Clone, Debug, Default)]
pub struct CatalogFilter {
    /// Part of the name of the asked or served model.
    pub model: Option<String>,
    /// Part of the host.
    pub host: Option<String>,
    /// Range of status codes.
    pub status: Option<StatusCodeRange>,
    /// Earliest start time.
    pub since: Option<jiff::Timestamp>,
}

/// A range of status codes, both ends included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StatusCodeRange(pub u16, pub u16);

impl StatusCodeRange {
    /// Reads `429`, `4xx` or `400-499`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(class) = text.strip_suffix("xx") {
            let class = class
                .parse::<u16>()
                .ok()
                .filter(|class| (1..=9).contains(class))?;
            let first = class.saturating_mul(100);
            return Some(Self(first, first.saturating_add(99)));
        }
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Some(Self(first.parse().ok()?, last.parse().ok()?))
    }
}

impl CatalogFilter {
    /// Whether `entry` matches all filters.
    pub fn matches(&self, entry: &CatalogRow) -> bool {
        let holds = |whole: &Option<String>, part: &str| {
            whole.as_ref().is_some_and(|whole| whole.contains(part))
        };
        let model = |part: &String| holds(&entry.model, part) || holds(&entry.served_model, part);
        let status = |StatusCodeRange(first, last): StatusCodeRange| {
            entry
                .status
                .is_some_and(|status| (first..=last).contains(&status))
        };
        self.model.as_ref().is_none_or(model)
            && self
                .host
                .as_ref()
                .is_none_or(|part| entry.host.contains(part))
            && self.status.is_none_or(status)
            && self.since.is_none_or(|since| entry.started >= since)
    }
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

    #[test]
    fn status_ranges_are_read_as_one_class_or_range() {
        assert_eq!(
            StatusCodeRange::parse("429"),
            Some(StatusCodeRange(429, 429))
        );
        assert_eq!(
            StatusCodeRange::parse("4xx"),
            Some(StatusCodeRange(400, 499))
        );
        assert_eq!(
            StatusCodeRange::parse("200-299"),
            Some(StatusCodeRange(200, 299))
        );
        assert_eq!(StatusCodeRange::parse("abc"), None);
        assert_eq!(StatusCodeRange::parse("xx"), None);
    }
}

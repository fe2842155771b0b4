//! One line about a capture: what a list of many shows and filters by. Made from a tape, and small enough to
//! be kept in an index.

use serde::{Deserialize, Serialize};

use crate::call::meaning::{Priced, Report, priced};
use crate::chat::{Keep, Options};
use crate::content;
use crate::exchange::{Exchange, ExchangeOutcome};
use crate::http1::HttpLimits;
use crate::price::{Money, Prices, Tokens};
use crate::tape::Tape;

/// What a list shows of one capture. Absent: not known, or never reached.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Entry {
    /// The capture's id.
    pub id: String,
    /// When it began.
    pub started: jiff::Timestamp,
    /// Host and port of its URL.
    pub host: String,
    /// The model that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The model that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served_model: Option<String>,
    /// Who served it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The status of the final response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How it ended.
    pub ending: Ending,
    /// Why the first choice stopped, in the provider's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish: Option<String>,
    /// What was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
    /// What the provider says that it cost, in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_usd: Option<f64>,
    /// Tier that it was served in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Bytes received.
    pub bytes: u64,
    /// Microseconds until the first content, as in [`crate::chat::timeline::Timeline`]; of an answer that is nothing but
    /// tool calls, until the first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft: Option<u64>,
    /// Microseconds from its beginning to the last thing that was seen.
    pub micros: u64,
}

/// How an exchange ended, in a word.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The response is whole, and so is the answer in it.
    Whole,
    /// The response is whole; the streamed answer in it is not.
    Broken,
    /// There was no connection.
    Down,
    /// A time limit passed.
    Late,
    /// The user interrupted.
    Interrupted,
    /// No response came.
    Silent,
    /// The response stops before its end.
    Cut,
    /// Its framing was lost.
    Lost,
    /// The recording stops first.
    Open,
}

impl Ending {
    fn of(outcome: &ExchangeOutcome, report: &Report) -> Self {
        match outcome {
            ExchangeOutcome::Whole if report.is_broken() => Self::Broken,
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

impl Entry {
    /// Gathers it from a tape.
    pub fn of(tape: &Tape) -> Self {
        let exchange = Exchange::read(tape, HttpLimits::default());
        let options = Options {
            keep: Keep::Sums,
            ..Options::default()
        };
        // Prices change and are looked up when the list is shown.
        let report = Report::read(
            tape,
            &exchange,
            content::DecodeLimits::default(),
            options,
            &Prices::default(),
        );
        let last = exchange.facts.last().map(|(moment, _)| moment.micros);
        let traffic = [exchange.sent.last, exchange.received.last];
        let traffic = traffic.into_iter().flatten().map(|moment| moment.micros);
        let timeline = &report.timeline;
        let first = timeline.first_content.or(timeline.first_tool);
        let ending = Ending::of(&exchange.outcome(), &report);
        let completion = report.completion;
        let finish = completion
            .choices
            .into_iter()
            .next()
            .and_then(|choice| choice.finish);
        Self {
            id: tape.origin.id.clone(),
            started: tape.origin.started,
            host: host(&tape.origin.url).to_owned(),
            model: completion.asked_model,
            served_model: completion.served_model,
            provider: completion.provider.map(str::to_owned),
            status: exchange.response.status(),
            ending,
            finish: finish.map(|finish| finish.named),
            tokens: completion.usage.as_ref().map(Tokens::from),
            told_usd: completion.cost.map(|cost| cost.usd),
            tier: completion.service_tier,
            bytes: exchange.received.bytes,
            ttft: first.map(|moment| moment.micros),
            micros: traffic.chain(last).max().unwrap_or(0),
        }
    }

    /// What the provider says that it cost.
    pub fn told_cost(&self) -> Option<Money> {
        self.told_usd.map(Money::from_dollars)
    }

    /// What it cost, by `prices`.
    pub fn cost(&self, prices: &Prices) -> Priced {
        let names = [self.served_model.as_deref(), self.model.as_deref()];
        priced(
            names,
            self.provider.as_deref(),
            self.tokens.as_ref(),
            self.tier.as_deref(),
            prices,
        )
    }
}

/// Host and port of a URL.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    authority.rsplit('@').next().unwrap_or(authority)
}

/// What of a list is wanted. Each absent condition holds for all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// A part of the asked or served model's name.
    pub model: Option<String>,
    /// A part of the host.
    pub host: Option<String>,
    /// Which statuses.
    pub status: Option<Statuses>,
    /// Not before this moment.
    pub since: Option<jiff::Timestamp>,
}

/// Statuses from one to another, both included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Statuses(pub u16, pub u16);

impl Statuses {
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

impl Filter {
    /// Whether `entry` is wanted.
    pub fn wants(&self, entry: &Entry) -> bool {
        let holds = |whole: &Option<String>, part: &str| {
            whole.as_ref().is_some_and(|whole| whole.contains(part))
        };
        let model = |part: &String| holds(&entry.model, part) || holds(&entry.served_model, part);
        let status = |Statuses(first, last): Statuses| {
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
    fn hosts_of_urls() {
        assert_eq!(host("https://api.openai.com/v1/x"), "api.openai.com");
        assert_eq!(host("http://u:p@[::1]:80?x"), "[::1]:80");
        assert_eq!(host("odd"), "odd");
    }

    #[test]
    fn ranges_of_statuses() {
        assert_eq!(Statuses::parse("429"), Some(Statuses(429, 429)));
        assert_eq!(Statuses::parse("4xx"), Some(Statuses(400, 499)));
        assert_eq!(Statuses::parse("200-299"), Some(Statuses(200, 299)));
        assert_eq!(Statuses::parse("abc"), None);
        assert_eq!(Statuses::parse("xx"), None);
    }
}

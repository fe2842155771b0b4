//! What an exchange means, gathered from every layer of meaning: the value behind summaries and `--json`.

use serde::Serialize;

use crate::chat::{Completion, Ending, Finish, FinishKind, Options, Reader, Usage, Verdict};
use crate::content;
use crate::exchange::{Exchange, decoded};
use crate::limits::retry::{Advice, Failure, Family, Sdk};
use crate::limits::{self, ServiceFacts};
use crate::price::{self, Cost, Prices, Tier, Tokens};
use crate::tape::Tape;
use crate::timeline::{self, Timeline};

/// What an exchange means.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The answer.
    pub completion: Completion,
    /// When its pieces came.
    pub timeline: Timeline,
    /// What the service tells about itself in the head.
    pub service: ServiceFacts,
    /// What it costs by the table of prices.
    pub cost: Priced,
    /// What SDKs would do about an error.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<Advice>,
}

/// A cost, or why there is none.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Priced {
    /// So much.
    Known {
        /// The entry of the table that was used.
        model: String,
        /// When the table was published, in words; absent for an entry of the user's own.
        #[serde(skip_serializing_if = "Option::is_none")]
        published: Option<String>,
        /// The sums.
        #[serde(flatten)]
        cost: Box<Cost>,
    },
    /// The table has no price for this model.
    UnknownModel(String),
    /// Nothing was counted, or no model is named.
    NotCounted,
}

impl Report {
    /// Reads what `exchange`, read with all places kept, means.
    pub fn read(
        tape: &Tape,
        exchange: &Exchange,
        limits: content::Limits,
        options: Options,
        prices: &Prices,
    ) -> Self {
        let asked = decoded(&exchange.request, &tape.sent, limits);
        let body = decoded(&exchange.response, &tape.received, limits);
        let mut reader = Reader::begin(exchange, &asked.bytes, options);
        let mut gather = timeline::Gather::default();
        let moments = |at| {
            let offset = body.wire_offset(at);
            offset
                .and_then(|offset| tape.received.moment(offset))
                .unwrap_or_default()
        };
        reader.push_with(&body.bytes, &moments, &mut gather);
        let completion = reader.finish(Ending::of(exchange), &mut gather);
        let (sent, last) = (exchange.sent.last, exchange.received.last);
        let timeline = gather.finish(&completion, sent, last);
        Self::new(exchange, completion, timeline, prices)
    }

    /// Whether the answer broke off although its HTTP message is whole: a stream inside an event, with an error,
    /// or without saying that it finished; a plain answer inside its JSON.
    pub fn is_broken(&self) -> bool {
        let streamed = self.completion.is_streamed();
        self.completion.dialect.is_some()
            && match self.completion.verdict {
                Verdict::CutInJson { .. } => true,
                Verdict::CutInEvent { .. } | Verdict::CutInChunk | Verdict::CutOff { .. } => {
                    streamed
                }
                // Some report a limit as an error after they have said why they finished.
                Verdict::ErrorEvent => streamed && !self.is_finished(),
                Verdict::NoFinish | Verdict::DoneWithoutFinish => streamed,
                _ => false,
            }
    }

    /// Whether each choice says why it stopped, and not with an error, and the end mark came.
    fn is_finished(&self) -> bool {
        let choices = &self.completion.choices;
        let stopped = |finish: &Finish| finish.kind != FinishKind::Error;
        self.completion.done
            && choices
                .iter()
                .all(|choice| choice.finish.as_ref().is_some_and(stopped))
    }

    /// Puts it together.
    pub fn new(
        exchange: &Exchange,
        completion: Completion,
        timeline: Timeline,
        prices: &Prices,
    ) -> Self {
        let service = limits::read(&exchange.response.head);
        let names = [
            completion.served_model.as_deref(),
            completion.asked_model.as_deref(),
        ];
        let tokens = completion.usage.as_ref().map(Tokens::from);
        let tier = completion.service_tier.as_deref();
        Self {
            cost: priced(names, completion.provider, tokens.as_ref(), tier, prices),
            advice: advice(exchange, &completion, &service),
            completion,
            timeline,
            service,
        }
    }
}

/// What `tokens` cost, by the first of `names` that has a price: the served name is the exact one, the asked
/// one may be what the table lists.
pub fn priced(
    names: [Option<&str>; 2],
    provider: Option<&str>,
    tokens: Option<&Tokens>,
    tier: Option<&str>,
    prices: &Prices,
) -> Priced {
    let mut names = names.into_iter().flatten().peekable();
    let (Some(&name), Some(tokens)) = (names.peek(), tokens) else {
        return Priced::NotCounted;
    };
    let find = |name| {
        prices
            .find(name, provider)
            .or_else(|| prices.find(name, None))
    };
    let Some(price) = names.find_map(find) else {
        return Priced::UnknownModel(name.to_owned());
    };
    let tier = tier.and_then(Tier::named).unwrap_or(Tier::Standard);
    match price::cost(price, tokens, tier) {
        Some(cost) => Priced::Known {
            model: price.model.clone(),
            published: prices.source().published.clone().filter(|_| !price.own),
            cost: Box::new(cost),
        },
        None => Priced::NotCounted,
    }
}

impl From<&Usage> for Tokens {
    fn from(usage: &Usage) -> Self {
        Self {
            input: usage.input,
            cached_input: usage.cached_input,
            cache_write: usage.cache_write,
            cache_write_1h: None,
            audio_input: usage.audio_input,
            output: usage.output,
            reasoning: usage.reasoning,
            audio_output: usage.audio_output,
        }
    }
}

/// What the SDK that sent the request would do; where the request names none, what those would do that are
/// made for this API.
fn advice(exchange: &Exchange, completion: &Completion, service: &ServiceFacts) -> Vec<Advice> {
    let Some(status) = exchange.response.status().filter(|status| *status >= 400) else {
        return vec![];
    };
    let failure = Failure::Status(status);
    // A wait until a date counts from the date of the response.
    let now = service.date;
    let agent = exchange.request.head.get("user-agent").unwrap_or_default();
    if let Some(sdk) = Sdk::of_agent(&String::from_utf8_lossy(&agent)) {
        return vec![sdk.advise(failure, service, now)];
    }
    let family = match (completion.provider, completion.dialect) {
        (Some("groq"), _) => Family::Groq,
        (_, Some(dialect)) if dialect.starts_with("anthropic") => Family::Anthropic,
        (_, Some(dialect)) if dialect.starts_with("gemini") => Family::Google,
        _ => Family::OpenAi,
    };
    let all = limits::retry::advise(failure, service, now);
    all.into_iter()
        .filter(|advice| [family, Family::Any].contains(&advice.family))
        .collect()
}

//! What an exchange means, gathered from every layer of meaning: the value behind summaries and `--json`.

use jiff::Timestamp;
use serde::Serialize;

use crate::chat::{Completion, Ending, Options, Reader, Usage, Verdict};
use crate::content;
use crate::exchange::{Exchange, decoded};
use crate::limits::retry::{Advice, Failure, Sdk};
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

    /// Whether a streamed answer broke off although its HTTP message is whole: inside an event, with an error,
    /// or without saying that it finished. What is no stream is as whole as its message.
    pub fn is_broken(&self) -> bool {
        let begun = !self.completion.choices.is_empty();
        self.completion.is_streamed()
            && match self.completion.verdict {
                Verdict::CutInEvent { .. }
                | Verdict::CutInChunk
                | Verdict::CutOff { .. }
                | Verdict::ErrorEvent => true,
                Verdict::NoFinish | Verdict::DoneWithoutFinish => begun,
                _ => false,
            }
    }

    /// Puts it together.
    pub fn new(
        exchange: &Exchange,
        completion: Completion,
        timeline: Timeline,
        prices: &Prices,
    ) -> Self {
        let service = limits::read(&exchange.response.head);
        Self {
            cost: priced(&completion, prices),
            // A wait until a date counts from the date of the response.
            advice: advice(exchange, &service, service.date),
            completion,
            timeline,
            service,
        }
    }
}

fn priced(completion: &Completion, prices: &Prices) -> Priced {
    let model = completion
        .served_model
        .as_ref()
        .or(completion.asked_model.as_ref());
    let (Some(model), Some(usage)) = (model, &completion.usage) else {
        return Priced::NotCounted;
    };
    // The served name is the exact one; the asked one may be what the table lists.
    let names = [Some(model), completion.asked_model.as_ref()];
    let provider = completion.provider;
    let found = names.into_iter().flatten().find_map(|name| {
        prices
            .find(name, provider)
            .or_else(|| prices.find(name, None))
    });
    let Some(price) = found else {
        return Priced::UnknownModel(model.clone());
    };
    let tier = completion.service_tier.as_deref().and_then(Tier::named);
    match price::cost(price, &tokens(usage), tier.unwrap_or(Tier::Standard)) {
        Some(cost) => Priced::Known {
            model: price.model.clone(),
            published: prices.source().published.clone().filter(|_| !price.own),
            cost: Box::new(cost),
        },
        None => Priced::NotCounted,
    }
}

fn tokens(usage: &Usage) -> Tokens {
    Tokens {
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

/// What the SDK that sent the request would do; where the request names none, what all would do that are
/// made for several APIs.
fn advice(exchange: &Exchange, service: &ServiceFacts, now: Option<Timestamp>) -> Vec<Advice> {
    let Some(status) = exchange.response.status().filter(|status| *status >= 400) else {
        return vec![];
    };
    let failure = Failure::Status(status);
    let agent = exchange.request.head.get("user-agent").unwrap_or_default();
    match Sdk::of_agent(&String::from_utf8_lossy(&agent)) {
        Some(sdk) => vec![sdk.advise(failure, service, now)],
        None => limits::retry::advise(failure, service, now),
    }
}

//! The meaning of an exchange: answer, timeline, service facts, cost and retry advice. Summaries and `--json` show it.

use serde::Serialize;

use super::options::ReadOptions;
use crate::chat::timeline::{self, AnswerTimeline};
use crate::chat::{
    self, AnswerReader, BodyEnding, Completion, DeltaSink, ModelMatch, TokenUsage, compare_models,
};
use crate::content::DecodedBody;
use crate::exchange::Exchange;
use crate::price::{self, CostBreakdown, PriceTable, ServiceTier, TokenCounts};
use crate::sdk::{CallFailure, RetryAdvice, SdkFamily, SdkProfile};
use crate::service::{self, ServiceFacts};
use crate::tape::Tape;

/// The meaning of an exchange.
#[derive(Clone, Debug, Serialize)]
pub struct CallMeaning {
    /// The answer.
    pub completion: Completion,
    /// Arrival times of the pieces of the answer.
    pub timeline: AnswerTimeline,
    /// Rate limits, ids and server times from the response's head.
    pub service: ServiceFacts,
    /// The cost by the price table.
    pub cost: CostEstimate,
    /// What SDKs do about the error: retry or not, and when.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<RetryAdvice>,
}

/// A cost, or the reason why it is not known.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CostEstimate {
    /// The price table has the model, and tokens were counted.
    Known {
        /// Name of the table entry that was used.
        model: String,
        /// Date of the table, in words; `None` for an entry from the user's own table.
        #[serde(skip_serializing_if = "Option::is_none")]
        published: Option<String>,
        /// The cost by kind of token, and the total.
        #[serde(flatten)]
        cost: Box<CostBreakdown>,
    },
    /// The table has no price for this model.
    UnknownModel(String),
    /// The response counts no tokens, or no model is named.
    NotCounted,
}

impl CallMeaning {
    /// Reads the meaning of `exchange` from the decoded body of its response with `reader`; `sink` receives each delta.
    pub(super) fn read(
        tape: &Tape,
        exchange: &Exchange,
        body: &DecodedBody,
        mut reader: AnswerReader,
        options: &ReadOptions,
        sink: &mut dyn DeltaSink,
    ) -> Self {
        let mut sinks = (timeline::TimelineBuilder::default(), sink);
        let moments = |at| {
            let offset = body.wire_offset(at);
            offset
                .and_then(|offset| tape.received.moment_at(offset))
                .unwrap_or_default()
        };
        reader.push_with_moments(&body.bytes, &moments, &mut sinks);
        let completion = reader.finish(BodyEnding::from_exchange(exchange), &mut sinks);
        let (sent, last) = (exchange.sent.last, exchange.received.last);
        let timeline = sinks.0.finish(&completion, sent, last);
        Self::new(exchange, completion, timeline, &options.prices)
    }

    /// Whether the answer broke off, failed or cannot be read, although its HTTP message is whole.
    pub fn is_broken_off(&self) -> bool {
        self.completion.verdict.is_broken_off()
    }

    /// Reads the service facts of the head, prices the usage, and adds the SDKs' retry advice.
    pub fn new(
        exchange: &Exchange,
        mut completion: Completion,
        timeline: AnswerTimeline,
        prices: &PriceTable,
    ) -> Self {
        let service = service::read_head(&exchange.response.head);
        completion.cost = completion.cost.or_else(|| gateway_cost(&service));
        let names = [
            completion.served_model.as_deref(),
            completion.asked_model.as_deref(),
        ];
        let tokens = completion.usage.as_ref().map(TokenCounts::from);
        let tier = completion.service_tier.as_deref();
        Self {
            cost: estimate_cost(names, completion.provider, tokens.as_ref(), tier, prices),
            advice: retry_advice(exchange, &completion, &service),
            completion,
            timeline,
            service,
        }
    }
}

/// The cost that a gateway reports in the response's head.
fn gateway_cost(service: &ServiceFacts) -> Option<chat::ReportedCost> {
    let usd = service
        .values_of(service::HeaderMeaning::Cost)
        .next()?
        .trim()
        .parse()
        .ok();
    // LiteLLM reports zero for a model without a price.
    let usd = usd.filter(|usd: &f64| *usd > 0.0)?;
    chat::ReportedCost::from_dollars(usd, "x-litellm-response-cost")
}

/// The cost of `tokens` by the price of the served model, or else of the asked model when both name the same model.
/// The served name is more exact, but the table may list only the asked one.
pub fn estimate_cost(
    [served, asked]: [Option<&str>; 2],
    provider: Option<&str>,
    tokens: Option<&TokenCounts>,
    tier: Option<&str>,
    prices: &PriceTable,
) -> CostEstimate {
    let (Some(name), Some(tokens)) = (served.or(asked), tokens) else {
        return CostEstimate::NotCounted;
    };
    let is_other = |asked: &&str| {
        served.is_some_and(|served| compare_models(asked, served) == ModelMatch::Different)
    };
    let names = served
        .into_iter()
        .chain(asked.filter(|asked| !is_other(asked)));
    let found = price_seller(provider).and_then(|seller| {
        let mut prices = names.filter_map(|name| prices.find(name, seller));
        prices.next()
    });
    let Some(price) = found else {
        return CostEstimate::UnknownModel(name.to_owned());
    };
    let named = tier.map(ServiceTier::from_name);
    let tier = named.flatten().unwrap_or(ServiceTier::Standard);
    let Some(mut cost) = price::compute_cost(price, tokens, tier) else {
        return CostEstimate::NotCounted;
    };
    cost.notes
        .extend((named == Some(None)).then_some(price::CostNote::UnknownTier));
    CostEstimate::Known {
        model: price.model.clone(),
        published: prices.source().published.clone().filter(|_| !price.own),
        cost: Box::new(cost),
    }
}

/// The company whose prices apply to answers of `provider`: `Some(None)` means any company that lists the model (gateways
/// resell), `None` means no price (the user's own machine serves).
fn price_seller(provider: Option<&str>) -> Option<Option<&str>> {
    match provider {
        Some("llama.cpp") => None,
        Some("openrouter" | "huggingface") => Some(None),
        other => Some(other),
    }
}

impl From<&TokenUsage> for TokenCounts {
    fn from(usage: &TokenUsage) -> Self {
        if let (Some(input), output @ Some(_)) = (usage.billed_input, usage.billed_output) {
            return Self {
                input: Some(input),
                output,
                ..Self::default()
            };
        }
        Self {
            input: usage.input,
            cached_input: usage.cached_input,
            cache_write: usage.cache_write,
            cache_write_1h: usage.cache_write_1h,
            audio_input: usage.audio_input,
            output: usage.output,
            reasoning: usage.reasoning,
            audio_output: usage.audio_output,
        }
    }
}

/// The retry advice of the SDK that sent the request, or of all SDKs for this API when the request names none.
fn retry_advice(
    exchange: &Exchange,
    completion: &Completion,
    service: &ServiceFacts,
) -> Vec<RetryAdvice> {
    let Some(status) = exchange.response.status().filter(|status| *status >= 400) else {
        return vec![];
    };
    let failure = CallFailure::Status(status);
    // A wait until a date counts from the date of the response.
    let now = service.date;
    let agent = exchange.request.head.get("user-agent").unwrap_or_default();
    if let Some(sdk) = SdkProfile::from_user_agent(&String::from_utf8_lossy(&agent)) {
        return vec![sdk.advise(failure, service, now)];
    }
    let dialect_family = completion.dialect.map(|dialect| dialect.sdk_family);
    let family = SdkFamily::of_provider(completion.provider)
        .or(dialect_family)
        .unwrap_or(SdkFamily::OpenAi);
    let all = crate::sdk::advise_all(failure, service, now);
    all.into_iter()
        .filter(|advice| [family, SdkFamily::Any].contains(&advice.family))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(names: [Option<&str>; 2], provider: Option<&str>, tier: Option<&str>) -> String {
        let tokens = TokenCounts {
            input: Some(1_000_000),
            output: Some(0),
            ..TokenCounts::default()
        };
        match estimate_cost(names, provider, Some(&tokens), tier, PriceTable::embedded()) {
            CostEstimate::Known { model, cost, .. } => {
                let notes: Vec<_> = cost.notes.iter().map(ToString::to_string).collect();
                format!("{model} {} {}", cost.total, notes.join("; "))
            }
            CostEstimate::UnknownModel(model) => format!("none for {model}"),
            CostEstimate::NotCounted => "not counted".to_owned(),
        }
    }

    #[test]
    fn a_model_is_not_priced_by_the_entry_of_another_model() {
        let case = |names, provider, expected: &str| {
            assert_eq!(price(names, provider, None).trim_end(), expected);
        };
        let dated = [Some("gpt-4o-2024-08-06"), Some("gpt-4o")];
        case(dated, Some("openai"), "gpt-4o $2.50");
        case(dated, None, "gpt-4o $2.50");
        // Another model than was asked for has no price of its own.
        case([Some("m"), Some("gpt-4o")], None, "none for m");
        // A name that the table has for others only.
        case(dated, Some("groq"), "none for gpt-4o-2024-08-06");
        case(dated, Some("llama.cpp"), "none for gpt-4o-2024-08-06");
        case(
            [Some("openai/gpt-4o"), None],
            Some("openrouter"),
            "gpt-4o $2.50",
        );
        case([None, None], Some("openai"), "not counted");
    }

    #[test]
    fn an_unknown_tier_is_a_note() {
        let asked = [Some("gpt-4o"), None];
        assert!(price(asked, Some("openai"), Some("scale")).contains("the tier that served"));
        assert!(!price(asked, Some("openai"), Some("default")).contains("tier"));
    }
}

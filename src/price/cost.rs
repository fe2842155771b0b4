//! The cost of token counts: exact sums, with a note for everything that the table does not have.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{ModelPrice, Money, ServiceTier, TokenCounts, TokenRate, TokenRates};

/// Cost of a call by kind of token. The parts add up to the total exactly.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct CostBreakdown {
    /// Cost of uncached tokens of the prompt, text and audio.
    pub input: Money,
    /// Cost of tokens read from a cache.
    pub cached: Money,
    /// Cost of tokens written to a cache.
    pub cache_write: Money,
    /// Cost of generated tokens: text, audio and reasoning.
    pub output: Money,
    /// Total cost.
    pub total: Money,
    /// The rates that were used.
    pub rates: TokenRates,
    /// Service tier of these rates.
    pub tier: ServiceTier,
    /// Whether they are the rates of long prompts.
    pub long_context: bool,
    /// Reasons why the cost may be wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<CostNote>,
}

/// A reason why a cost may be wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CostNote {
    /// The response does not count the prompt: the total lacks it.
    NoInputCount,
    /// The response does not count what it generated: the total lacks it.
    NoOutputCount,
    /// The parts of the prompt are more than the whole.
    InputPartsExceed,
    /// The parts of the answer are more than the whole.
    OutputPartsExceed,
    /// The table has no rates for the tier that served.
    NoTierRates(ServiceTier),
    /// The answer names a tier that the table does not know.
    UnknownTier,
    /// The table has no rate for cached tokens in this tier.
    NoTierCacheRate(ServiceTier),
    /// The table has no rate for long prompts in this tier.
    NoTierLongRates(ServiceTier),
    /// Sound was charged like text: there is no rate for it.
    AudioAsText,
    /// Sound and cached tokens may be the same ones.
    AudioMaybeCached,
    /// Some hours have other rates.
    OffPeak,
    /// Some lengths have other rates.
    LengthBands,
}

impl fmt::Display for CostNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoInputCount => f.write_str("the prompt was not counted: it is missing here"),
            Self::NoOutputCount => f.write_str("the answer was not counted: it is missing here"),
            Self::InputPartsExceed => {
                f.write_str("cached, written and sound tokens exceed the prompt")
            }
            Self::OutputPartsExceed => f.write_str("reasoning and sound tokens exceed the answer"),
            Self::NoTierRates(tier) => {
                write!(f, "no rates known for tier {tier}: plain ones used")
            }
            Self::UnknownTier => {
                f.write_str("no rates known for the tier that served: plain ones used")
            }
            Self::NoTierCacheRate(tier) => {
                write!(
                    f,
                    "no rate known for caching in tier {tier}: charged in full"
                )
            }
            Self::NoTierLongRates(tier) => {
                write!(
                    f,
                    "no rates known for long prompts in tier {tier}: plain ones used"
                )
            }
            Self::AudioAsText => f.write_str("no rate known for sound: charged like text"),
            Self::AudioMaybeCached => {
                f.write_str("sound that came from a cache is charged as cached")
            }
            Self::OffPeak => f.write_str("some hours are cheaper: full rates used"),
            Self::LengthBands => f.write_str("rates depend on length: those of the shortest used"),
        }
    }
}

impl Serialize for CostNote {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// The cost of `tokens` at `price`, in the tier that the *response* names ([`ServiceTier::from_name`]).
///
/// `None` if the response counts neither prompt nor answer: the cost is unknown, not zero.
pub fn compute_cost(
    price: &ModelPrice,
    tokens: &TokenCounts,
    tier: ServiceTier,
) -> Option<CostBreakdown> {
    if tokens.input.is_none() && tokens.output.is_none() {
        return None;
    }
    let mut notes = Vec::new();
    let (rates, long_context) = select_rates(price, tokens, tier, &mut notes);
    let [input, cached, cache_write] = prompt_costs(&rates, tokens, &mut notes);
    let output = output_cost(&rates, tokens, &mut notes);
    notes.extend(price.off_peak.then_some(CostNote::OffPeak));
    notes.extend(price.bands.then_some(CostNote::LengthBands));
    Some(CostBreakdown {
        input,
        cached,
        cache_write,
        output,
        total: [input, cached, cache_write, output].into_iter().sum(),
        rates,
        tier,
        long_context,
        notes,
    })
}

/// The rates for this request, and whether they are those of long prompts.
fn select_rates(
    price: &ModelPrice,
    tokens: &TokenCounts,
    tier: ServiceTier,
    notes: &mut Vec<CostNote>,
) -> (TokenRates, bool) {
    let prompt = tokens.input.unwrap_or(0);
    let long = price.long_context.filter(|long| {
        // xAI alone draws the line below the number itself.
        prompt > long.above || price.provider == "xai" && prompt == long.above
    });
    if let Some(long) = long {
        notes.extend((tier != ServiceTier::Standard).then_some(CostNote::NoTierLongRates(tier)));
        return (long.rates, true);
    }
    if tier == ServiceTier::Standard {
        return (price.rates, false);
    }
    let of_tier = price.tiers.get(&tier).copied().unwrap_or_default();
    if of_tier.input.is_none() || of_tier.output.is_none() {
        notes.push(CostNote::NoTierRates(tier));
    }
    let cached = tokens.cached_input.unwrap_or(0) > 0;
    let mut rates = price.rates;
    if let Some(input) = of_tier.input {
        rates.cached_input = of_tier.cached_input;
        rates.input = input;
        let lost = price.rates.cached_input.is_some() && rates.cached_input.is_none();
        notes.extend((cached && lost).then_some(CostNote::NoTierCacheRate(tier)));
    }
    rates.output = of_tier.output.unwrap_or(rates.output);
    (rates, false)
}

/// Cost of the prompt: uncached, cached and written tokens.
fn prompt_costs(rates: &TokenRates, tokens: &TokenCounts, notes: &mut Vec<CostNote>) -> [Money; 3] {
    notes.extend(tokens.input.is_none().then_some(CostNote::NoInputCount));
    let [cached, written, sound] =
        [tokens.cached_input, tokens.cache_write, tokens.audio_input].map(|part| part.unwrap_or(0));
    let all = tokens
        .input
        .unwrap_or_else(|| cached.saturating_add(written));
    let fresh = all.saturating_sub(cached).saturating_sub(written);
    let parts = u128::from(cached).saturating_add(written.into());
    if parts > all.into() || sound > all {
        notes.push(CostNote::InputPartsExceed);
    } else if sound > 0 && cached > 0 {
        notes.push(CostNote::AudioMaybeCached);
    }
    let sound = sound.min(fresh);
    let (sound_rate, as_text) = (
        rates.audio_input.unwrap_or(rates.input),
        rates.audio_input.is_none(),
    );
    notes.extend((as_text && sound > 0).then_some(CostNote::AudioAsText));
    let hour = tokens.cache_write_1h.unwrap_or(0).min(written);
    let short_rate = rates.cache_write.unwrap_or(rates.input);
    let hour_rate = rates.cache_write_1h.unwrap_or(short_rate);
    [
        rates.input.cost_of(fresh.saturating_sub(sound)) + sound_rate.cost_of(sound),
        rates.cached_input.unwrap_or(rates.input).cost_of(cached),
        short_rate.cost_of(written.saturating_sub(hour)) + hour_rate.cost_of(hour),
    ]
}

/// Cost of all generated tokens.
fn output_cost(rates: &TokenRates, tokens: &TokenCounts, notes: &mut Vec<CostNote>) -> Money {
    let Some(all) = tokens.output else {
        notes.push(CostNote::NoOutputCount);
        return Money::default();
    };
    let (reasoning, sound) = (
        tokens.reasoning.unwrap_or(0),
        tokens.audio_output.unwrap_or(0),
    );
    let parts = u128::from(reasoning).saturating_add(sound.into());
    notes.extend((parts > all.into()).then_some(CostNote::OutputPartsExceed));
    notes.extend((sound > 0 && rates.audio_output.is_none()).then_some(CostNote::AudioAsText));
    let reasoning = reasoning.min(all);
    let sound = sound.min(all.saturating_sub(reasoning));
    let text = all.saturating_sub(reasoning).saturating_sub(sound);
    let or_text = |rate: Option<TokenRate>| rate.unwrap_or(rates.output);
    rates.output.cost_of(text)
        + or_text(rates.reasoning_output).cost_of(reasoning)
        + or_text(rates.audio_output).cost_of(sound)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::PriceTable;
    use super::*;

    fn price(model: &str) -> &'static ModelPrice {
        PriceTable::embedded().find(model, None).unwrap()
    }

    fn tokens(input: u64, cached: u64, output: u64) -> TokenCounts {
        TokenCounts {
            input: Some(input),
            cached_input: Some(cached),
            output: Some(output),
            ..TokenCounts::default()
        }
    }

    #[test]
    fn parts_and_total() {
        let case = |model, tokens: &TokenCounts, parts: [&str; 5], notes: &[CostNote]| {
            let cost = compute_cost(price(model), tokens, ServiceTier::Standard).unwrap();
            let got = [
                cost.input,
                cost.cached,
                cost.cache_write,
                cost.output,
                cost.total,
            ];
            assert_eq!(got.map(|money| format!("{money:#}")), parts, "{model}");
            assert_eq!(cost.notes, notes, "{model}");
        };
        // 2.5, 1.25 and 10 dollars per million.
        case(
            "gpt-4o",
            &tokens(1000, 400, 10),
            ["$0.0015", "$0.0005", "$0.00", "$0.0001", "$0.0021"],
            &[],
        );
        // Written to a cache for minutes at 3.75, for an hour at 6, read at 0.3.
        let claude = TokenCounts {
            cache_write: Some(300),
            cache_write_1h: Some(100),
            ..tokens(1000, 500, 1)
        };
        case(
            "claude-sonnet-4-5",
            &claude,
            ["$0.0006", "$0.00015", "$0.00135", "$0.000015", "$0.002115"],
            &[],
        );
        let sound = TokenCounts {
            audio_input: Some(100),
            audio_output: Some(10),
            ..tokens(200, 0, 20)
        };
        case(
            "gpt-audio",
            &sound,
            ["$0.00345", "$0.00", "$0.00", "$0.00074", "$0.00419"],
            &[],
        );
        let thinking = TokenCounts {
            reasoning: Some(1000),
            ..tokens(0, 0, 1100)
        };
        case(
            "sonar-deep-research",
            &thinking,
            ["$0.00", "$0.00", "$0.00", "$0.0038", "$0.0038"],
            &[],
        );
        case(
            "deepseek-v4-flash",
            &tokens(10, 20, 0),
            ["$0.00", "$0.00000012", "$0.00", "$0.00", "$0.00000012"],
            &[CostNote::InputPartsExceed, CostNote::OffPeak],
        );
    }

    #[test]
    fn long_prompts_take_other_rates_for_every_token() {
        let total = |model, input| {
            let cost =
                compute_cost(price(model), &tokens(input, 0, 1000), ServiceTier::Standard).unwrap();
            (cost.long_context, cost.total.to_string())
        };
        assert_eq!(total("gpt-5.5", 272_000), (false, "$1.39".to_owned()));
        assert_eq!(total("gpt-5.5", 272_001), (true, "$2.77".to_owned()));
        assert!(!total("grok-4.7", 199_999).0);
        assert!(total("grok-4.7", 200_000).0);
    }

    #[test]
    fn tiers_apply_where_they_are_known() {
        let case = |model, tokens: &TokenCounts, tier, total: &str, notes: &[CostNote]| {
            let cost = compute_cost(price(model), tokens, tier).unwrap();
            assert_eq!(
                (cost.total.to_string().as_str(), &*cost.notes),
                (total, notes)
            );
        };
        case(
            "gpt-5.5",
            &tokens(1_000_000, 0, 0),
            ServiceTier::Flex,
            "$10.00",
            &[CostNote::NoTierLongRates(ServiceTier::Flex)],
        );
        case(
            "gpt-5.5",
            &tokens(100_000, 0, 0),
            ServiceTier::Flex,
            "$0.25",
            &[],
        );
        case(
            "gpt-5.5",
            &tokens(100_000, 1, 0),
            ServiceTier::Flex,
            "$0.25",
            &[CostNote::NoTierCacheRate(ServiceTier::Flex)],
        );
        case(
            "gpt-5.5-pro",
            &tokens(100_000, 0, 0),
            ServiceTier::Priority,
            "$3.00",
            &[CostNote::NoTierRates(ServiceTier::Priority)],
        );
        let azure = PriceTable::embedded()
            .find("gpt-5.5", Some("azure"))
            .unwrap();
        let half = compute_cost(azure, &tokens(100_000, 0, 1000), ServiceTier::Flex).unwrap();
        assert_eq!(
            (half.total.to_string().as_str(), half.notes),
            ("$0.28", vec![CostNote::NoTierRates(ServiceTier::Flex)])
        );
    }

    #[test]
    fn unknown_is_not_free() {
        let model = price("gpt-4o");
        assert_eq!(
            compute_cost(model, &TokenCounts::default(), ServiceTier::Standard),
            None
        );
        let only_output = TokenCounts {
            output: Some(1),
            ..TokenCounts::default()
        };
        let cost = compute_cost(model, &only_output, ServiceTier::Standard).unwrap();
        assert_eq!(cost.notes, [CostNote::NoInputCount]);
        let json = serde_json::to_value(&cost).unwrap();
        assert_eq!(json["total"], "0.00001");
        assert_eq!(json["rates"]["input"], "2.50");
        assert_eq!(
            json["notes"][0],
            "the prompt was not counted: it is missing here"
        );
    }

    fn count() -> impl Strategy<Value = Option<u64>> {
        prop_oneof![
            Just(None),
            Just(Some(u64::MAX)),
            (0_u64..1000).prop_map(Some),
            any::<u64>().prop_map(Some)
        ]
    }

    prop_compose! {
        fn any_tokens()(counts in proptest::array::uniform8(count())) -> TokenCounts {
            let [input, cached_input, cache_write, cache_write_1h, audio_input, output, reasoning, audio_output] = counts;
            TokenCounts { input, cached_input, cache_write, cache_write_1h, audio_input, output, reasoning, audio_output }
        }
    }

    fn most() -> ModelPrice {
        let rates = TokenRates {
            input: TokenRate::MAX,
            cached_input: Some(TokenRate::MAX),
            cache_write: Some(TokenRate::MAX),
            cache_write_1h: Some(TokenRate::MAX),
            audio_input: Some(TokenRate::MAX),
            output: TokenRate::MAX,
            reasoning_output: Some(TokenRate::MAX),
            audio_output: Some(TokenRate::MAX),
        };
        ModelPrice {
            rates,
            ..ModelPrice::default()
        }
    }

    proptest! {
        #[test]
        fn sums_are_exact_and_nothing_panics(
            tokens in any_tokens(),
            entry in any::<prop::sample::Index>(),
            tier in prop::sample::select(vec![ServiceTier::Standard, ServiceTier::Batch, ServiceTier::Flex, ServiceTier::Priority]),
        ) {
            let entries = PriceTable::embedded().entries();
            let prices = [entries[entry.index(entries.len())].clone(), most()];
            for price in &prices {
                let Some(cost) = compute_cost(price, &tokens, tier) else {
                    prop_assert!(tokens.input.is_none() && tokens.output.is_none());
                    continue;
                };
                let parts = [cost.input, cost.cached, cost.cache_write, cost.output];
                let sum = parts.iter().try_fold(0_u128, |sum, part| sum.checked_add(part.pico()));
                prop_assert_eq!(Some(cost.total.pico()), sum);
                prop_assert!(cost.total.pico() < 1 << 118);
            }
        }

        #[test]
        fn with_one_rate_for_all_the_split_does_not_matter(tokens in any_tokens()) {
            let Some(cost) = compute_cost(&most(), &tokens, ServiceTier::Standard) else { return Ok(()) };
            if cost.notes.iter().all(|note| *note == CostNote::AudioMaybeCached) {
                let all = u128::from(tokens.input.unwrap()) + u128::from(tokens.output.unwrap());
                prop_assert_eq!(cost.total.pico(), all * u128::from(TokenRate::MAX.pico()));
            }
        }
    }
}

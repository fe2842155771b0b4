//! The price of a model: rates by kind of token, by service tier and by length of the prompt.

use std::collections::BTreeMap;

use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};

use super::money::TokenRate;

/// Source of a price table.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct PriceSource {
    /// The list and its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was published, in words: `between 2026-11-10 and 2026-11-15`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// Its licence and copyright.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
}

/// Price of one model at one provider.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
pub struct ModelPrice {
    /// The name that requests and responses use.
    pub model: String,
    /// Provider that bills; empty for any provider that serves the model.
    #[serde(default)]
    pub provider: String,
    /// Other names of the same model at the same price.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The plain rates.
    #[serde(flatten)]
    pub rates: TokenRates,
    /// Rates of long prompts.
    pub long_context: Option<LongContextRates>,
    /// Most tokens of a prompt.
    pub max_input: Option<u64>,
    /// Most tokens of an answer.
    pub max_output: Option<u64>,
    /// The day on which the provider shuts it down, `YYYY-MM-DD`.
    #[serde(rename = "deprecation_date")]
    pub retires: Option<String>,
    /// Whether it answers under `/responses` only.
    #[serde(default)]
    pub responses_only: bool,
    /// Whether some hours of the day have other rates, which are not known here.
    #[serde(default, rename = "has_off_peak")]
    pub off_peak: bool,
    /// Whether there are bands of length with other rates, which are not known here.
    #[serde(default, rename = "has_tiered")]
    pub bands: bool,
    /// Whether it is from the user's own file.
    #[serde(skip)]
    pub own: bool,
    /// Rates of other service tiers, from all keys that no field above has taken.
    #[serde(flatten, deserialize_with = "read_tiers")]
    pub tiers: BTreeMap<ServiceTier, TierRates>,
}

/// Reads the rates of tiers: `batch_input`, `flex_cached_input`. Other keys are typing errors, or remarks of the
/// author.
fn read_tiers<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<ServiceTier, TierRates>, D::Error> {
    let mut tiers = BTreeMap::new();
    for (key, value) in BTreeMap::<String, serde_json::Value>::deserialize(from)? {
        if matches!(key.as_str(), "note" | "source") {
            continue;
        }
        let unknown = || Error::custom(format!("unknown key `{key}`"));
        let (tier, column) = key.split_once('_').ok_or_else(unknown)?;
        let tier = ServiceTier::from_name(tier).filter(|tier| *tier != ServiceTier::Standard);
        let rates: &mut TierRates = tiers.entry(tier.ok_or_else(unknown)?).or_default();
        let place = match column {
            "input" => &mut rates.input,
            "output" => &mut rates.output,
            "cached_input" => &mut rates.cached_input,
            _ => return Err(unknown()),
        };
        let rate = TokenRate::deserialize(value);
        *place = Some(rate.map_err(|why| Error::custom(format!("`{key}`: {why}")))?);
    }
    Ok(tiers)
}

/// Refuses keys that no field has taken: most likely they are typing errors.
fn refuse_unknown<'de, D: Deserializer<'de>>(from: D) -> Result<(), D::Error> {
    match BTreeMap::<String, IgnoredAny>::deserialize(from)?.pop_first() {
        Some((key, _)) => Err(Error::custom(format!("unknown key `{key}`"))),
        None => Ok(()),
    }
}

impl ModelPrice {
    /// Whether the price holds for `provider`.
    pub(super) fn applies_to(&self, provider: &str) -> bool {
        self.provider.is_empty() || self.provider == provider
    }
}

/// Prices of one token of each kind.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct TokenRates {
    /// An uncached token of the prompt.
    pub input: TokenRate,
    /// A token read from a cache; absent: as `input`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<TokenRate>,
    /// A token written to a cache for minutes; absent: as `input`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<TokenRate>,
    /// A token written to a cache for an hour; absent: as `cache_write`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_1h: Option<TokenRate>,
    /// An audio token of the prompt; absent: as `input`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_input: Option<TokenRate>,
    /// A generated token.
    pub output: TokenRate,
    /// A token of reasoning; absent: as `output`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_output: Option<TokenRate>,
    /// A generated audio token; absent: as `output`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_output: Option<TokenRate>,
}

/// Rates of one service tier; `None` if the table does not have it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TierRates {
    /// A token of the prompt.
    pub input: Option<TokenRate>,
    /// A token read from a cache.
    pub cached_input: Option<TokenRate>,
    /// A generated token.
    pub output: Option<TokenRate>,
}

/// Rates of long prompts: once they apply, they do for all tokens of the request.
#[expect(
    clippy::manual_non_exhaustive,
    reason = "the last field refuses unknown keys"
)]
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
pub struct LongContextRates {
    /// The rates apply to prompts of more tokens than this (xAI: this many or more), cached tokens included.
    #[serde(rename = "above_input_tokens")]
    pub above: u64,
    /// Rates of long prompts.
    #[serde(flatten)]
    pub rates: TokenRates,
    #[serde(flatten, deserialize_with = "refuse_unknown")]
    _unknown: (),
}

/// The service tier that a response says it was served in.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceTier {
    /// The plain one, or none named.
    #[default]
    Standard,
    /// Answers within hours.
    Batch,
    /// Slower and cheaper.
    Flex,
    /// Faster and dearer.
    Priority,
}

impl ServiceTier {
    /// The tier of a response's `service_tier`: `default`, `standard`, `batch`, `flex`, `priority`; in
    /// any case, as Gemini writes it large. `None` for any other, whose prices are not known.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "default" | "standard" | "auto" | "on_demand" => Self::Standard,
            "batch" => Self::Batch,
            "flex" => Self::Flex,
            "priority" => Self::Priority,
            _ => return None,
        })
    }
}

/// The name of the tier, as OpenAI spells it.
impl std::fmt::Display for ServiceTier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Standard => "default",
            Self::Batch => "batch",
            Self::Flex => "flex",
            Self::Priority => "priority",
        })
    }
}

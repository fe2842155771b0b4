//! The price of a model: rates by kind of token, by service tier and by length of the prompt.

use std::collections::BTreeMap;

use serde::Serialize;

use super::money::TokenRate;

/// Where a table comes from.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
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

/// What one model costs at one provider.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ModelPrice {
    /// The name that requests and responses use.
    pub model: String,
    /// Provider that bills; empty for any provider that serves the model.
    pub provider: String,
    /// Other names of the same model at the same price.
    pub aliases: Vec<String>,
    /// The plain rates.
    pub rates: TokenRates,
    /// Rates of other service tiers.
    pub tiers: BTreeMap<ServiceTier, TierRates>,
    /// Rates of long prompts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub long_context: Option<LongContextRates>,
    /// Most tokens of a prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_input: Option<u64>,
    /// Most tokens of an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u64>,
    /// The day on which the provider shuts it down, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retires: Option<String>,
    /// Whether it answers under `/responses` only.
    pub responses_only: bool,
    /// Whether some hours of the day have other rates, which are not known here.
    pub off_peak: bool,
    /// Whether there are bands of length with other rates, which are not known here.
    pub bands: bool,
    /// Whether it is from the user's own file.
    pub own: bool,
}

impl ModelPrice {
    /// Whether it is a price of `provider`.
    pub(super) fn applies_to(&self, provider: &str) -> bool {
        self.provider.is_empty() || self.provider == provider
    }
}

/// Prices of one token of each kind.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct TokenRates {
    /// A fresh token of the prompt.
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
    /// A token of sound in the prompt; absent: as `input`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_input: Option<TokenRate>,
    /// A generated token.
    pub output: TokenRate,
    /// A token of reasoning; absent: as `output`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_output: Option<TokenRate>,
    /// A generated token of sound; absent: as `output`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_output: Option<TokenRate>,
}

/// Rates of one service tier; what is absent is not known.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct TierRates {
    /// A token of the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<TokenRate>,
    /// A token read from a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<TokenRate>,
    /// A generated token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<TokenRate>,
}

/// Rates of long prompts: once they apply, they do for all tokens of the request.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct LongContextRates {
    /// They apply to prompts of more tokens than that (xAI: that many or more), cached ones counted.
    pub above: u64,
    /// What tokens cost then.
    pub rates: TokenRates,
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

    /// Its name, as OpenAI spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "default",
            Self::Batch => "batch",
            Self::Flex => "flex",
            Self::Priority => "priority",
        }
    }
}

//! The cost of a call: a table of prices, the lookup of a model's price, and exact sums.
//!
//! The table is compiled in and read on first use. It goes stale within weeks, so every view that
//! shows a cost also shows [`PriceSource::published`], and a user's own file of the same shape overrides it.
//!
//! `prices.json`, one model a line, in dollars per million tokens:
//!
//! | key | meaning |
//! |---|---|
//! | `model`, `provider`, `aliases` | how it is found; without `provider` an entry is for everybody who serves the name |
//! | `input`, `output` | a fresh token of the prompt; a generated one |
//! | `cached_input` | read from a cache; absent: as `input` |
//! | `cache_write`, `cache_write_1h` | written to a cache for minutes, for an hour; absent: as `input`, as `cache_write` |
//! | `reasoning_output` | absent: as `output` |
//! | `audio_input`, `audio_output` | absent: as `input`, `output` |
//! | `batch_`, `flex_`, `priority_` before `input`, `output`, `cached_input` | if the *response* names that tier |
//! | `long_context` | these rates for **all** tokens once the whole prompt is above `above_input_tokens` (xAI: at or above) |
//! | `max_input`, `max_output`, `deprecation_date`, `responses_only` | limits, last day, and whether only `/responses` serves it |
//! | `has_off_peak`, `has_tiered` | there are hours, or bands of length, with other rates that are not in the table |
//!
//! It is taken from LiteLLM's list (MIT licence, Copyright 2023 Berri AI; the file names version and digest),
//! models of today only; a `cache_write` of zero there is left out. Tools, images,
//! regional uplifts and fast modes are not covered.
//!
//! ```
//! use wire::price::{PriceTable, ServiceTier, TokenCounts, compute_cost};
//!
//! let prices = PriceTable::embedded();
//! let price = prices.find("gpt-4o-mini-2024-07-18", Some("openai")).unwrap();
//! let tokens = TokenCounts { input: Some(1000), output: Some(100), ..TokenCounts::default() };
//! assert_eq!(compute_cost(price, &tokens, ServiceTier::Standard).unwrap().total.to_string(), "$0.00021");
//! assert!(prices.find("never-heard-of", None).is_none());
//! ```

mod cost;
mod lookup;
mod model_price;
mod money;
mod rows;
mod table;
mod tokens;

pub use cost::{CostBreakdown, CostNote, compute_cost};
pub(crate) use lookup::without_date;
pub use model_price::{
    LongContextRates, ModelPrice, PriceSource, ServiceTier, TierRates, TokenRates,
};
pub use money::{Money, MoneyParseError, TokenRate};
pub use rows::{PriceRow, find_rows};
pub use tokens::TokenCounts;

use std::sync::LazyLock;

static EMBEDDED_TABLE: LazyLock<PriceTable> = LazyLock::new(|| {
    // A test holds that it can be read; if not, there are no prices, which is the truth then.
    PriceTable::parse(include_bytes!("prices.json")).unwrap_or_default()
});

/// A table of prices.
#[derive(Clone, Debug, Default)]
pub struct PriceTable {
    source: PriceSource,
    entries: Vec<ModelPrice>,
}

impl PriceTable {
    /// The table that is compiled in; read at the first call.
    pub fn embedded() -> &'static Self {
        &EMBEDDED_TABLE
    }

    /// Reads a table, as the module page describes it. Only `models`, and of each `model`, `input` and
    /// `output`, have to be there.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let file: table::PriceFile = serde_json::from_slice(bytes)?;
        Ok(Self {
            source: file.source,
            entries: file.models,
        })
    }

    /// This table with the entries of `own` in place of those of the same model and provider, whose aliases
    /// they take over; an entry without a provider replaces the model everywhere.
    pub fn with_overrides(&self, own: Self) -> Self {
        let mut entries = own.entries;
        let mut kept = Vec::new();
        for old in &self.entries {
            let replaces =
                |new: &&mut ModelPrice| new.model == old.model && new.applies_to(&old.provider);
            match entries.iter_mut().find(replaces) {
                Some(new) => new.aliases.extend(old.aliases.iter().cloned()),
                None => kept.push(old.clone()),
            }
        }
        for entry in &mut entries {
            entry.own = true;
            entry.aliases.sort();
            entry.aliases.dedup();
        }
        entries.extend(kept);
        Self {
            source: self.source.clone(),
            entries,
        }
    }

    /// The source and the date of the prices.
    pub fn source(&self) -> &PriceSource {
        &self.source
    }

    /// All prices, in the order of the file; a user's own come first.
    pub fn entries(&self) -> &[ModelPrice] {
        &self.entries
    }

    /// The price of `model` at `provider` (`openai`, `azure`, `anthropic`, `google`, ...), or none: nothing is guessed.
    ///
    /// Tried are, in this order, the name itself, an alias, and the name without its date, where no other
    /// date of that model has a price of its own; then the same without a provider's prefix (`openai/gpt-4o`).
    /// A provider's price is never taken for another's. Without a provider, those who list the name have to
    /// agree. Gateways (OpenRouter, LiteLLM) have no prices of their own: ask without a provider.
    pub fn find(&self, model: &str, provider: Option<&str>) -> Option<&ModelPrice> {
        lookup::find_price(&self.entries, model, provider)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_table_can_be_read() {
        let prices = PriceTable::parse(include_bytes!("prices.json")).unwrap();
        assert_eq!(prices.entries().len(), 190);
        assert_eq!(PriceTable::embedded().entries(), prices.entries());
        let published = prices.source().published.as_deref();
        assert_eq!(published, Some("between 2026-11-10 and 2026-11-15"));
        for price in prices.entries() {
            assert!(!price.provider.is_empty(), "{}", price.model);
            assert_eq!(
                prices.find(&price.model, Some(&price.provider)),
                Some(price)
            );
            for alias in &price.aliases {
                assert_eq!(prices.find(alias, Some(&price.provider)), Some(price));
            }
        }
    }

    #[test]
    fn own_entries_override_by_model() {
        let own = PriceTable::parse(
            br#"{"models": [{"model": "gpt-4o", "input": 1, "output": 1},
                {"model": "gpt-4.1", "provider": "azure", "input": 9, "output": 9},
                {"model": "mine", "provider": "home", "input": 0, "output": 0}]}"#,
        );
        let all = PriceTable::embedded().with_overrides(own.unwrap());
        let input =
            |model, provider| Some(all.find(model, Some(provider))?.rates.input.to_string());
        assert_eq!(input("gpt-4o", "openai").as_deref(), Some("$1.00"));
        assert_eq!(input("gpt-4o", "azure").as_deref(), Some("$1.00"));
        assert_eq!(
            input("gpt-4o-2024-08-06", "openai").as_deref(),
            Some("$1.00")
        );
        assert_eq!(
            input("gpt-4o-2024-05-13", "openai").as_deref(),
            Some("$5.00")
        );
        assert_eq!(input("gpt-4.1", "openai").as_deref(), Some("$2.00"));
        assert_eq!(input("gpt-4.1", "azure").as_deref(), Some("$9.00"));
        assert_eq!(input("mine", "home").as_deref(), Some("$0.00"));
        assert_eq!(input("mine", "openai"), None);
        assert!(all.find("gpt-4o", None).unwrap().own);
        assert!(!all.find("o3", None).unwrap().own);
    }
}

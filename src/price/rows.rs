//! The table of prices as rows of a listing.

use serde::Serialize;

use super::{ModelPrice, PriceTable, TokenRate};

/// One row of the price listing; rates in dollars per million tokens.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct PriceRow<'a> {
    /// Name of the model.
    pub model: &'a str,
    /// Provider that bills; empty for any provider.
    pub provider: &'a str,
    /// A fresh token of the prompt.
    pub input: TokenRate,
    /// A token read from a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<TokenRate>,
    /// A token written to a cache for minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<TokenRate>,
    /// A token written to a cache for an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_1h: Option<TokenRate>,
    /// A generated token.
    pub output: TokenRate,
    /// Length of the prompt above which other rates apply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub long_above: Option<u64>,
    /// The day on which the provider shuts it down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retires: Option<&'a str>,
    /// Other names at the same price.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub aliases: &'a [String],
    /// Whether it is from the user's own file.
    pub own: bool,
}

/// The rows of models whose name, alias or provider is `asked`; if there is none, those that contain it; all without
/// `asked`. In the order of the table.
pub fn find_rows<'a>(prices: &'a PriceTable, asked: Option<&str>) -> Vec<PriceRow<'a>> {
    let asked = asked.unwrap_or_default();
    let small = asked.to_ascii_lowercase();
    let exact = filter_rows(prices, |name| name == small);
    if !exact.is_empty() {
        return exact;
    }
    match prices.find(asked, None) {
        Some(price) => vec![to_row(price)],
        None => filter_rows(prices, |name| name.contains(&small)),
    }
}

fn filter_rows(prices: &PriceTable, wanted: impl Fn(&str) -> bool) -> Vec<PriceRow<'_>> {
    let names = |price: &ModelPrice| {
        let own = [&price.model, &price.provider].into_iter();
        own.chain(&price.aliases)
            .any(|name| wanted(&name.to_ascii_lowercase()))
    };
    let entries = prices.entries().iter();
    entries.filter(|price| names(price)).map(to_row).collect()
}

fn to_row(price: &ModelPrice) -> PriceRow<'_> {
    PriceRow {
        model: &price.model,
        provider: &price.provider,
        input: price.rates.input,
        cached_input: price.rates.cached_input,
        cache_write: price.rates.cache_write,
        cache_write_1h: price.rates.cache_write_1h,
        output: price.rates.output,
        long_above: price.long_context.map(|long| long.above),
        retires: price.retires.as_deref(),
        aliases: &price.aliases,
        own: price.own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_by_name_alias_provider_and_part() {
        let names = |asked| {
            let rows = find_rows(PriceTable::embedded(), asked);
            rows.iter()
                .map(|row| format!("{}/{}", row.provider, row.model))
                .collect::<Vec<_>>()
        };
        assert_eq!(names(None).len(), 190);
        assert_eq!(names(Some("gpt-4o")), ["openai/gpt-4o", "azure/gpt-4o"]);
        assert_eq!(names(Some("GPT-4o-2024-08-06")).len(), 2);
        assert_eq!(names(Some("cerebras")).len(), 3);
        assert_eq!(names(Some("openai/o3")), ["openai/o3"]);
        assert!(names(Some("sonnet")).len() > 3);
        assert!(names(Some("no such")).is_empty());
        let json =
            serde_json::to_string(&find_rows(PriceTable::embedded(), Some("o4-mini"))[0]).unwrap();
        assert!(json.starts_with(r#"{"model":"o4-mini","provider":"openai","input":"1.10""#));
    }
}

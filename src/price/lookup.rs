//! Finds the price of a model by its name, without guessing.

use super::ModelPrice;

/// Finds the price of a model, as [`super::PriceTable::find`] describes.
pub(super) fn find_price<'a>(
    entries: &'a [ModelPrice],
    model: &str,
    provider: Option<&str>,
) -> Option<&'a ModelPrice> {
    let provider = provider.map(canonical_provider);
    let found = find_by_name(entries, model, provider.as_deref());
    if found.is_some() {
        return found;
    }
    let (prefix, rest) = model.split_once('/')?;
    // Gemini spells its names `models/...`; any other prefix says who serves the model.
    if prefix == "models" {
        return find_by_name(entries, rest, provider.as_deref());
    }
    let prefix = canonical_provider(prefix);
    match provider {
        Some(provider) if provider != prefix => None,
        _ => find_by_name(entries, rest, Some(&prefix)),
    }
}

/// The price of the name itself, of an alias, or of the name without its date.
fn find_by_name<'a>(
    entries: &'a [ModelPrice],
    name: &str,
    provider: Option<&str>,
) -> Option<&'a ModelPrice> {
    let by = |matches: &dyn Fn(&ModelPrice) -> bool| {
        let of = |price: &&ModelPrice| provider.is_none_or(|provider| price.applies_to(provider));
        entries
            .iter()
            .filter(|price| matches(price))
            .filter(of)
            .collect::<Vec<_>>()
    };
    let exact = by(&|price| price.model == name);
    if !exact.is_empty() {
        return agreed_price(&exact);
    }
    let alias = by(&|price| price.aliases.iter().any(|alias| alias == name));
    if !alias.is_empty() {
        return agreed_price(&alias);
    }
    let stem = without_date(name)?;
    // A date with a price of its own (`gpt-4o-2024-05-13`) shows that dates matter for this model.
    if !by(&|price| without_date(&price.model) == Some(stem)).is_empty() {
        return None;
    }
    agreed_price(&by(&|price| price.model == stem))
}

/// The common price of several entries: the first one, if all have the same rates.
fn agreed_price<'a>(prices: &[&'a ModelPrice]) -> Option<&'a ModelPrice> {
    let (first, others) = prices.split_first()?;
    // A user's own entry comes first and wins over the table's.
    let same = |other: &&ModelPrice| {
        first.own && !other.own
            || other.rates == first.rates && other.long_context == first.long_context
    };
    others.iter().all(same).then_some(*first)
}

/// The name without `-YYYY-MM-DD` or `-YYYYMMDD` at its end; `None` if there is no date.
pub(crate) fn without_date(name: &str) -> Option<&str> {
    ["-dddd-dd-dd", "-dddddddd"].iter().find_map(|pattern| {
        let (stem, end) = name.split_at_checked(name.len().checked_sub(pattern.len())?)?;
        let fits = |(byte, like)| {
            if like == b'd' {
                u8::is_ascii_digit(&byte)
            } else {
                byte == like
            }
        };
        let is_date = end.bytes().zip(pattern.bytes()).all(fits);
        (is_date && !stem.is_empty()).then_some(stem)
    })
}

/// One spelling for each provider, out of those that gateways, dialects and SDKs use.
fn canonical_provider(provider: &str) -> String {
    let provider = provider.to_ascii_lowercase();
    match provider.as_str() {
        "gemini" | "vertex" | "vertex_ai" | "google-ai" | "gcp.gemini" | "gcp.vertex_ai" => {
            "google"
        }
        "azure-openai" | "azure_openai" | "azure.ai.openai" => "azure",
        "x-ai" | "x_ai" => "xai",
        "z-ai" | "z.ai" | "zai-org" => "zai",
        "mistralai" | "mistral_ai" => "mistral",
        "moonshotai" | "moonshot_ai" => "moonshot",
        "togetherai" | "together_ai" => "together",
        "fireworks_ai" | "fireworks-ai" => "fireworks",
        "qwen" | "dashscope" => "alibaba",
        "meta-llama" => "meta",
        _ => return provider,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::PriceTable;

    fn found(model: &str, provider: Option<&str>) -> Option<String> {
        let price = PriceTable::embedded().find(model, provider)?;
        Some(format!("{} {}", price.provider, price.model))
    }

    #[test]
    fn names_lead_to_prices() {
        let case = |model, provider, expected: &str| {
            assert_eq!(found(model, provider).as_deref(), Some(expected), "{model}");
        };
        case("gpt-4o", Some("openai"), "openai gpt-4o");
        case("gpt-4o", Some("azure"), "azure gpt-4o");
        case("gpt-4o", None, "openai gpt-4o");
        case(
            "gpt-4o-mini-2024-07-18",
            Some("openai"),
            "openai gpt-4o-mini",
        );
        case(
            "gpt-4o-2024-05-13",
            Some("openai"),
            "openai gpt-4o-2024-05-13",
        );
        case("o3-2026-01-01", Some("openai"), "openai o3");
        case(
            "claude-sonnet-4-5-20250929",
            None,
            "anthropic claude-sonnet-4-5",
        );
        case(
            "claude-sonnet-4-6-20260401",
            None,
            "anthropic claude-sonnet-4-6",
        );
        case("openai/gpt-4o", None, "openai gpt-4o");
        case("openai/gpt-4o", Some("openai"), "openai gpt-4o");
        case("azure/gpt-4o", None, "azure gpt-4o");
        case("x-ai/grok-4.7", None, "xai grok-4.7");
        case("gemini/gemini-2.5-pro", None, "google gemini-2.5-pro");
        case(
            "models/gemini-2.5-pro",
            Some("gemini"),
            "google gemini-2.5-pro",
        );
        case(
            "openai/gpt-oss-120b",
            Some("groq"),
            "groq openai/gpt-oss-120b",
        );
        case("groq/openai/gpt-oss-120b", None, "groq openai/gpt-oss-120b");
    }

    #[test]
    fn unknown_names_lead_nowhere() {
        let case = |model, provider| assert_eq!(found(model, provider), None, "{model}");
        case("", None);
        case("/", None);
        case("never-heard-of", None);
        case("gpt-4o", Some("openrouter"));
        case("claude-sonnet-4-5", Some("openai"));
        case("openai/gpt-4o", Some("azure"));
        case("anthropic/claude-sonnet-4.5", None);
        // Two ask for different prices.
        case("openai/gpt-oss-120b", None);
        // Another date of it has a price of its own.
        case("gpt-4o-2025-01-01", Some("openai"));
        // Only an old date is in question, not a new name.
        case("gpt-4o-mini-audio-preview", Some("openai"));
        case("ft:gpt-4o-mini-2024-07-18:org::id", Some("openai"));
        case("deepseek/deepseek-v3.2:free", None);
        case("-2024-07-18", None);
        case("gpt-4o-2024-07-1é", None);
    }
}

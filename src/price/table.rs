//! Reads a price table from JSON; an error names the line.

use thiserror::Error;

use super::{
    LongContextRates, ModelPrice, MoneyParseError, PriceSource, ServiceTier, TokenRate, TokenRates,
};
use crate::json::{JsonDocument, JsonError, JsonKind, JsonValue};

/// Error of a file that is not a price table.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("line {line}: {what}")]
pub struct PriceTableError {
    /// Offset of the byte in the file.
    pub at: u64,
    /// Its line, counted from one.
    pub line: u64,
    /// Kind of the fault.
    pub what: PriceTableFault,
}

/// Kinds of faults in a price table.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum PriceTableFault {
    /// Not JSON at all.
    #[error("{0}")]
    InvalidJson(JsonError),
    /// A value of the wrong type.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A required key is missing.
    #[error("a model needs `{0}`")]
    MissingKey(&'static str),
    /// A key that is not known: most likely a typing error.
    #[error("unknown key {0:?}")]
    UnknownKey(String),
    /// A number that is not a price.
    #[error("`{key}` {why}")]
    InvalidPrice {
        /// Key of the number.
        key: String,
        /// Why it is not a price.
        why: MoneyParseError,
    },
    /// The table uses another currency, unit or schema.
    #[error("`{key}` must be {expected:?}: nothing else can be read")]
    UnsupportedUnit {
        /// `currency`, `unit` or `schema`.
        key: &'static str,
        /// The value that is supported.
        expected: &'static str,
    },
}

/// Where in the file, and what.
type LocatedTableFault = (u64, PriceTableFault);

/// The source of a table and its entries.
type TableParts = (PriceSource, Vec<ModelPrice>);

/// Reads a whole table.
pub(super) fn parse_table(bytes: &[u8]) -> Result<TableParts, PriceTableError> {
    let document = JsonDocument::parse(bytes).map_err(|error| {
        let at = error.at;
        locate_fault(bytes, (at, PriceTableFault::InvalidJson(error)))
    })?;
    read_table(document.root()).map_err(|fault| locate_fault(bytes, fault))
}

fn locate_fault(bytes: &[u8], (at, what): LocatedTableFault) -> PriceTableError {
    let before = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let newlines = bytes.iter().take(before).filter(|&&byte| byte == b'\n');
    PriceTableError {
        at,
        line: (newlines.count() as u64).saturating_add(1),
        what,
    }
}

fn read_table(root: JsonValue<'_>) -> Result<TableParts, LocatedTableFault> {
    for (key, expected) in [
        ("schema", "1"),
        ("currency", "USD"),
        ("unit", "per_million_tokens"),
    ] {
        check_constant(root, key, expected)?;
    }
    let models = root
        .get("models")
        .filter(|list| list.kind() == JsonKind::Array);
    let models = models.ok_or((
        root.span().start,
        PriceTableFault::Expected("an object with `models`"),
    ))?;
    let entries = models.items().map(read_price).collect::<Result<_, _>>()?;
    Ok((read_source(root.get("source")), entries))
}

/// Absent is fine: a few lines by hand need no preamble.
fn check_constant(
    root: JsonValue<'_>,
    key: &'static str,
    expected: &'static str,
) -> Result<(), LocatedTableFault> {
    let Some(value) = root.get(key) else {
        return Ok(());
    };
    let is = match value.as_str() {
        Some(text) => text == expected,
        None => value.raw() == expected.as_bytes(),
    };
    let unit = PriceTableFault::UnsupportedUnit { key, expected };
    is.then_some(()).ok_or((value.span().start, unit))
}

fn read_source(value: Option<JsonValue<'_>>) -> PriceSource {
    let text = |key| Some(value?.get(key)?.as_str()?.into_owned());
    PriceSource {
        name: text("name"),
        published: text("published"),
        license: text("license"),
    }
}

fn read_price(entry: JsonValue<'_>) -> Result<ModelPrice, LocatedTableFault> {
    if entry.kind() != JsonKind::Object {
        return Err((
            entry.span().start,
            PriceTableFault::Expected("an object: one model"),
        ));
    }
    let mut draft = ModelPriceDraft::default();
    for (key, value) in entry.members() {
        let name = key.as_str().unwrap_or_default();
        if !draft.take_member(&name, value)? {
            let unknown = PriceTableFault::UnknownKey(name.into_owned());
            return Err((key.span().start, unknown));
        }
    }
    draft
        .finish()
        .map_err(|key| (entry.span().start, PriceTableFault::MissingKey(key)))
}

/// A model as far as its keys were read.
#[derive(Default)]
struct ModelPriceDraft {
    price: ModelPrice,
    rates: RateColumns,
}

impl ModelPriceDraft {
    /// Takes in one member; answers whether its key is known.
    fn take_member(&mut self, key: &str, value: JsonValue<'_>) -> Result<bool, LocatedTableFault> {
        let price = &mut self.price;
        match key {
            "model" => price.model = read_text(value)?,
            "provider" => price.provider = read_text(value)?,
            "deprecation_date" => price.retires = Some(read_text(value)?),
            "aliases" => price.aliases = value.items().map(read_text).collect::<Result<_, _>>()?,
            "max_input" => price.max_input = Some(read_count(value)?),
            "max_output" => price.max_output = Some(read_count(value)?),
            "responses_only" => price.responses_only = read_bool(value)?,
            "has_off_peak" => price.off_peak = read_bool(value)?,
            "has_tiered" => price.bands = read_bool(value)?,
            "long_context" => price.long_context = Some(read_long_context(value)?),
            // Remarks of the author of the file.
            "note" | "source" => {}
            _ => return self.take_rate(key, value),
        }
        Ok(true)
    }

    fn take_rate(&mut self, key: &str, value: JsonValue<'_>) -> Result<bool, LocatedTableFault> {
        let Some((tier, column)) = key.split_once('_') else {
            return self.rates.take_rate(key, value);
        };
        let Some(tier) = ServiceTier::from_name(tier).filter(|&tier| tier != ServiceTier::Standard)
        else {
            return self.rates.take_rate(key, value);
        };
        let mut rates = self.price.tiers.remove(&tier).unwrap_or_default();
        let place = match column {
            "input" => &mut rates.input,
            "output" => &mut rates.output,
            "cached_input" => &mut rates.cached_input,
            _ => return Ok(false),
        };
        *place = Some(read_rate(key, value)?);
        self.price.tiers.insert(tier, rates);
        Ok(true)
    }

    fn finish(mut self) -> Result<ModelPrice, &'static str> {
        if self.price.model.is_empty() {
            return Err("model");
        }
        self.price.rates = self.rates.finish()?;
        Ok(self.price)
    }
}

fn read_long_context(value: JsonValue<'_>) -> Result<LongContextRates, LocatedTableFault> {
    let mut columns = RateColumns::default();
    let mut above = None;
    for (key, value) in value.members() {
        let name = key.as_str().unwrap_or_default();
        if name == "above_input_tokens" {
            above = Some(read_count(value)?);
        } else if !columns.take_rate(&name, value)? {
            let unknown = PriceTableFault::UnknownKey(name.into_owned());
            return Err((key.span().start, unknown));
        }
    }
    let missing = |key| (value.span().start, PriceTableFault::MissingKey(key));
    Ok(LongContextRates {
        above: above.ok_or_else(|| missing("long_context.above_input_tokens"))?,
        rates: columns.finish().map_err(missing)?,
    })
}

/// Rates while they are collected.
#[derive(Default)]
struct RateColumns {
    input: Option<TokenRate>,
    output: Option<TokenRate>,
    rates: TokenRates,
}

impl RateColumns {
    fn take_rate(&mut self, key: &str, value: JsonValue<'_>) -> Result<bool, LocatedTableFault> {
        let place = match key {
            "input" => &mut self.input,
            "output" => &mut self.output,
            "cached_input" => &mut self.rates.cached_input,
            "cache_write" => &mut self.rates.cache_write,
            "cache_write_1h" => &mut self.rates.cache_write_1h,
            "reasoning_output" => &mut self.rates.reasoning_output,
            "audio_input" => &mut self.rates.audio_input,
            "audio_output" => &mut self.rates.audio_output,
            _ => return Ok(false),
        };
        *place = Some(read_rate(key, value)?);
        Ok(true)
    }

    fn finish(self) -> Result<TokenRates, &'static str> {
        Ok(TokenRates {
            input: self.input.ok_or("input")?,
            output: self.output.ok_or("output")?,
            ..self.rates
        })
    }
}

fn read_rate(key: &str, value: JsonValue<'_>) -> Result<TokenRate, LocatedTableFault> {
    let read = match value.kind() {
        JsonKind::Number => TokenRate::parse(value.raw()),
        _ => Err(MoneyParseError::NotANumber),
    };
    read.map_err(|why| {
        let key = key.to_owned();
        (
            value.span().start,
            PriceTableFault::InvalidPrice { key, why },
        )
    })
}

fn read_text(value: JsonValue<'_>) -> Result<String, LocatedTableFault> {
    let text = value.as_str().map(std::borrow::Cow::into_owned);
    text.ok_or((value.span().start, PriceTableFault::Expected("a string")))
}

fn read_count(value: JsonValue<'_>) -> Result<u64, LocatedTableFault> {
    value.as_u64().ok_or((
        value.span().start,
        PriceTableFault::Expected("a count of tokens"),
    ))
}

fn read_bool(value: JsonValue<'_>) -> Result<bool, LocatedTableFault> {
    value.as_bool().ok_or((
        value.span().start,
        PriceTableFault::Expected("`true` or `false`"),
    ))
}

#[cfg(test)]
mod tests {
    use super::super::TierRates;
    use super::*;

    #[test]
    fn a_table_by_hand() {
        let text =
            br#"{"models": [{"model": "own", "input": 1, "output": 2.5, "flex_input": 0.5}]}"#;
        let own = &parse_table(text).unwrap().1[0];
        assert_eq!((own.model.as_str(), own.provider.as_str()), ("own", ""));
        assert_eq!(own.rates.output, TokenRate::parse(b"2.5").unwrap());
        let flex = TierRates {
            input: TokenRate::parse(b"0.5").ok(),
            ..TierRates::default()
        };
        assert_eq!(own.tiers.get(&ServiceTier::Flex), Some(&flex));
    }

    #[test]
    fn an_error_names_its_line() {
        let case = |text: &str, shown: &str| {
            assert_eq!(parse_table(text.as_bytes()).unwrap_err().to_string(), shown);
        };
        let model = |rest: &str| format!("{{\"models\": [\n{{\"model\": \"m\"{rest}}}]}}");
        case("{}", "line 1: expected an object with `models`");
        case("[]", "line 1: expected an object with `models`");
        case(&model(""), "line 2: a model needs `input`");
        case(&model(r#", "input": 1"#), "line 2: a model needs `output`");
        case(
            &model(r#", "input": "1""#),
            "line 2: `input` is not a number",
        );
        case(&model(r#", "imput": 1"#), "line 2: unknown key \"imput\"");
        case(
            &model(r#", "batch_imput": 1"#),
            "line 2: unknown key \"batch_imput\"",
        );
        case(
            &model(r#", "flex_output": -1"#),
            "line 2: `flex_output` is negative",
        );
        case(&model(r#", "aliases": [1]"#), "line 2: expected a string");
        case(
            &model(r#", "long_context": {"input": 1, "output": 1}"#),
            "line 2: a model needs `long_context.above_input_tokens`",
        );
        case(
            r#"{"currency": "EUR", "models": []}"#,
            "line 1: `currency` must be \"USD\": nothing else can be read",
        );
        assert!(
            parse_table(b"{")
                .unwrap_err()
                .to_string()
                .starts_with("line 1: ")
        );
    }
}

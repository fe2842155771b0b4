//! From the JSON of a price table to prices; what is amiss is told with its line.

use thiserror::Error;

use super::{Amiss, LongContext, Price, Prices, Rate, Rates, Source, Tier};
use crate::json::{JsonDocument, JsonError, JsonKind, JsonValue};

/// Why a file is no price table, and where.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("line {line}: {what}")]
pub struct PricesError {
    /// Offset of the byte in the file.
    pub at: u64,
    /// Its line, counted from one.
    pub line: u64,
    /// What is amiss there.
    pub what: Wrong,
}

/// What can be amiss with a price table.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Wrong {
    /// Not JSON at all.
    #[error("{0}")]
    Json(JsonError),
    /// Something else than what must stand there.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A key that must be there is not.
    #[error("a model needs `{0}`")]
    Missing(&'static str),
    /// A key that nobody would read: most likely a slip of the pen.
    #[error("unknown key {0:?}")]
    UnknownKey(String),
    /// A number that is no price.
    #[error("`{key}` {why}")]
    Price {
        /// Under which key it stands.
        key: String,
        /// What is amiss with it.
        why: Amiss,
    },
    /// The table counts in something else.
    #[error("`{key}` must be {expected:?}: nothing else can be read")]
    Unit {
        /// `currency`, `unit` or `schema`.
        key: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
}

/// Where in the file, and what.
type Fault = (u64, Wrong);

/// Reads a whole table.
pub(super) fn read(bytes: &[u8]) -> Result<Prices, PricesError> {
    let document = JsonDocument::parse(bytes).map_err(|error| {
        let at = error.at;
        placed(bytes, (at, Wrong::Json(error)))
    })?;
    table(document.root()).map_err(|fault| placed(bytes, fault))
}

fn placed(bytes: &[u8], (at, what): Fault) -> PricesError {
    let before = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let newlines = bytes.iter().take(before).filter(|&&byte| byte == b'\n');
    PricesError {
        at,
        line: (newlines.count() as u64).saturating_add(1),
        what,
    }
}

fn table(root: JsonValue<'_>) -> Result<Prices, Fault> {
    for (key, expected) in [
        ("schema", "1"),
        ("currency", "USD"),
        ("unit", "per_million_tokens"),
    ] {
        must_be(root, key, expected)?;
    }
    let models = root
        .get("models")
        .filter(|list| list.kind() == JsonKind::Array);
    let models = models.ok_or((
        root.span().start,
        Wrong::Expected("an object with `models`"),
    ))?;
    Ok(Prices {
        source: source(root.get("source")),
        entries: models.items().map(price).collect::<Result<_, _>>()?,
    })
}

/// Absent is fine: a few lines by hand need no preamble.
fn must_be(root: JsonValue<'_>, key: &'static str, expected: &'static str) -> Result<(), Fault> {
    let Some(value) = root.get(key) else {
        return Ok(());
    };
    let is = match value.as_str() {
        Some(text) => text == expected,
        None => value.raw() == expected.as_bytes(),
    };
    let unit = Wrong::Unit { key, expected };
    is.then_some(()).ok_or((value.span().start, unit))
}

fn source(value: Option<JsonValue<'_>>) -> Source {
    let text = |key| Some(value?.get(key)?.as_str()?.into_owned());
    Source {
        name: text("name"),
        published: text("published"),
        license: text("license"),
    }
}

fn price(entry: JsonValue<'_>) -> Result<Price, Fault> {
    if entry.kind() != JsonKind::Object {
        return Err((entry.span().start, Wrong::Expected("an object: one model")));
    }
    let mut draft = Draft::default();
    for (key, value) in entry.members() {
        let name = key.as_str().unwrap_or_default();
        if !draft.take(&name, value)? {
            let unknown = Wrong::UnknownKey(name.into_owned());
            return Err((key.span().start, unknown));
        }
    }
    draft
        .finish()
        .map_err(|key| (entry.span().start, Wrong::Missing(key)))
}

/// A model as far as its keys were read.
#[derive(Default)]
struct Draft {
    price: Price,
    rates: Columns,
}

impl Draft {
    /// Takes in one member; answers whether its key is known.
    fn take(&mut self, key: &str, value: JsonValue<'_>) -> Result<bool, Fault> {
        let price = &mut self.price;
        match key {
            "model" => price.model = text(value)?,
            "provider" => price.provider = text(value)?,
            "deprecation_date" => price.retires = Some(text(value)?),
            "aliases" => price.aliases = value.items().map(text).collect::<Result<_, _>>()?,
            "max_input" => price.max_input = Some(count(value)?),
            "max_output" => price.max_output = Some(count(value)?),
            "responses_only" => price.responses_only = truth(value)?,
            "has_off_peak" => price.off_peak = truth(value)?,
            "has_tiered" => price.bands = truth(value)?,
            "long_context" => price.long_context = Some(long_context(value)?),
            // Remarks of whoever keeps the file.
            "note" | "source" => {}
            _ => return self.column(key, value),
        }
        Ok(true)
    }

    fn column(&mut self, key: &str, value: JsonValue<'_>) -> Result<bool, Fault> {
        let Some((tier, column)) = key.split_once('_') else {
            return self.rates.take(key, value);
        };
        let Some(tier) = Tier::named(tier).filter(|&tier| tier != Tier::Standard) else {
            return self.rates.take(key, value);
        };
        let mut rates = self.price.tiers.remove(&tier).unwrap_or_default();
        let place = match column {
            "input" => &mut rates.input,
            "output" => &mut rates.output,
            "cached_input" => &mut rates.cached_input,
            _ => return Ok(false),
        };
        *place = Some(rate(key, value)?);
        self.price.tiers.insert(tier, rates);
        Ok(true)
    }

    fn finish(mut self) -> Result<Price, &'static str> {
        if self.price.model.is_empty() {
            return Err("model");
        }
        self.price.rates = self.rates.finish()?;
        Ok(self.price)
    }
}

fn long_context(value: JsonValue<'_>) -> Result<LongContext, Fault> {
    let mut columns = Columns::default();
    let mut above = None;
    for (key, value) in value.members() {
        let name = key.as_str().unwrap_or_default();
        if name == "above_input_tokens" {
            above = Some(count(value)?);
        } else if !columns.take(&name, value)? {
            let unknown = Wrong::UnknownKey(name.into_owned());
            return Err((key.span().start, unknown));
        }
    }
    let missing = |key| (value.span().start, Wrong::Missing(key));
    Ok(LongContext {
        above: above.ok_or_else(|| missing("long_context.above_input_tokens"))?,
        rates: columns.finish().map_err(missing)?,
    })
}

/// Rates while they are collected.
#[derive(Default)]
struct Columns {
    input: Option<Rate>,
    output: Option<Rate>,
    rates: Rates,
}

impl Columns {
    fn take(&mut self, key: &str, value: JsonValue<'_>) -> Result<bool, Fault> {
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
        *place = Some(rate(key, value)?);
        Ok(true)
    }

    fn finish(self) -> Result<Rates, &'static str> {
        Ok(Rates {
            input: self.input.ok_or("input")?,
            output: self.output.ok_or("output")?,
            ..self.rates
        })
    }
}

fn rate(key: &str, value: JsonValue<'_>) -> Result<Rate, Fault> {
    let read = match value.kind() {
        JsonKind::Number => Rate::parse(value.raw()),
        _ => Err(Amiss::NotANumber),
    };
    read.map_err(|why| {
        let key = key.to_owned();
        (value.span().start, Wrong::Price { key, why })
    })
}

fn text(value: JsonValue<'_>) -> Result<String, Fault> {
    let text = value.as_str().map(std::borrow::Cow::into_owned);
    text.ok_or((value.span().start, Wrong::Expected("a string")))
}

fn count(value: JsonValue<'_>) -> Result<u64, Fault> {
    value
        .as_u64()
        .ok_or((value.span().start, Wrong::Expected("a count of tokens")))
}

fn truth(value: JsonValue<'_>) -> Result<bool, Fault> {
    value
        .as_bool()
        .ok_or((value.span().start, Wrong::Expected("`true` or `false`")))
}

#[cfg(test)]
mod tests {
    use super::super::TierRates;
    use super::*;

    #[test]
    fn a_table_by_hand() {
        let text =
            br#"{"models": [{"model": "own", "input": 1, "output": 2.5, "flex_input": 0.5}]}"#;
        let prices = read(text).unwrap();
        let own = &prices.entries()[0];
        assert_eq!((own.model.as_str(), own.provider.as_str()), ("own", ""));
        assert_eq!(own.rates.output, Rate::parse(b"2.5").unwrap());
        let flex = TierRates {
            input: Rate::parse(b"0.5").ok(),
            ..TierRates::default()
        };
        assert_eq!(own.tiers.get(&Tier::Flex), Some(&flex));
    }

    #[test]
    fn what_is_amiss_is_told_with_its_line() {
        let case = |text: &str, shown: &str| {
            assert_eq!(read(text.as_bytes()).unwrap_err().to_string(), shown);
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
        assert!(read(b"{").unwrap_err().to_string().starts_with("line 1: "));
    }
}

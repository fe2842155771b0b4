//! Reads the file of a price table; an error names the line.

use serde::Deserialize;

use super::{ModelPrice, PriceSource};

/// A price file. Everything but the models may be absent: a few lines by hand need no preamble.
#[derive(Deserialize)]
#[serde(expecting = "an object with `models`")]
pub(super) struct PriceFile {
    #[serde(default)]
    pub(super) source: PriceSource,
    pub(super) models: Vec<ModelPrice>,
    #[serde(default, rename = "schema")]
    _schema: Schema,
    #[serde(default, rename = "currency")]
    _currency: Currency,
    #[serde(default, rename = "unit")]
    _unit: Unit,
}

/// The version of the format.
#[derive(Default, Deserialize)]
#[serde(try_from = "u64")]
struct Schema;

impl TryFrom<u64> for Schema {
    type Error = &'static str;

    fn try_from(version: u64) -> Result<Self, Self::Error> {
        (version == 1).then_some(Self).ok_or("`schema` must be 1")
    }
}

/// The only currency that can be read.
#[derive(Default, Deserialize)]
enum Currency {
    #[default]
    #[serde(rename = "USD")]
    UsDollar,
}

/// The only unit that can be read.
#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Unit {
    #[default]
    PerMillionTokens,
}

#[cfg(test)]
mod tests {
    use super::super::{PriceTable, ServiceTier, TierRates, TokenRate};

    #[test]
    fn a_table_by_hand() {
        let text =
            br#"{"models": [{"model": "own", "input": 1, "output": 2.5, "flex_input": 0.5}]}"#;
        let prices = PriceTable::parse(text).unwrap();
        let own = &prices.entries()[0];
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
        let case = |text: &str, line: usize, shown: &str| {
            let error = PriceTable::parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.line(), line, "{error}");
            assert!(error.to_string().starts_with(shown), "{error}");
        };
        let model = |rest: &str| format!("{{\"models\": [\n{{\"model\": \"m\"{rest}}}]}}");
        let priced = |rest: &str| model(&format!(r#", "input": 1, "output": 1, {rest}"#));
        case("{}", 1, "missing field `models`");
        case(
            "[]",
            1,
            "invalid length 1, expected an object with `models`",
        );
        case(&model(""), 2, "missing field `input`");
        case(&model(r#", "input": 1"#), 2, "missing field `output`");
        case(
            &model(r#", "input": "1", "output": 1"#),
            2,
            "invalid type: string",
        );
        case(&priced(r#""imput": 1"#), 2, "unknown key `imput`");
        case(
            &priced(r#""batch_imput": 1"#),
            2,
            "unknown key `batch_imput`",
        );
        case(
            &priced(r#""flex_output": -1"#),
            2,
            "`flex_output`: -1 is negative",
        );
        case(
            &priced(r#""aliases": [1]"#),
            2,
            "invalid type: integer `1`, expected a string",
        );
        case(
            &priced(r#""long_context": {"input": 1, "output": 1}"#),
            2,
            "missing field `above_input_tokens`",
        );
        case(
            &priced(
                r#""long_context": {"above_input_tokens": 9, "input": 1, "output": 1, "x": 1}"#,
            ),
            2,
            "unknown key `x`",
        );
        case(
            r#"{"currency": "EUR", "models": []}"#,
            1,
            "unknown variant `EUR`, expected `USD`",
        );
        case(r#"{"schema": 2, "models": []}"#, 1, "`schema` must be 1");
        case("{", 1, "EOF while parsing");
    }
}

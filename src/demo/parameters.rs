//! The types of parameters, and the check of a request against a table of them. Each API has its own tables and
//! words its own errors.

use serde_json::Value;

use super::api_error::{ApiError, ApiResult};

/// The type of a parameter, with the range of a number.
#[derive(Clone, Copy, Debug)]
pub(super) enum ParameterType {
    Text,
    Boolean,
    Integer(i128, i128),
    Decimal(f64, f64),
    Object,
    List,
    TextOrList,
}

/// A parameter that is not as its API wants it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Violation<'a> {
    /// It is required and absent.
    Missing,
    WrongType(ParameterType, &'a Value),
    /// The number is below the minimum of its type.
    TooSmall(ParameterType, &'a Value),
    /// The number is above the maximum of its type.
    TooLarge(ParameterType, &'a Value),
    /// It is none of these values.
    NotOneOf(&'a Value, &'a [&'a str]),
}

/// How an API finds its parameters, and its words for a violation at a path.
pub(super) struct ParameterRules {
    pub(super) find: for<'a> fn(&'a Value, &str) -> Option<&'a Value>,
    pub(super) word: fn(&str, Violation<'_>) -> ApiError,
}

impl ParameterRules {
    /// Checks the parameters of a table, in its order; each may be absent.
    pub(super) fn check_table(&self, object: &Value, table: &[(&str, ParameterType)]) -> ApiResult {
        for (name, expected) in table {
            if let Some(value) = (self.find)(object, name) {
                self.check(name, value, *expected)?;
            }
        }
        Ok(())
    }

    /// Checks one value.
    pub(super) fn check(&self, path: &str, value: &Value, expected: ParameterType) -> ApiResult {
        match expected.violation(value) {
            None => Ok(()),
            Some(violation) => Err((self.word)(path, violation)),
        }
    }

    /// The value, or the error that it is missing.
    pub(super) fn required<'a>(
        &self,
        path: &str,
        value: Option<&'a Value>,
    ) -> ApiResult<&'a Value> {
        value.ok_or_else(|| (self.word)(path, Violation::Missing))
    }

    /// The text of a value that must be one of `known`.
    pub(super) fn one_of<'a>(
        &self,
        path: &str,
        value: &'a Value,
        known: &[&str],
    ) -> ApiResult<&'a str> {
        let text = value.as_str().filter(|text| known.contains(text));
        text.ok_or_else(|| (self.word)(path, Violation::NotOneOf(value, known)))
    }
}

impl ParameterType {
    fn violation(self, value: &Value) -> Option<Violation<'_>> {
        let fits = match self {
            Self::Text => value.is_string(),
            Self::Boolean => value.is_boolean(),
            Self::Object => value.is_object(),
            Self::List => value.is_array(),
            Self::TextOrList => value.is_string() || value.is_array(),
            Self::Integer(low, high) => {
                let signed = value.as_i64().map(i128::from);
                let number = signed.or_else(|| value.as_u64().map(i128::from));
                return self.range_violation(value, number, low, high);
            }
            Self::Decimal(low, high) => {
                return self.range_violation(value, value.as_f64(), low, high);
            }
        };
        (!fits).then_some(Violation::WrongType(self, value))
    }

    fn range_violation<N: PartialOrd>(
        self,
        value: &Value,
        number: Option<N>,
        low: N,
        high: N,
    ) -> Option<Violation<'_>> {
        match number {
            None => Some(Violation::WrongType(self, value)),
            Some(number) if number < low => Some(Violation::TooSmall(self, value)),
            Some(number) if number > high => Some(Violation::TooLarge(self, value)),
            Some(_) => None,
        }
    }

    /// The minimum and maximum of a number as text; empty for other types.
    pub(super) fn bounds(self) -> (String, String) {
        match self {
            Self::Integer(low, high) => (low.to_string(), high.to_string()),
            Self::Decimal(low, high) => (low.to_string(), high.to_string()),
            _ => (String::new(), String::new()),
        }
    }
}

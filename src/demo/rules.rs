//! The rules of one API as a table, and checks and errors made from it.
//!
//! Each API has a file `rules.json` with these keys:
//!
//! | key | value |
//! |---|---|
//! | `null_is_absent` | whether a parameter that is null counts as absent |
//! | `empty_body_is_object` | whether an empty body is read as an object without keys |
//! | `model` | a model in the list of models |
//! | `head` | the head fields of each reply; `*` is the place of fields that only some errors have |
//! | `errors` | the errors by name or status, in the words of the API; a text is an error 400 with that message |
//! | `expected`, `found` | the API's words for a parameter type, and for the type of a JSON value |
//! | `names` | lists of names |
//!
//! `{name}` in a text is replaced by a value.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::api_error::{ApiError, ApiResult};
use super::head::ReplyFields;
use super::{ids, models};

/// The rules of one API: its error words, head fields and name lists.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ApiRules {
    null_is_absent: bool,
    empty_body_is_object: bool,
    model: Value,
    head: Vec<(String, String)>,
    errors: BTreeMap<String, Value>,
    expected: BTreeMap<String, String>,
    found: BTreeMap<String, String>,
    names: BTreeMap<String, Vec<String>>,
}

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
    /// A text, or a list of texts.
    TextOrTexts,
}

impl ApiRules {
    /// Reads a `rules.json`, which is part of the program. A test reads all of them.
    pub(super) fn parse(text: &str) -> Self {
        let rules = serde_json::from_str(text);
        debug_assert!(rules.is_ok(), "{:?}", rules.err());
        rules.unwrap_or_default()
    }

    /// The error `name`, with `values` in its texts.
    pub(super) fn error(&self, name: &str, values: &[(&str, &str)]) -> ApiError {
        let row = self.errors.get(name);
        debug_assert!(row.is_some(), "no error is called {name}");
        match row.map(|row| fill_template(row, values)) {
            Some(Value::String(message)) => ApiError::new(400, message),
            row => serde_json::from_value(row.unwrap_or_default()).unwrap_or_default(),
        }
    }

    /// The error of `status`: its own, or that of its class (`4xx`).
    pub(super) fn status_error(&self, status: u16, values: &[(&str, &str)]) -> ApiError {
        let number = status.to_string();
        let name = match self.errors.contains_key(&number) {
            true => &number,
            false if status < 500 => "4xx",
            false => "5xx",
        };
        let values = [values, &[("status", &number)]].concat();
        ApiError {
            status,
            ..self.error(name, &values)
        }
    }

    /// The head fields of a reply, with `values` in them and `extra` in place of those of the same name, or at `*`.
    /// Fields without a value are left out.
    pub(super) fn head_fields(
        &self,
        values: &[(&str, &str)],
        extra: &[(String, String)],
    ) -> ReplyFields {
        let is_known = |name: &String| self.head.iter().any(|(known, _)| known == name);
        let mut fields = ReplyFields::new();
        for (name, template) in &self.head {
            if name == "*" {
                fields.extend(extra.iter().filter(|(name, _)| !is_known(name)).cloned());
                continue;
            }
            let own = extra.iter().find(|(known, _)| known == name);
            let value = own.map_or_else(|| fill_text(template, values), |(_, own)| own.clone());
            if !value.is_empty() {
                fields.push((name.clone(), value));
            }
        }
        fields
    }

    /// The model `id` in the list of models.
    pub(super) fn model(&self, id: &str) -> Value {
        let digest = ids::hex_id("", ids::hash_text(id), 64);
        fill_template(&self.model, &[("id", id), ("digest", &digest)])
    }

    /// The names of the list `list`.
    pub(super) fn names(&self, list: &str) -> Vec<&str> {
        let names = self.names.get(list).into_iter().flatten();
        names.map(String::as_str).collect()
    }

    /// The parameter `key`, in this spelling or with underscores for capitals; `None` if it is absent.
    pub(super) fn find<'a>(&self, object: &'a Value, key: &str) -> Option<&'a Value> {
        let found = object.get(key).or_else(|| object.get(to_snake_case(key)));
        found.filter(|value| !(self.null_is_absent && value.is_null()))
    }

    /// The body as a JSON object.
    pub(super) fn parse_object(&self, body: &[u8]) -> ApiResult<Value> {
        if self.empty_body_is_object && body.trim_ascii().is_empty() {
            return Ok(json!({}));
        }
        match serde_json::from_slice::<Value>(body) {
            Ok(body) if body.is_object() => Ok(body),
            Ok(other) if self.errors.contains_key("no_object") => {
                let found = self.words(&self.found, value_type(&other));
                Err(self.error("no_object", &[("found", found)]))
            }
            Ok(_) => Err(self.error("not_json", &[])),
            Err(error) if error.is_eof() && self.errors.contains_key("body_ended") => {
                Err(self.error("body_ended", &[]))
            }
            Err(error) => Err(self.error("not_json", &[("error", &error.to_string())])),
        }
    }

    /// The model that the request names, unless its name asks for an error.
    pub(super) fn required_model<'a>(&self, body: &'a Value) -> ApiResult<&'a str> {
        self.check_table(body, &[("model", ParameterType::Text)])?;
        let model = body["model"].as_str().filter(|model| !model.is_empty());
        let model = model.ok_or_else(|| self.error("no_model", &[]))?;
        self.check_fault(model, &[("model", model)])?;
        Ok(model)
    }

    /// Returns the error that the name of a model asks for, if any.
    pub(super) fn check_fault(&self, model: &str, values: &[(&str, &str)]) -> ApiResult {
        match models::fault_status(model) {
            Some(status) => Err(self.status_error(status, values)),
            None => Ok(()),
        }
    }

    /// Returns the error `name` if a prompt has more than `limit` tokens.
    pub(super) fn check_length(&self, tokens: u64, limit: u64, name: &str) -> ApiResult {
        match tokens > limit {
            true => Err(self.error(name, &[("tokens", &tokens.to_string())])),
            false => Ok(()),
        }
    }

    /// Checks the parameters of a table, in its order; each may be absent.
    pub(super) fn check_table(&self, object: &Value, table: &[(&str, ParameterType)]) -> ApiResult {
        for (name, expected) in table {
            if let Some(value) = self.find(object, name) {
                self.check(name, value, *expected)?;
            }
        }
        Ok(())
    }

    /// Checks one value.
    pub(super) fn check(&self, path: &str, value: &Value, expected: ParameterType) -> ApiResult {
        let Some(violation) = expected.violation(value) else {
            return Ok(());
        };
        let kind = expected.name();
        let (min, max) = expected.bounds();
        let own = format!("{violation}.{kind}");
        let name = match self.errors.contains_key(&own) {
            true => &own,
            false => violation,
        };
        let path = to_snake_case(path);
        let values = [
            ("path", path.as_str()),
            ("kind", kind),
            ("expected", self.words(&self.expected, kind)),
            ("found", self.words(&self.found, value_type(value))),
            ("value", &value.to_string()),
            ("min", &min),
            ("max", &max),
        ];
        Err(self.error(name, &values))
    }

    /// The value, or the error that it is missing.
    pub(super) fn required<'a>(
        &self,
        path: &str,
        value: Option<&'a Value>,
    ) -> ApiResult<&'a Value> {
        value.ok_or_else(|| self.error("missing", &[("path", path)]))
    }

    /// The text of a value that must be one of `known`.
    pub(super) fn one_of<'a>(
        &self,
        path: &str,
        value: &'a Value,
        known: &[&str],
    ) -> ApiResult<&'a str> {
        let text = value.as_str().filter(|text| known.contains(text));
        text.ok_or_else(|| {
            let found = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            let (last, rest) = known.split_last().unwrap_or((&"", &[]));
            let values = [
                ("path", path),
                ("text", &found),
                ("known_and", &format!("{}', and '{last}", rest.join("', '"))),
                ("known_or", &known.join("' or '")),
            ];
            self.error("not_one_of", &values)
        })
    }

    fn words<'a>(&self, table: &'a BTreeMap<String, String>, name: &str) -> &'a str {
        table.get(name).map_or("", String::as_str)
    }
}

impl ParameterType {
    /// The name of the error of a value that is not of this type; `None` if it is.
    fn violation(self, value: &Value) -> Option<&'static str> {
        let fits = match self {
            Self::Text => value.is_string(),
            Self::Boolean => value.is_boolean(),
            Self::Object => value.is_object(),
            Self::List => value.is_array(),
            Self::TextOrList | Self::TextOrTexts => value.is_string() || value.is_array(),
            Self::Integer(low, high) => {
                let signed = value.as_i64().map(i128::from);
                let number = signed.or_else(|| value.as_u64().map(i128::from));
                return range_violation(number, low, high);
            }
            Self::Decimal(low, high) => return range_violation(value.as_f64(), low, high),
        };
        (!fits).then_some("wrong_type")
    }

    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Boolean => "boolean",
            Self::Integer(..) => "integer",
            Self::Decimal(..) => "decimal",
            Self::Object => "object",
            Self::List => "list",
            Self::TextOrList => "text_or_list",
            Self::TextOrTexts => "text_or_texts",
        }
    }

    /// The minimum and maximum of a number as text; empty for other types.
    fn bounds(self) -> (String, String) {
        match self {
            Self::Integer(low, high) => (low.to_string(), high.to_string()),
            Self::Decimal(low, high) => (low.to_string(), high.to_string()),
            _ => (String::new(), String::new()),
        }
    }
}

fn range_violation<N: PartialOrd>(number: Option<N>, low: N, high: N) -> Option<&'static str> {
    match number {
        None => Some("wrong_type"),
        Some(number) if number < low => Some("too_small"),
        Some(number) if number > high => Some("too_large"),
        Some(_) => None,
    }
}

/// The name of the type of a JSON value; numbers are integers or decimals.
fn value_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "decimal",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A camel-case name with underscores instead.
pub(super) fn to_snake_case(key: &str) -> String {
    let mut snake = String::new();
    for char in key.chars() {
        if char.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(char.to_ascii_lowercase());
    }
    snake
}

/// A JSON value with `{name}` in its texts replaced by the value of that name.
fn fill_template(template: &Value, values: &[(&str, &str)]) -> Value {
    let entry = |(key, value): (&String, &Value)| (key.clone(), fill_template(value, values));
    match template {
        Value::String(text) => fill_text(text, values).into(),
        Value::Array(items) => items
            .iter()
            .map(|item| fill_template(item, values))
            .collect(),
        Value::Object(object) => object.iter().map(entry).collect(),
        other => other.clone(),
    }
}

/// A text with `{name}` replaced by the value of that name. A name without a value stays.
fn fill_text(template: &str, values: &[(&str, &str)]) -> String {
    let (mut filled, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let named = after.split_once('}').and_then(|(name, after)| {
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some((*value, after))
        });
        let (value, after) = named.unwrap_or(("{", after));
        filled.push_str(value);
        rest = after;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_braces_are_replaced_once() {
        let values = [("a", "{b}"), ("b", "2")];
        assert_eq!(fill_text("{a} {b} {c} {", &values), "{b} 2 {c} {");
    }

    #[test]
    fn keys_are_found_in_both_spellings() {
        assert_eq!(to_snake_case("maxOutputTokens"), "max_output_tokens");
        assert_eq!(to_snake_case("topK"), "top_k");
        let rules = ApiRules::parse("{\"null_is_absent\": true}");
        let object = json!({"top_k": 5, "topP": null});
        assert_eq!(rules.find(&object, "topK"), Some(&Value::from(5)));
        assert_eq!(rules.find(&object, "topP"), None);
    }
}

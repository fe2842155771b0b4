//! Makes a value that fits a JSON schema, plausible where the schema and the user's words allow it
//! (<https://json-schema.org/draft/2020-12>; no promise beyond what tools and formats use).

use std::cell::Cell;

use serde_json::{Map, Value};

use super::tokens::first_chars;

/// A value for `schema`. Texts are taken from `words` where they fit.
pub(super) fn value_for_schema(schema: &Value, words: &str) -> Value {
    let filler = SchemaFiller {
        root: schema,
        words,
        values_left: Cell::new(MAX_VALUES),
    };
    filler.fill_value(schema, "", 0)
}

struct SchemaFiller<'a> {
    /// The schema that references point into.
    root: &'a Value,
    words: &'a str,
    /// The number of values that may still be made.
    values_left: Cell<u16>,
}

/// Levels of a value: a schema that contains itself must end; no real tool nests deeper.
const MAX_DEPTH: u8 = 8;
/// Values in all: a schema that contains itself several times would grow exponentially up to [`MAX_DEPTH`].
const MAX_VALUES: u16 = 2_000;

impl SchemaFiller<'_> {
    fn fill_value(&self, schema: &Value, name: &str, depth: u8) -> Value {
        let Some(left) = self
            .values_left
            .get()
            .checked_sub(1)
            .filter(|_| depth <= MAX_DEPTH)
        else {
            return Value::Null;
        };
        self.values_left.set(left);
        let deeper = depth.saturating_add(1);
        if let Some(target) = self.resolve_reference(schema) {
            return self.fill_value(target, name, deeper);
        }
        if let Some(value) = fixed_value(schema) {
            return value.clone();
        }
        if let Some(schema) = first_branch(schema) {
            return self.fill_value(schema, name, deeper);
        }
        match schema_type(schema) {
            "object" => self.fill_object(schema, deeper),
            "array" => self.fill_array(schema, name, deeper),
            "string" => Value::String(self.fill_string(schema, name)),
            "integer" => self.fill_number(schema, true),
            "number" => self.fill_number(schema, false),
            "boolean" => Value::Bool(true),
            _ => Value::Null,
        }
    }

    /// The schema that a local reference names: `#/$defs/Name`.
    fn resolve_reference(&self, schema: &Value) -> Option<&Value> {
        let reference = schema.get("$ref")?.as_str()?;
        self.root.pointer(reference.strip_prefix('#')?)
    }

    fn fill_object(&self, schema: &Value, depth: u8) -> Value {
        let properties = schema.get("properties").and_then(Value::as_object);
        let fill = |(name, schema): (&String, &Value)| {
            (name.clone(), self.fill_value(schema, name, depth))
        };
        let object: Map<String, Value> = properties.into_iter().flatten().map(fill).collect();
        Value::Object(object)
    }

    fn fill_array(&self, schema: &Value, name: &str, depth: u8) -> Value {
        let least = schema.get("minItems").and_then(Value::as_u64);
        let most = schema.get("maxItems").and_then(Value::as_u64);
        // Nested arrays multiply the number of values.
        let bound = if depth < 3 { 8 } else { 1 };
        let count = least
            .unwrap_or(1)
            .clamp(1, bound)
            .min(most.unwrap_or(bound));
        let item = match schema.get("items") {
            Some(items) => self.fill_value(items, name, depth),
            None => Value::String(self.fill_string(&Value::Null, name)),
        };
        (0..count).map(|_| item.clone()).collect()
    }

    fn fill_string(&self, schema: &Value, name: &str) -> String {
        let format = schema.get("format").and_then(Value::as_str);
        let fixed = match format {
            Some("date") => Some("2026-11-23"),
            Some("time") => Some("09:14:07Z"),
            Some("date-time") => Some("2026-11-23T09:14:07Z"),
            Some("duration") => Some("PT15M"),
            Some("email") => Some("ada@example.com"),
            Some("uri" | "url") => Some("https://example.com/"),
            Some("hostname") => Some("example.com"),
            Some("ipv4") => Some("192.0.2.1"),
            Some("ipv6") => Some("2001:db8::1"),
            Some("uuid") => Some("0192d5a4-7c1e-7000-8000-000000000001"),
            _ => None,
        };
        let text = match fixed {
            Some(text) => return text.to_owned(),
            None if is_name_property(name) => proper_noun(self.words).unwrap_or("Paris").to_owned(),
            None => first_chars(self.words.trim(), 60),
        };
        let most = schema.get("maxLength").and_then(Value::as_u64);
        let most = most.and_then(|most| usize::try_from(most).ok());
        let text = if text.is_empty() { "text" } else { &text };
        text.chars().take(most.unwrap_or(usize::MAX)).collect()
    }

    fn fill_number(&self, schema: &Value, whole: bool) -> Value {
        // The distance to an exclusive bound.
        let step = if whole { 1.0 } else { 0.5 };
        let bound = |name: &str, exclusive: &str, step: f64| {
            let beyond = || schema.get(exclusive)?.as_f64().map(|bound| bound + step);
            let bound = schema.get(name).and_then(Value::as_f64);
            bound.or_else(beyond)
        };
        let least = bound("minimum", "exclusiveMinimum", step);
        let most = bound("maximum", "exclusiveMaximum", -step);
        let number = self.pick_number(least, most);
        if whole {
            // A bound beyond 64 bits saturates.
            Value::from(number.trunc() as i64)
        } else {
            Value::from(number)
        }
    }

    /// The first number among the words that fits the schema; otherwise another one that fits.
    fn pick_number(&self, least: Option<f64>, most: Option<f64>) -> f64 {
        let fits = |number: &f64| {
            least.is_none_or(|least| *number >= least) && most.is_none_or(|most| *number <= most)
        };
        let mentioned = self
            .words
            .split(|char: char| !(char.is_ascii_digit() || char == '.'))
            .filter_map(|word| word.trim_matches('.').parse::<f64>().ok())
            .find(fits);
        mentioned
            .or(Some(1.0).filter(fits))
            .or(least)
            .or(most)
            .unwrap_or(1.0)
    }
}

/// The value that a schema states directly.
fn fixed_value(schema: &Value) -> Option<&Value> {
    let first = |key: &str| schema.get(key)?.as_array()?.first();
    schema
        .get("const")
        .or_else(|| first("enum"))
        .or_else(|| schema.get("default"))
        .or_else(|| first("examples"))
}

/// The first alternative of a schema (`anyOf`) that is not the type null.
fn first_branch(schema: &Value) -> Option<&Value> {
    let branches = ["anyOf", "oneOf", "allOf"]
        .iter()
        .find_map(|key| schema.get(key)?.as_array())?;
    branches
        .iter()
        .find(|branch| schema_type(branch) != "null")
        .or(branches.first())
}

/// The type of the value to make.
fn schema_type(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null")
            .unwrap_or("null"),
        _ if schema.get("items").is_some() => "array",
        // Without a type every value fits; most callers expect an object.
        _ => "object",
    }
}

/// Whether a schema property called `name` is for the name of a person or place.
fn is_name_property(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "city", "location", "place", "country", "town", "name", "person", "where",
    ]
    .iter()
    .any(|part| name.contains(part))
}

/// The last capitalised word that does not begin a sentence.
fn proper_noun(words: &str) -> Option<&str> {
    let mut starts = true;
    let mut found = None;
    for word in words.split_whitespace() {
        let bare = word.trim_matches(|char: char| !char.is_alphanumeric());
        let capital = bare.chars().next().is_some_and(char::is_uppercase);
        if capital && !starts && bare != "I" {
            found = Some(bare);
        }
        starts = word.ends_with(['.', '!', '?', ':']);
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_fit_their_schemas() {
        #[track_caller]
        fn case(schema: Value, value: Value) {
            let words = "What is the weather in Zurich for 5 days?";
            assert_eq!(value_for_schema(&schema, words), value);
        }
        let property =
            |name: &str, schema: Value| json!({"type": "object", "properties": {name: schema}});
        case(
            property("city", json!({"type": "string"})),
            json!({"city": "Zurich"}),
        );
        case(
            property("query", json!({"type": ["null", "string"], "maxLength": 7})),
            json!({"query": "What is"}),
        );
        case(json!({"enum": ["c", "f"]}), json!("c"));
        case(json!({"const": 7}), json!(7));
        case(json!({"type": "integer"}), json!(5));
        case(json!({"type": "integer", "minimum": 10}), json!(10));
        case(json!({"type": "number", "maximum": 0.5}), json!(0.5));
        case(json!({"type": "boolean"}), json!(true));
        case(
            json!({"type": "string", "format": "date"}),
            json!("2026-11-23"),
        );
        case(
            json!({"type": "array", "items": {"type": "null"}, "minItems": 2}),
            json!([null, null]),
        );
        case(
            json!({"anyOf": [{"type": "null"}, {"type": "boolean"}]}),
            json!(true),
        );
        case(
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"type": "boolean"}}}),
            json!(true),
        );
        case(Value::Null, json!({}));
        case(json!(true), json!({}));
    }

    #[test]
    fn a_schema_that_contains_itself_ends() {
        let schema = json!({"type": "object", "properties": {"next": {"$ref": "#"}}});
        assert!(value_for_schema(&schema, "").to_string().len() < 200);
        let again = json!({"$ref": "#"});
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let properties: Map<String, Value> = names
            .iter()
            .map(|name| ((*name).to_owned(), again.clone()))
            .collect();
        let schema = json!({"type": "object", "properties": properties});
        assert!(value_for_schema(&schema, "").to_string().len() < 100_000);
        let schema = json!({"$ref": "#"});
        assert_eq!(value_for_schema(&schema, ""), Value::Null);
    }

    #[test]
    fn odd_schemas_never_panic() {
        for schema in [
            json!({"type": "integer", "minimum": 1e300}),
            json!({"type": 7}),
            json!({"anyOf": []}),
            json!({"type": "array", "maxItems": 0}),
            json!({"type": "string", "maxLength": -1}),
        ] {
            value_for_schema(&schema, "");
        }
    }
}

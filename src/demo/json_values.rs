//! Short ways to read JSON values and to build objects.

use serde_json::Value;

/// The text at `key`, empty if there is none.
pub(super) fn text_at<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The value at `key`, unless it is null.
pub(super) fn non_null<'a>(object: &'a Value, key: &str) -> Option<&'a Value> {
    object.get(key).filter(|value| !value.is_null())
}

/// The elements of an array; none for other values.
pub(super) fn array_items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The texts of a content, joined by line ends, and the number of its parts that are not text.
pub(super) fn content_parts(content: &Value) -> (String, usize) {
    if let Value::String(text) = content {
        return (text.clone(), 0);
    }
    let texts: Vec<&str> = array_items(content)
        .filter_map(|part| part.get("text")?.as_str())
        .collect();
    let others = array_items(content).count().saturating_sub(texts.len());
    (texts.join("\n"), others)
}

/// An object with these keys in this order, without those whose value is `None`.
pub(super) fn sparse_object<const N: usize>(keys: [(&str, Option<Value>); N]) -> Value {
    let some = |(key, value): (&str, Option<Value>)| Some((key.to_owned(), value?));
    Value::Object(keys.into_iter().filter_map(some).collect())
}

/// One object with the keys of both.
pub(super) fn merge_objects(mut one: Value, other: Value) -> Value {
    if let (Value::Object(one), Value::Object(other)) = (&mut one, other) {
        one.extend(other);
    }
    one
}

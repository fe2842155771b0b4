//! The head fields of a reply, in the order and spelling of Google's front end, and the layout of its JSON
//! (<https://ai.google.dev/api/generate-content>).

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use serde_json::{Map, Value};

use crate::demo::{DemoContext, timestamps};

pub(super) const JSON_TYPE: &str = "application/json; charset=UTF-8";
pub(super) const SSE_TYPE: &str = "text/event-stream";

/// The head fields of a reply.
pub(super) fn head_fields(
    content_type: &str,
    tokens: u64,
    seen: DemoContext,
) -> Vec<(String, String)> {
    let took = 80_u64.saturating_add(tokens.min(2_000));
    let shown =
        (content_type == SSE_TYPE).then(|| ("Content-Disposition", "attachment".to_owned()));
    let rest = [
        ("Vary", "Origin".to_owned()),
        ("Vary", "X-Origin".to_owned()),
        ("Vary", "Referer".to_owned()),
        ("Date", timestamps::http_date(seen.created_secs)),
        ("Server", "wire-demo".to_owned()),
        ("X-XSS-Protection", "0".to_owned()),
        ("X-Frame-Options", "SAMEORIGIN".to_owned()),
        ("X-Content-Type-Options", "nosniff".to_owned()),
        ("Server-Timing", format!("gfet4t7; dur={took}")),
    ];
    std::iter::once(("Content-Type", content_type.to_owned()))
        .chain(shown)
        .chain(rest)
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// JSON on one line: a space after each colon, none after a comma.
pub(super) fn json_line(value: &Value) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, JsonLineFormatter);
    // Writing to memory does not fail.
    let written = value.serialize(&mut serializer);
    debug_assert!(written.is_ok());
    String::from_utf8(bytes).unwrap_or_default()
}

/// An object with these keys in this order, without those whose value is `None`.
pub(super) fn sparse_object<const N: usize>(keys: [(&str, Option<Value>); N]) -> Value {
    let some = |(key, value): (&str, Option<Value>)| Some((key.to_owned(), value?));
    Value::Object(keys.into_iter().filter_map(some).collect::<Map<_, _>>())
}

struct JsonLineFormatter;

impl Formatter for JsonLineFormatter {
    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_after_each_colon() {
        let value = serde_json::json!({"a": [1, {"b": ":"}], "c": {}});
        assert_eq!(json_line(&value), r#"{"a": [1,{"b": ":"}],"c": {}}"#);
    }
}

//! The error words and head fields of Google's APIs, and the layout of their JSON
//! (<https://ai.google.dev/gemini-api/docs/troubleshooting>, <https://google.aip.dev/193>).

use std::io::{self, Write};
use std::sync::LazyLock;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use serde_json::{Value, json};

use crate::demo::api_error::ApiError;
use crate::demo::context::DemoContext;
use crate::demo::head::{ReplyFields, processing_millis};
use crate::demo::json_values::sparse_object;
use crate::demo::rules::ApiRules;

/// The rules of Gemini's API.
pub(super) static RULES: LazyLock<ApiRules> =
    LazyLock::new(|| ApiRules::parse(include_str!("rules.json")));

pub(super) const JSON_TYPE: &str = "application/json; charset=UTF-8";
pub(super) const EVENTS_TYPE: &str = "text/event-stream";

/// The error as JSON.
pub(super) fn error_json(error: &ApiError) -> Value {
    let details = (!error.details.is_empty()).then(|| json!(error.details));
    let error = sparse_object([
        ("code", Some(json!(error.status))),
        ("message", Some(json!(error.message))),
        ("status", Some(json!(status_name(error.status)))),
        ("details", details),
    ]);
    json!({"error": error})
}

/// The name of a status in Google's APIs (<https://google.aip.dev/193>).
fn status_name(status: u16) -> &'static str {
    let number = format!("{status} ");
    let mut named = RULES.names("statuses").into_iter();
    let name = named.find_map(|named| named.strip_prefix(&number));
    name.unwrap_or("UNKNOWN")
}

/// The head fields of a reply that used `tokens` tokens.
pub(super) fn head_fields(content_type: &str, tokens: u64, context: DemoContext) -> ReplyFields {
    let disposition = match content_type {
        EVENTS_TYPE => "attachment",
        _ => "",
    };
    let values = [
        ("type", content_type),
        ("disposition", disposition),
        ("date", &context.http_date()),
        ("millis", &processing_millis(tokens).to_string()),
    ];
    RULES.head_fields(&values, &[])
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
    fn json_line_has_a_space_after_each_colon() {
        let value = serde_json::json!({"a": [1, {"b": ":"}], "c": {}});
        assert_eq!(json_line(&value), r#"{"a": [1,{"b": ":"}],"c": {}}"#);
    }
}

//! The head fields of a reply, in the order and spelling of Google's front end, and the layout of its JSON
//! (<https://ai.google.dev/api/generate-content>).

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

use crate::demo::context::DemoContext;
use crate::demo::head::{ReplyFields, processing_millis, reply_fields};

pub(super) const JSON_TYPE: &str = "application/json; charset=UTF-8";
pub(super) const EVENTS_TYPE: &str = "text/event-stream";

/// The head fields of a reply that used `tokens` tokens.
pub(super) fn head_fields(content_type: &str, tokens: u64, context: DemoContext) -> ReplyFields {
    let millis = processing_millis(tokens);
    let mut fields = reply_fields([("Content-Type", content_type.to_owned())]);
    if content_type == EVENTS_TYPE {
        fields.push(("Content-Disposition".to_owned(), "attachment".to_owned()));
    }
    fields.extend(reply_fields([
        ("Vary", "Origin".to_owned()),
        ("Vary", "X-Origin".to_owned()),
        ("Vary", "Referer".to_owned()),
        ("Date", context.http_date()),
        ("Server", "wire-demo".to_owned()),
        ("X-XSS-Protection", "0".to_owned()),
        ("X-Frame-Options", "SAMEORIGIN".to_owned()),
        ("X-Content-Type-Options", "nosniff".to_owned()),
        ("Server-Timing", format!("gfet4t7; dur={millis}")),
    ]));
    fields
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

//! Rules about the request alone.

use super::finding::{Finding, FindingPlace};
use super::http::field;
use super::{CallCheck, CallView};
use crate::json::{JsonDocument, JsonKind, JsonValue, pointer_at};

pub(super) const CHECKS: &[CallCheck] = &[check_request];

/// Most `cache_control` marks in a request (Anthropic, prompt caching).
const MAX_CACHE_MARKS: usize = 4;

/// Parses the body once for all rules about it.
fn check_request(call: CallView<'_>, findings: &mut Vec<Finding>) {
    let Ok(document) = JsonDocument::parse(call.request_body) else {
        return;
    };
    if document.root().kind() != JsonKind::Object {
        return;
    }
    findings.extend(duplicate_key(&document));
    findings.extend(not_labelled_json(call).filter(|_| !call.is_websocket()));
    let is_known = call
        .meaning
        .is_some_and(|meaning| meaning.completion.dialect.is_some());
    if is_known {
        findings.extend(cache_marks(&document));
        findings.extend(result_without_call(&document));
    }
}

fn place_of(document: &JsonDocument<'_>, value: JsonValue<'_>) -> FindingPlace {
    FindingPlace::request(&pointer_at(document, value.span().start))
}

fn duplicate_key(document: &JsonDocument<'_>) -> Option<Finding> {
    let key = document.root().find_repeated_key()?;
    let facts = vec![("key", key.as_str().unwrap_or_default().into_owned())];
    Finding::new("request-duplicate-key", place_of(document, key), facts)
}

fn not_labelled_json(call: CallView<'_>) -> Option<Finding> {
    let label = field(&call.exchange.request, "content-type");
    let kind = label
        .split(';')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let is_json = kind.ends_with("json");
    let shown = match label.is_empty() {
        true => "nothing".to_owned(),
        false => label,
    };
    let place = FindingPlace::request("Content-Type");
    let finding = Finding::new("request-not-labelled-json", place, vec![("label", shown)]);
    finding.filter(|_| !is_json)
}

fn cache_marks(document: &JsonDocument<'_>) -> Option<Finding> {
    let nodes = 0..document.nodes().len();
    let values = nodes.filter_map(|index| document.value(index));
    let marked = values.filter_map(|value| {
        let mark = value.get("cache_control")?;
        (mark.kind() == JsonKind::Object).then_some(mark)
    });
    let marks: Vec<_> = marked.collect();
    let beyond = marks.get(MAX_CACHE_MARKS)?;
    let facts = vec![("count", marks.len().to_string())];
    Finding::new("request-cache-marks", place_of(document, *beyond), facts)
}

/// A tool result whose call is not in the messages before it. Requests that continue a stored conversation are left out.
fn result_without_call(document: &JsonDocument<'_>) -> Option<Finding> {
    let root = document.root();
    let mut known: Vec<String> = Vec::new();
    for message in root.get("messages")?.items() {
        let blocks: Vec<_> = message
            .get("content")
            .into_iter()
            .flat_map(JsonValue::items)
            .collect();
        let result = message.get("tool_call_id").into_iter();
        let results = result.chain(blocks.iter().filter_map(|block| block.get("tool_use_id")));
        for id in results {
            let text = id.as_str().unwrap_or_default().into_owned();
            if !known.contains(&text) {
                return Finding::new(
                    "request-result-without-call",
                    place_of(document, message),
                    vec![("id", text)],
                );
            }
        }
        let calls = message
            .get("tool_calls")
            .into_iter()
            .flat_map(JsonValue::items);
        let ids = calls
            .chain(blocks)
            .filter_map(|call| call.get("id")?.as_str());
        known.extend(ids.map(std::borrow::Cow::into_owned));
    }
    None
}

//! The rule about keys that a capture holds.

use super::finding::{Finding, FindingPlace};
use super::{CallCheck, CallView};
use crate::capture::find_key_shape;

pub(super) const CHECKS: &[CallCheck] = &[held_keys];

/// A string in the request's body or in the answer that looks like a key and is not masked.
fn held_keys(call: CallView<'_>, findings: &mut Vec<Finding>) {
    findings.extend(held_key(call.request_body, "the request's body"));
    let Some(meaning) = call.meaning else {
        return;
    };
    let completion = &meaning.completion;
    let texts = completion.choices.iter().flat_map(|choice| {
        let calls = choice.tool_calls.iter().map(|call| &call.arguments);
        [&choice.text, &choice.reasoning].into_iter().chain(calls)
    });
    let errors = completion.errors.iter().map(|error| &error.message);
    let mut held = texts
        .chain(errors)
        .filter_map(|text| held_key(text.as_bytes(), "the answer"));
    findings.extend(held.next());
}

/// The finding names the key by its prefix and length only.
fn held_key(text: &[u8], holder: &str) -> Option<Finding> {
    let found = find_key_shape(text)?;
    let facts = vec![
        ("prefix", found.prefix.to_owned()),
        ("length", found.range.len().to_string()),
        ("where", holder.to_owned()),
    ];
    Finding::new("capture-holds-key", FindingPlace::default(), facts)
}

//! Bytes of a value that are not prompt text: breakpoint marks and inline data.

use super::value_digest::{BREAKPOINT_KEYS, ValueRole, prompt_members};
use crate::json::{JsonKind, JsonValue};
use crate::span::Span;

/// Whether `key` names a cache breakpoint mark in a content block.
pub(super) fn is_breakpoint_key(key: JsonValue<'_>) -> bool {
    key.as_str()
        .is_some_and(|key| BREAKPOINT_KEYS.contains(&&*key))
}

/// Spans of the prompt text of a value: everything except breakpoint marks and their commas.
pub(super) fn text_spans(value: JsonValue<'_>) -> Vec<Span> {
    let mut holes = Vec::new();
    let raw = value.raw();
    if BREAKPOINT_KEYS
        .iter()
        .any(|mark| memchr::memmem::find(raw, mark.as_bytes()).is_some())
    {
        find_breakpoint_spans(value, ValueRole::Block, &mut holes);
    }
    holes.sort_unstable();
    let mut pieces = Vec::new();
    let mut at = value.span().start;
    for hole in holes {
        pieces.push(Span::new(at, hole.start));
        at = hole.end;
    }
    pieces.push(Span::new(at, value.span().end));
    pieces
}

fn find_breakpoint_spans(value: JsonValue<'_>, role: ValueRole, holes: &mut Vec<Span>) {
    for item in value.items() {
        if role == ValueRole::Blocks {
            find_breakpoint_spans(item, ValueRole::Block, holes);
        }
    }
    if role != ValueRole::Block {
        return;
    }
    // End of the last kept member. A mark is removed with the comma before it, a first mark with the comma after it.
    let mut kept: Option<u64> = None;
    let mut open: Option<u64> = None;
    for (key, member) in value.members() {
        if is_breakpoint_key(key) {
            match kept {
                Some(end) => holes.push(Span::new(end, member.span().end)),
                None => open = open.or(Some(key.span().start)),
            }
        } else if let Some(start) = open.take() {
            holes.push(Span::new(start, key.span().start));
        }
        kept = match is_breakpoint_key(key) {
            true => kept.map(|_| member.span().end),
            false => Some(member.span().end),
        };
    }
    if let Some(start) = open {
        holes.push(Span::new(start, value.span().end.saturating_sub(1)));
    }
    for (_, child, role) in prompt_members(value, role) {
        if role == ValueRole::Blocks {
            find_breakpoint_spans(child, role, holes);
        }
    }
}

/// Shortest string that counts as inline data: shorter ones do not change an estimate of tokens.
const MIN_INLINE_DATA: u64 = 1024;

/// Bytes of inline pictures, sounds and files in a value: their tokens do not depend on their bytes.
pub(super) fn inline_data_len(value: JsonValue<'_>, key: &str) -> u64 {
    if value.span().len() < MIN_INLINE_DATA {
        return 0;
    }
    let is_data = || {
        let known = matches!(key, "data" | "file_data" | "images" | "b64_json");
        known || value.raw().starts_with(b"\"data:")
    };
    match value.kind() {
        JsonKind::String if is_data() => value.span().len(),
        JsonKind::Object => {
            let members = value.members();
            let of = |(key, member): (JsonValue<'_>, JsonValue<'_>)| {
                inline_data_len(member, &key.as_str().unwrap_or_default())
            };
            members.map(of).sum()
        }
        _ => value.items().map(|item| inline_data_len(item, key)).sum(),
    }
}

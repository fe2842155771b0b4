//! What of a value is no prompt text: the bytes of marks for the cache, and those of inline data.

use super::value_digest::{BREAKPOINT_KEYS, ValueRole, prompt_members};
use crate::json::{JsonKind, JsonValue};
use crate::span::Span;

/// Whether a member of a block is such a mark.
pub(super) fn is_breakpoint_key(key: JsonValue<'_>) -> bool {
    key.as_str()
        .is_some_and(|key| BREAKPOINT_KEYS.contains(&&*key))
}

/// Where the bytes of a segment stand: all of it, but for the marks and the commas that go with them.
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
    // Where what is kept ends: a mark goes with the comma before it, one that is first with that after it.
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

/// How long a string must be to be taken for inline data.
const MIN_INLINE_DATA: u64 = 1024;

/// Bytes of inline pictures, sounds and files: what stands for them in tokens has nothing to do with bytes.
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

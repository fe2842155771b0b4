//! Digests of JSON values that do not depend on their spelling, and the kinds of spelling differences between equal
//! values. Breakpoint marks are left out.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::chat::prompt_order::SpellingDifference;
use crate::diff::json::normalize_number;
use crate::json::{JsonKind, JsonValue};

/// Members that ask for a cache entry and are no part of the prompt: Anthropic's, of which "the moving marker
/// always differs between adjacent requests and is not an invalidator" (anthropics/skills,
/// `claude-api/shared/prompt-caching.md`), and OpenAI's breakpoints
/// (<https://developers.openai.com/api/docs/guides/prompt-caching>). Only on blocks: below a schema a member of
/// that name is the user's own.
pub(super) const BREAKPOINT_KEYS: [&str; 2] = ["cache_control", "prompt_cache_breakpoint"];

/// Role of a value in a prompt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ValueRole {
    /// A tool, a message or a content block: it can have a breakpoint mark.
    Block,
    /// The content of a block: text, or blocks.
    Blocks,
    /// Anything else.
    Other,
}

/// The members of an object without breakpoint marks, with the roles of their values.
pub(super) fn prompt_members(
    value: JsonValue<'_>,
    role: ValueRole,
) -> impl Iterator<Item = (JsonValue<'_>, JsonValue<'_>, ValueRole)> {
    value.members().filter_map(move |(key, member)| {
        let name = key.as_str().unwrap_or_default();
        match role {
            ValueRole::Block if BREAKPOINT_KEYS.contains(&&*name) => None,
            ValueRole::Block if name == "content" => Some((key, member, ValueRole::Blocks)),
            _ => Some((key, member, ValueRole::Other)),
        }
    })
}

/// The items of an array with their role.
fn items_with_role(
    value: JsonValue<'_>,
    role: ValueRole,
) -> impl Iterator<Item = (JsonValue<'_>, ValueRole)> {
    let of_item = match role {
        ValueRole::Blocks => ValueRole::Block,
        _ => ValueRole::Other,
    };
    value.items().map(move |item| (item, of_item))
}

/// The text of a block that has a text and nothing else.
pub(super) fn block_text(block: JsonValue<'_>) -> Option<Cow<'_, str>> {
    let (mut kind, mut text) = (None, None);
    for (key, member, _) in prompt_members(block, ValueRole::Block) {
        match &*key.as_str()? {
            "type" => kind = member.as_str(),
            "text" => text = member.as_str(),
            _ => return None,
        }
    }
    let is_text = matches!(kind.as_deref(), Some("text" | "input_text" | "output_text"));
    text.filter(|_| is_text)
}

/// The text of a content that is a list of one text block.
fn lone_block_text(value: JsonValue<'_>, role: ValueRole) -> Option<Cow<'_, str>> {
    let mut items = value.items();
    match (role, items.next(), items.next()) {
        (ValueRole::Blocks, Some(only), None) => block_text(only),
        _ => None,
    }
}

/// A hash that is equal for equal values, regardless of spelling. Other values collide with a chance of 2^-64.
pub(super) fn digest(value: JsonValue<'_>, role: ValueRole) -> u64 {
    let mut hasher = DefaultHasher::new();
    match value.kind() {
        JsonKind::String => return digest_text(&value.as_str().unwrap_or_default()),
        JsonKind::Number => normalize_number(value.raw()).hash(&mut hasher),
        JsonKind::Array => {
            if let Some(text) = lone_block_text(value, role) {
                return digest_text(&text);
            }
            for (item, role) in items_with_role(value, role) {
                digest(item, role).hash(&mut hasher);
            }
        }
        JsonKind::Object => {
            for (key, _, member, role) in sorted_members(value, role) {
                (key, digest(member, role)).hash(&mut hasher);
            }
        }
        JsonKind::True | JsonKind::False | JsonKind::Null => {}
    }
    value.kind().hash(&mut hasher);
    hasher.finish()
}

/// The digest of a text, as a string or as a block.
pub(super) fn digest_text(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (text, JsonKind::String).hash(&mut hasher);
    hasher.finish()
}

/// A member: name, key, value and the role of the value.
pub(super) type NamedMember<'a> = (Cow<'a, str>, JsonValue<'a>, JsonValue<'a>, ValueRole);

/// The members sorted by name; members of one name keep their order.
pub(super) fn sorted_members(value: JsonValue<'_>, role: ValueRole) -> Vec<NamedMember<'_>> {
    let named = |(key, member, role): (_, _, ValueRole)| {
        let name = JsonValue::as_str(key).unwrap_or_default();
        (name, key, member, role)
    };
    let mut all: Vec<NamedMember<'_>> = prompt_members(value, role).map(named).collect();
    all.sort_by(|left, right| left.0.cmp(&right.0));
    all
}

/// Whether two objects have the same keys in the same order.
pub(super) fn has_same_keys(left: JsonValue<'_>, right: JsonValue<'_>, role: ValueRole) -> bool {
    let keys = |value| prompt_members(value, role).map(|(key, ..)| key);
    let (mut lefts, mut rights) = (keys(left), keys(right));
    loop {
        match (lefts.next(), rights.next()) {
            (None, None) => return true,
            (Some(left), Some(right)) if left.as_str() == right.as_str() => {}
            _ => return false,
        }
    }
}

/// The kinds of spelling differences between two equal values; `texts` are their bytes without marks.
pub(super) fn spelling_differences(
    [left, right]: [JsonValue<'_>; 2],
    texts: [&[u8]; 2],
) -> Vec<SpellingDifference> {
    let mut found = Vec::new();
    collect_spellings(left, right, ValueRole::Block, &mut found);
    let spaces = texts.map(count_white_space);
    // A list of one text has more tokens than the text, and so more white space.
    let comparable = !found.contains(&SpellingDifference::Shorthand);
    if comparable && spaces[0] != spaces[1] || found.is_empty() {
        found.push(SpellingDifference::WhiteSpace);
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn collect_spellings(
    left: JsonValue<'_>,
    right: JsonValue<'_>,
    role: ValueRole,
    found: &mut Vec<SpellingDifference>,
) {
    match (left.kind(), right.kind()) {
        (JsonKind::Object, JsonKind::Object) => {
            if !has_same_keys(left, right, role) {
                found.push(match role {
                    ValueRole::Block => SpellingDifference::FieldOrder,
                    _ => SpellingDifference::KeyOrder,
                });
            }
            let (lefts, rights) = (sorted_members(left, role), sorted_members(right, role));
            for (left, right) in lefts.into_iter().zip(rights) {
                let ((_, key, left, role), (_, other, right, _)) = (left, right);
                if key.raw() != other.raw() {
                    found.push(SpellingDifference::Escapes);
                }
                collect_spellings(left, right, role, found);
            }
        }
        (JsonKind::Array, JsonKind::Array) => {
            for ((left, role), (right, _)) in
                items_with_role(left, role).zip(items_with_role(right, role))
            {
                collect_spellings(left, right, role, found);
            }
        }
        (JsonKind::String, JsonKind::String) if left.raw() != right.raw() => {
            found.push(SpellingDifference::Escapes)
        }
        (JsonKind::Number, JsonKind::Number) if left.raw() != right.raw() => {
            found.push(SpellingDifference::Numbers)
        }
        (left, right) if left != right => found.push(SpellingDifference::Shorthand),
        _ => {}
    }
}

/// Bytes of white space outside strings.
fn count_white_space(text: &[u8]) -> u64 {
    let (mut count, mut inside, mut escaped) = (0u64, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = inside,
            b'"' => inside = !inside,
            b' ' | b'\t' | b'\r' | b'\n' if !inside => count = count.saturating_add(1),
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::JsonDocument;

    fn of<T>(texts: [&str; 2], with: impl FnOnce([JsonValue<'_>; 2]) -> T) -> T {
        let documents = texts.map(|text| JsonDocument::parse(text.as_bytes()).unwrap());
        with([documents[0].root(), documents[1].root()])
    }

    #[test]
    fn what_says_the_same_has_the_same_digest() {
        let case = |left, right, expected: Option<&[SpellingDifference]>| {
            let texts: [&str; 2] = [left, right];
            let (same, how) = of(texts, |[left, right]| {
                let same = digest(left, ValueRole::Block) == digest(right, ValueRole::Block);
                (
                    same,
                    spelling_differences([left, right], texts.map(str::as_bytes)),
                )
            });
            assert_eq!(same, expected.is_some(), "{left} {right}");
            if let Some(expected) = expected {
                assert_eq!(how, expected, "{left} {right}");
            }
        };
        use SpellingDifference::{Escapes, FieldOrder, KeyOrder, Numbers, Shorthand, WhiteSpace};
        case(
            r#"{"a":1,"b":[]}"#,
            r#"{"a": 1, "b": []}"#,
            Some(&[WhiteSpace]),
        );
        case(
            r#"{"a":1, "b":2}"#,
            r#"{"a": 1,"b":2}"#,
            Some(&[WhiteSpace]),
        );
        case(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, Some(&[FieldOrder]));
        case(r#"{"a":"é"}"#, r#"{"a":"\u00e9"}"#, Some(&[Escapes]));
        case(r#"{"a":"x"}"#, r#"{"\u0061":"x"}"#, Some(&[Escapes]));
        case(r#"[1,-0,100]"#, r#"[1.0,0e7,1E+2]"#, Some(&[Numbers]));
        case(
            r#"{"x":{"a":1.50,"b":"\/"}}"#,
            r#"{"x": {"b": "/", "a": 15e-1}}"#,
            Some(&[WhiteSpace, KeyOrder, Escapes, Numbers]),
        );
        case(
            r#"{"role":"user","content":"hi"}"#,
            r#"{"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}}]}"#,
            Some(&[Shorthand]),
        );
        case(
            r#"{"content":"hi"}"#,
            r#"{"content":[{"type":"text","text":"ho"}]}"#,
            None,
        );
        case(
            r#"{"content":"hi"}"#,
            r#"{"content":[{"type":"image","text":"hi"}]}"#,
            None,
        );
        // Below a schema it is a property like any other, and an array of one is an array.
        case(r#"{"a":{"cache_control":1}}"#, r#"{"a":{}}"#, None);
        case(
            r#"{"a":"hi"}"#,
            r#"{"a":[{"type":"text","text":"hi"}]}"#,
            None,
        );
        case("[1,2]", "[2,1]", None);
        case("[10]", "[1]", None);
        case("[1]", "[-1]", None);
        case("[0.1]", "[0.01]", None);
        case("[[],1]", "[[1]]", None);
        case(r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#, None);
        case("[null]", "[false]", None);
        case(r#"["1"]"#, "[1]", None);
    }
}

//! Two bodies, compared as JSON if both are JSON, as text if both are text, else as bytes.

use crate::diff::bytes::common_prefix_len;
use crate::diff::change::{ChangeKind, ChangeSide, DiffChange, DiffValue, LayerNote};
use crate::diff::json_changes;
use crate::diff::place::{DiffPlace, PlaceRoot};
use crate::json::JsonDocument;
use crate::span::Span;

/// Returns what differs between two bodies, and notes on how they were compared.
pub(crate) fn compare(left: &[u8], right: &[u8]) -> (Vec<DiffChange>, Vec<LayerNote>) {
    if left == right {
        return (vec![], vec![]);
    }
    if let (Ok(lefts), Ok(rights)) = (JsonDocument::parse(left), JsonDocument::parse(right)) {
        let (mut changes, note) = json_changes::compare_documents(&lefts, &rights, &whole());
        changes.extend(compare_layout(&lefts, &rights));
        if changes.is_empty() {
            changes.extend(compare_white_space(left, right));
        }
        return (changes, note.into_iter().collect());
    }
    let sides = [left, right].map(std::str::from_utf8);
    let change = match sides {
        [Ok(left), Ok(right)] => compare_text(left, right),
        _ => compare_bytes(left, right),
    };
    (change.into_iter().collect(), vec![])
}

fn whole() -> DiffPlace {
    DiffPlace::all_of(PlaceRoot::Body)
}

fn compare_text(left: &str, right: &str) -> Option<DiffChange> {
    let shown = |text: &str| {
        let span = Span::new(0, text.len() as u64);
        (!text.is_empty()).then(|| ChangeSide::at(DiffValue::Text(text.to_owned()), span))
    };
    DiffChange::from_sides(whole(), shown(left), shown(right))
}

/// Bytes shown from the first that differs on: one row of a hex view.
const SHOWN_BYTES: usize = 16;

fn compare_bytes(left: &[u8], right: &[u8]) -> Option<DiffChange> {
    let first = common_prefix_len(left, right);
    let shown = |bytes: &[u8]| {
        let here = bytes.get(first..).unwrap_or_default();
        let here = here.get(..SHOWN_BYTES).unwrap_or(here);
        let (size, digits) = (bytes.len(), hex::encode(here));
        let text = format!("{size} bytes; from byte {first}: {digits}");
        let span = Span::new(first as u64, first.saturating_add(here.len()) as u64);
        Some(ChangeSide::at(DiffValue::Text(text), span))
    };
    DiffChange::from_sides(whole(), shown(left), shown(right))
}

/// Returns the layouts of two JSON texts, if they differ.
fn compare_layout(left: &JsonDocument<'_>, right: &JsonDocument<'_>) -> Option<DiffChange> {
    let layouts = [
        JsonLayout::from_document(left)?,
        JsonLayout::from_document(right)?,
    ];
    let [left, right] = layouts.map(|layout| Some(DiffValue::Text(layout.describe()).into()));
    let change = DiffChange::from_sides(DiffPlace::fact("white space"), left, right)?;
    Some(change.with_kind(ChangeKind::Respelled))
}

/// Characters shown from the first that differs on: enough to find the place in an editor.
const SHOWN_CHARS: usize = 16;

/// Returns where two JSON texts first differ whose values and layouts are equal.
fn compare_white_space(left: &[u8], right: &[u8]) -> Option<DiffChange> {
    let first = common_prefix_len(left, right);
    let shown = |bytes: &[u8]| {
        let here = bytes.get(first..).unwrap_or_default();
        // A character has at most four bytes.
        let here = here.get(..SHOWN_CHARS.saturating_mul(4)).unwrap_or(here);
        let text = String::from_utf8_lossy(here);
        let text: String = text.chars().take(SHOWN_CHARS).collect();
        Some(ChangeSide::from(DiffValue::Text(format!(
            "from byte {first}: {text:?}"
        ))))
    };
    let place = DiffPlace::fact("white space");
    let change = DiffChange::from_sides(place, shown(left), shown(right))?;
    Some(change.with_kind(ChangeKind::Respelled))
}

/// The white space between the tokens of a JSON text.
#[derive(Clone, Debug, Eq, PartialEq)]
struct JsonLayout {
    /// White space after an opening bracket.
    indent: String,
    /// The comma between two members, with the white space around it.
    comma: String,
    /// The colon of a member, with the white space around it.
    colon: String,
}

impl JsonLayout {
    /// The layout of the outermost object, read from its first two members; `None` if it has fewer.
    fn from_document(document: &JsonDocument<'_>) -> Option<Self> {
        let root = document.root();
        let mut members = root.members();
        let ((key, value), (next, _)) = (members.next()?, members.next()?);
        let between = |start, end| {
            String::from_utf8_lossy(document.slice(Span::new(start, end))).into_owned()
        };
        Some(Self {
            indent: between(root.span().start.saturating_add(1), key.span().start),
            comma: between(value.span().end, next.span().start),
            colon: between(key.span().end, value.span().start),
        })
    }

    fn describe(&self) -> String {
        match (&self.indent[..], &self.comma[..], &self.colon[..]) {
            ("", ",", ":") => "compact".to_owned(),
            ("", comma, colon) => format!("{comma:?} and {colon:?}"),
            (indent, ..) => format!("indented: {indent:?}, {:?}, {:?}", self.comma, self.colon),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_described() {
        let words = |text: &str| {
            let document = JsonDocument::parse(text.as_bytes()).unwrap();
            JsonLayout::from_document(&document).map(|layout| layout.describe())
        };
        assert_eq!(words(r#"{"a":1,"b":2}"#).as_deref(), Some("compact"));
        let python = words(r#"{"a": 1, "b": 2}"#);
        assert_eq!(python.as_deref(), Some(r#"", " and ": ""#));
        let laid_out = words("{\n  \"a\": 1,\n  \"b\": 2\n}");
        assert_eq!(
            laid_out.as_deref(),
            Some(r#"indented: "\n  ", ",\n  ", ": ""#)
        );
        assert_eq!(words("[1]"), None);
    }

    #[test]
    fn only_equal_bytes_have_no_difference() {
        for (left, right) in [
            (r#"{"a":1}"#, r#"{"a": 1}"#),
            ("[1]", "[1]\n"),
            (r#"{"a":[1,2],"b":2}"#, r#"{"a":[1, 2],"b":2}"#),
        ] {
            let (changes, _) = compare(left.as_bytes(), right.as_bytes());
            assert_eq!(changes.len(), 1, "{left} {right}");
            assert_eq!(changes[0].at, DiffPlace::fact("white space"));
            assert_eq!(changes[0].what, ChangeKind::Respelled);
        }
        let (changes, _) = compare(br#"{"a":1}"#, br#"{"a":1,"b":2}"#);
        assert_eq!(changes.len(), 1, "one member shows no layout");
        let (changes, _) = compare(r#"{"é":"日"}"#.as_bytes(), r#"{"é": "日"}"#.as_bytes());
        let value = changes[0].left.clone().unwrap();
        let expected = r#"from byte 6: "\"日\"}""#.to_owned();
        assert_eq!(value.value, DiffValue::Text(expected));
    }

    #[test]
    fn texts_and_bytes() {
        assert_eq!(compare(b"same", b"same").0, vec![]);
        let (changes, _) = compare(b"<html>one", b"<html>two");
        assert_eq!(changes.len(), 1);
        let (changes, _) = compare(b"\xff\x00\x01", b"\xff\x00\x02");
        let value = changes[0].right.clone().unwrap();
        assert_eq!(
            value.value,
            DiffValue::Text("3 bytes; from byte 2: 02".to_owned())
        );
    }
}
